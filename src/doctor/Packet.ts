/** A packet, and the tests that rules of any kind apply to it. */
import * as Cidr from "../network/Cidr.ts"

/** A packet on its way. Absent fields are unknown. */
export interface Packet {
  readonly family: 4 | 6
  readonly source?: Cidr.Cidr
  /** A subnet that its source is outside of. The source itself is unknown. */
  readonly sourceOutside?: Cidr.Cidr
  readonly destination?: Cidr.Cidr
  /** Whether its destination is an address of the host. */
  readonly isForHost?: boolean
  /** Whether its source is an address of the host. */
  readonly isFromHost?: boolean
  readonly inLink?: string
  readonly outLink?: string
  readonly protocol?: string
  readonly port?: number
  readonly mark?: number
  /** The type and the code of an ICMP message. */
  readonly icmp?: { readonly type: number; readonly code: number }
  /** Where a frame of a bridge is from. */
  readonly mac?: string
  /** `INVALID` also before the kernel has looked for the connection. */
  readonly state: "NEW" | "ESTABLISHED" | "RELATED" | "UNTRACKED" | "INVALID"
  /** Whether DNAT has rewritten its destination. */
  readonly isMapped?: boolean
}

/** Whether a packet matches a rule. */
export type Match = true | false | "unknown"

/** Logical AND of three values. */
export const both = (left: Match, right: Match): Match =>
  left === false || right === false ? false : left === true && right === true ? true : "unknown"

/** Logical NOT of three values. */
export const negated = (match: Match): Match => match === "unknown" ? match : !match

/** Whether an address is in the subnet, or is the address, that a text names. */
export const inSubnet = (address: Cidr.Cidr | undefined, text: string): Match => {
  const subnet = Cidr.parse(text) ?? Cidr.parseAddress(text)
  return address === undefined || subnet === undefined ? "unknown" : Cidr.contains(subnet, address)
}

/** Whether an address is in a range, which includes both ends. */
export const inRange = (address: Cidr.Cidr | undefined, from: string, to: string): Match => {
  const [first, last] = [from, to].map(Cidr.parseAddress)
  if (address === undefined || first === undefined || last === undefined) return "unknown"
  return address.family === first.family && address.address >= first.address && address.address <= last.address
}

/** Whether a packet's source is in the subnet, or is the address, that a text names. */
export const isFrom = ({ source, sourceOutside }: Packet, text: string): Match => {
  const subnet = Cidr.parse(text) ?? Cidr.parseAddress(text)
  const isExcluded = subnet !== undefined && sourceOutside !== undefined && Cidr.contains(sourceOutside, subnet)
  return isExcluded ? false : inSubnet(source, text)
}

/** Whether a link's name matches a pattern, which may end with `+` or `*`. */
export const isLink = (link: string | undefined, pattern: string): Match =>
  link === undefined
    ? "unknown"
    : pattern.endsWith("+") || pattern.endsWith("*")
    ? link.startsWith(pattern.slice(0, -1))
    : link === pattern

/** The most chains, each called by the one before, to follow a packet through. */
export const deepest = 32
