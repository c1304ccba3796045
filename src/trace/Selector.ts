/** Which packets are traced, as conditions of nft: those of one flow, and no others. */

/** The packets of a flow, before any nat. */
export interface Selector {
  readonly family: 4 | 6
  readonly protocol: "tcp" | "udp"
  /** Empty for any. */
  readonly sources: ReadonlyArray<string>
  /** The ports that the sender may use; undefined for any. */
  readonly sourcePorts: { readonly first: number; readonly last: number } | undefined
  readonly destinations: ReadonlyArray<string>
  readonly destinationPort: number
}

const setOf = (values: ReadonlyArray<string>): string =>
  values.length === 1 ? values[0] ?? "" : `{ ${values.join(", ")} }`

const rangeOf = ({ first, last }: { readonly first: number; readonly last: number }): string =>
  first === last ? String(first) : `${first}-${last}`

const ipOf = ({ family }: Selector): string => family === 4 ? "ip" : "ip6"

const words = (...parts: ReadonlyArray<string | false>): string => parts.filter(Boolean).join(" ")

/** What the sender sends. */
export const sent = (selector: Selector): string => {
  const { destinationPort, destinations, protocol, sourcePorts, sources } = selector
  const ip = ipOf(selector)
  return words(
    sources.length > 0 && `${ip} saddr ${setOf(sources)}`,
    `${ip} daddr ${setOf(destinations)}`,
    `${protocol} dport ${destinationPort}`,
    sourcePorts !== undefined && `${protocol} sport ${rangeOf(sourcePorts)}`
  )
}

/** The answers to it that no nat has changed. */
export const answered = (selector: Selector): string => {
  const { destinationPort, destinations, protocol, sourcePorts, sources } = selector
  const ip = ipOf(selector)
  return words(
    `${ip} saddr ${setOf(destinations)}`,
    sources.length > 0 && `${ip} daddr ${setOf(sources)}`,
    `${protocol} sport ${destinationPort}`,
    sourcePorts !== undefined && `${protocol} dport ${rangeOf(sourcePorts)}`
  )
}

/** Both directions, by the addresses that connection tracking remembers. */
export const tracked = (selector: Selector): string => {
  const { destinationPort, destinations, protocol, sourcePorts, sources } = selector
  const ip = ipOf(selector)
  return words(
    sources.length > 0 && `ct original ${ip} saddr ${setOf(sources)}`,
    `ct original ${ip} daddr ${setOf(destinations)}`,
    // The ports have no type without the protocol.
    `meta l4proto ${protocol}`,
    `ct original proto-dst ${destinationPort}`,
    sourcePorts !== undefined && `ct original proto-src ${rangeOf(sourcePorts)}`
  )
}

/**
 * Errors of ICMP about it: the message has the head of the packet, where we look for the port of the sender. Without
 * that port they could be about packets of others.
 */
export const refused = (selector: Selector): string | undefined => {
  const { family, sourcePorts } = selector
  if (sourcePorts === undefined) return undefined
  // The header of ICMP, then that of the packet.
  const [type, port] = family === 4
    ? ["icmp type { destination-unreachable, time-exceeded }", 8 + 20]
    : ["icmpv6 type { destination-unreachable, packet-too-big, time-exceeded }", 8 + 40]
  return `${type} @th,${port * 8},16 ${rangeOf(sourcePorts)}`
}
