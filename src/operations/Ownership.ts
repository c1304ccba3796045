/** Who owns a fact: this attachment, all attachments together, or others that were active at the same time. */
import { chainOf, type Fact, linkOf } from "../network/Fact.ts"
import { wordsOf } from "../network/Line.ts"
import { anyOf, type AttachmentIdentity } from "./AttachmentIdentity.ts"

/**
 * `attachment`: the fact mentions the container ID, an address or a link of this attachment. `others`: it mentions
 * those of another one. `shared`: it mentions neither, such as a bridge or a chain that all attachments share.
 */
export type Whose = "attachment" | "shared" | "others"

/** A shorter ID may be an ordinary word. */
const shortestId = 12

/**
 * The container ID that the CNI plugins put into the comment of a rule: `name: "podman" id: "5c01…"`, or with nftables
 * `net: podman, if: eth0, id: 5c01…`, which may be cut off.
 */
const commentId = /\bid: (?:\\?")?([\w.-]+)/
const chainName = /\bCNI-(?:[A-Z]+-)?([\da-f]{20,24})\b/g
const longId = /\b[\da-f]{64}\b/
const singleAddress =
  /(?:-s|-d|--to-destination|[sd]addr|dnat(?: ip6?)? to) \[?([\da-f.:]+?)\]?(?:\/32|\/128|(?<=\.\d{1,3}|\]):\d+(?:-\d+)?)?(?= |$)/g
/** Chains of daemons that write rules at any time: kube-proxy and Docker. */
const daemons = / (?:KUBE-|DOCKER)[\w-]*$/
const everywhere = /^(?:127\.|169\.254\.|22[4-9]\.|23\d\.|0\.0\.0\.0$|255\.|::1?$|fe80:|ff)/

/** The links of a namespace that the facts of a record mention: their names and kinds. */
export type Links = ReadonlyMap<string, string>

/** The links of the host that facts mention. */
export const linksOf = (facts: ReadonlyArray<Fact>): Links =>
  new Map(
    facts.filter(({ kind, place }) => kind === "links" && place === "host").map(({ text }) => {
      const [name = "", type = ""] = wordsOf(text)
      return [name, type]
    })
  )

/** Makes a function that finds the owner of a fact. */
export const teller = (marks: AttachmentIdentity, links: Links): (fact: Fact) => Whose => {
  const { addresses, chains, containerId = "", gateways, hostLinks, macs, sharedLinks } = marks
  const borne = anyOf([...addresses, ...(containerId.length >= shortestId ? [containerId] : [])])
  const isOwnId = (id: string) => id === containerId || (id.length >= shortestId && containerId.startsWith(id))
  const isOwnChain = (hash: string) => [...chains].some((chain) => chain.startsWith(hash))
  // A veth or an ifb belongs to a single attachment.
  const isPrivate = (name: string) =>
    !sharedLinks.has(name) &&
    (/^(?:veth|ifb)$/.test(links.get(name) ?? "") || (!links.has(name) && name.startsWith("veth")))
  const isOwnLink = (name: string) =>
    hostLinks.has(name) && (isPrivate(name) || !/^(?:bridge|ether)?$/.test(links.get(name) ?? ""))
  // If the results name host links, a veth that they do not name belongs to another attachment.
  const isOthersLink = (name: string) => hostLinks.size > 0 && !hostLinks.has(name) && isPrivate(name)

  /** The owner of a rule by the comment and the chain name that the CNI plugins give it. */
  const ofNames = (text: string): Whose | undefined => {
    const id = commentId.exec(text)?.[1]
    if (id !== undefined) return isOwnId(id) ? "attachment" : "others"
    const hashes = [...text.matchAll(chainName)].map(([, hash = ""]) => hash)
    if (hashes.length === 0) return undefined
    return hashes.some(isOwnChain) ? "attachment" : "others"
  }
  const isOfOtherAddress = (text: string): boolean =>
    addresses.size > 0 &&
    [...text.matchAll(singleAddress)].some(([, address = ""]) => !gateways.has(address) && !everywhere.test(address))
  const ofReservation = (owner: string | undefined): Whose | undefined =>
    owner === undefined ? undefined : owner === containerId ? "attachment" : "others"
  const ofLink = (link: string | undefined): Whose | undefined => {
    if (link === undefined) return undefined
    return isOwnLink(link) ? "attachment" : isOthersLink(link) ? "others" : undefined
  }

  return (fact) => {
    const { kind, place, text } = fact
    if (place === "container") return "attachment"
    const isRule = kind === "iptables" || kind === "nftables"
    // Another network may use the same addresses, so a named owner comes first.
    const named = isRule ? ofNames(text) : kind === "ipam" ? ofReservation(wordsOf(text)[2]) : undefined
    if (named !== undefined) return named
    if (borne !== undefined && text.search(borne) !== -1) return "attachment"
    if (isRule && (daemons.test(chainOf(fact)?.name ?? "") || isOfOtherAddress(text))) return "others"
    const whose = ofLink(linkOf(fact))
    if (whose !== undefined) return whose
    if (kind === "bridge" && [...macs].some((mac) => text.includes(mac))) return "attachment"
    return text.search(longId) === -1 ? "shared" : "others"
  }
}
