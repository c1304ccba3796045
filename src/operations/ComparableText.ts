/**
 * Makes texts of two attachments comparable. Placeholders replace what is different by nature, such as the container
 * ID, the addresses and the name of the veth.
 */
import { anyOf, type AttachmentIdentity } from "./AttachmentIdentity.ts"

const chain = /\bCNI-((?:[A-Z]+-)?)[\da-f]{20,24}\b/g
const mac = /\b[\da-f]{2}(?::[\da-f]{2}){5}\b/gi
const linkLocal = /\bfe80::[\da-f:]+/gi
const veth = /\bveth[\da-f]{6,}\b/g

/** Makes a function that replaces the identifiers in texts of an attachment, given the identity of the other one. */
export const writer = (own: AttachmentIdentity, other: AttachmentIdentity): (text: string) => string => {
  // A link name that both attachments have is mostly the bridge, which stays.
  const links = [...own.hostLinks].filter((name) => !own.sharedLinks.has(name) && !other.hostLinks.has(name))
  const words = [
    [anyOf([own.containerId ?? ""]), "<container>"],
    [anyOf([own.netns ?? ""]), "<netns>"],
    [anyOf(own.addresses), "<address>"],
    [anyOf(links), "<link>"]
  ] as const
  return (text) =>
    words.reduce((text, [pattern, word]) => pattern === undefined ? text : text.replaceAll(pattern, word), text)
      .replace(veth, "<link>")
      .replace(chain, "CNI-$1<hash>")
      .replace(mac, "<mac>")
      .replace(linkLocal, "<link-local>")
}
