/**
 * Texts of two attachments as what can be compared: what each attachment has of its own by nature, such as the ID of its
 * container, its addresses and the name of its veth, is written as what it is.
 */
import { anyOf, type AttachmentIdentity } from "./AttachmentIdentity.ts"

const chain = /\bCNI-((?:[A-Z]+-)?)[\da-f]{20,24}\b/g
const mac = /\b[\da-f]{2}(?::[\da-f]{2}){5}\b/gi
const linkLocal = /\bfe80::[\da-f:]+/gi
const veth = /\bveth[\da-f]{6,}\b/g

/** Writes the texts of an attachment so that they can be compared with those of another one, which has these marks. */
export const writer = (own: AttachmentIdentity, other: AttachmentIdentity): (text: string) => string => {
  // A link of which the other attachment has one of the same name is mostly the bridge, too.
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
