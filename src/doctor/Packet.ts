/** A packet, and what rules of any kind ask of it. */
import * as Cidr from "../network/Cidr.ts"

/** A packet on its way. What is not said of it is not known. */
export interface Packet {
  readonly family: 4 | 6
  readonly source?: Cidr.Cidr
  /** A subnet that its source, which is not known, is outside of. */
  readonly sourceOutside?: Cidr.Cidr
  readonly destination?: Cidr.Cidr
  /** Whether it is for an address of the host. */
  readonly isForHost?: boolean
  /** Whether it is from an address of the host. */
  readonly isFromHost?: boolean
  readonly inLink?: string
  readonly outLink?: string
  readonly protocol?: string
  readonly port?: number
  readonly mark?: number
  /** What a message of ICMP is about: its type and its code. */
  readonly icmp?: { readonly type: number; readonly code: number }
  /** Where a frame of a bridge is from. */
  readonly mac?: string
  readonly state: "NEW" | "ESTABLISHED" | "RELATED" | "UNTRACKED"
  /** Whether DNAT has rewritten its destination. */
  readonly isMapped?: boolean
}

/** Whether a packet is what a rule asks for. */
export type Match = true | false | "unknown"

/** Whether it is both. */
export const both = (left: Match, right: Match): Match =>
  left === false || right === false ? false : left === true && right === true ? true : "unknown"

/** Whether it is not. */
export const negated = (match: Match): Match => match === "unknown" ? match : !match

/** Whether an address is in a subnet, or the address, of a text. */
export const inSubnet = (address: Cidr.Cidr | undefined, text: string): Match => {
  const subnet = Cidr.parse(text) ?? Cidr.parseAddress(text)
  return address === undefined || subnet === undefined ? "unknown" : Cidr.contains(subnet, address)
}

/** Whether an address is between two others, both of which count. */
export const inRange = (address: Cidr.Cidr | undefined, from: string, to: string): Match => {
  const [first, last] = [from, to].map(Cidr.parseAddress)
  if (address === undefined || first === undefined || last === undefined) return "unknown"
  return address.family === first.family && address.address >= first.address && address.address <= last.address
}

/** Whether the source of a packet is in the subnet, or is the address, of a text. */
export const isFrom = ({ source, sourceOutside }: Packet, text: string): Match => {
  const subnet = Cidr.parse(text) ?? Cidr.parseAddress(text)
  const isExcluded = subnet !== undefined && sourceOutside !== undefined && Cidr.contains(sourceOutside, subnet)
  return isExcluded ? false : inSubnet(source, text)
}

/** Whether a link has this name, or one that starts like it. */
export const isLink = (link: string | undefined, pattern: string): Match =>
  link === undefined
    ? "unknown"
    : pattern.endsWith("+") || pattern.endsWith("*")
    ? link.startsWith(pattern.slice(0, -1))
    : link === pattern

/** How many chains deep a packet is followed. */
export const deepest = 32
