/** Reads what `nft -a monitor trace` prints. */

/** A packet as a chain sees it. */
export interface Packet {
  readonly inLink: string | undefined
  readonly outLink: string | undefined
  readonly source: string
  readonly destination: string
  /** `tcp`, `udp`, `icmp`, …; empty if it is not shown. */
  readonly protocol: string
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
  /** The identification of an IPv4 packet. */
  readonly id: number | undefined
  readonly length: number | undefined
  /** The flags of TCP, or the type and the code of an ICMP message. */
  readonly kind: string
}

/** A chain. */
export interface Chain {
  readonly family: string
  readonly table: string
  readonly name: string
}

/** What a line says. */
export type Event =
  & {
    /** The identifier that the kernel gives to a packet. It is not unique, and changes on the way of a packet. */
    readonly traceId: string
    readonly chain: Chain
  }
  & (
    | { readonly _tag: "Packet"; readonly packet: Packet }
    | { readonly _tag: "Rule"; readonly text: string; readonly handle: number; readonly verdict: string }
    | { readonly _tag: "Policy"; readonly verdict: string }
  )

/** What nft prints in place of events that it was too slow to read. */
export const isLoss = (line: string): boolean => line.startsWith("# ERROR: We lost some netlink events")

const form = /^trace id (\S+) (\S+) (\S+) (\S+) (packet:|rule|unknown rule|policy) ?(.*)$/

const flags: { readonly [bits: number]: string } = { 1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg" }

/** The flags of TCP in words. nft prints some combinations as a number. */
const flagsOf = (text: string): string => {
  const bits = Number(text)
  return Number.isNaN(bits)
    ? text.split(/\s*\|\s*|,/).join(" ")
    : Object.entries(flags).filter(([bit]) => (bits & Number(bit)) !== 0).map(([, name]) => name).join(" ")
}

/** Reads the fields of a packet; undefined if it has no addresses of IP. */
export const packetOf = (text: string): Packet | undefined => {
  const value = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1]
  const number = (pattern: RegExp): number | undefined => {
    const found = value(pattern)
    return found === undefined ? undefined : Number(found)
  }
  const [source, destination] = [value(/\bip6? saddr (\S+)/), value(/\bip6? daddr (\S+)/)]
  if (source === undefined || destination === undefined) return undefined
  const [, transport = ""] = /\b(tcp|udp|udplite|sctp|dccp) [sd]port /.exec(text) ?? []
  const [, icmp = "", type = ""] = /\b(icmp|icmpv6) type (\S+)/.exec(text) ?? []
  const code = value(/\bicmp(?:v6)? code (\S+)/)
  const tcpFlags = value(/\btcp flags (?:== )?(\S+(?:\s*\|\s*\S+)*)/)
  return {
    inLink: value(/\biif "([^"]*)"/),
    outLink: value(/\boif "([^"]*)"/),
    source,
    destination,
    protocol: transport || icmp || (value(/\bip protocol (\S+)/) ?? value(/\bip6 nexthdr (\S+)/) ?? ""),
    sourcePort: number(/\b(?:tcp|udp|udplite|sctp|dccp) sport (\d+)/),
    destinationPort: number(/\b(?:tcp|udp|udplite|sctp|dccp) dport (\d+)/),
    id: number(/\bip id (\d+)/),
    length: number(/\bip6? length (\d+)/),
    kind: icmp !== "" ? [type, ...(code === undefined ? [] : [code])].join(" ") : flagsOf(tcpFlags ?? "")
  }
}

const ruleForm = /^(.*?) ?# handle (\d+) \(verdict ([^)]*)\)\s*$/

/** A rule that is younger than the monitor, which then knows only its handle. */
const unknownForm = /^handle (\d+) \(verdict ([^)]*)\)\s*$/

/** Reads a line. Returns undefined if the line is not about a traced packet. */
export const parse = (line: string): Event | undefined => {
  const [, traceId = "", family = "", table = "", name = "", sort, rest = ""] = form.exec(line) ?? []
  const base = { traceId, chain: { family, table, name } }
  switch (sort) {
    case "packet:": {
      const packet = packetOf(rest)
      return packet === undefined ? undefined : { ...base, _tag: "Packet", packet }
    }
    case "rule": {
      const [, text = "", handle, verdict = ""] = ruleForm.exec(rest) ?? []
      return handle === undefined
        ? undefined
        : { ...base, _tag: "Rule", text: text.trim(), handle: Number(handle), verdict }
    }
    case "unknown rule": {
      const [, handle, verdict = ""] = unknownForm.exec(rest) ?? []
      return handle === undefined ? undefined : { ...base, _tag: "Rule", text: "", handle: Number(handle), verdict }
    }
    case "policy":
      // The mark of the packet may follow.
      return { ...base, _tag: "Policy", verdict: rest.trim().split(" ")[0] ?? "" }
    default:
      return undefined
  }
}
