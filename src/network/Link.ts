/** Links: reads `ip -j -d addr`, and writes and reads lines such as `veth0 veth up mtu 1500 master cni0`. */
import { hasFlag, type Item, member, optional, pair, pairs, text, texts, those, words } from "./Iproute2.ts"
import { attributesOf, type Described, firstWords, type Reader, said, wordsOf } from "./Line.ts"
import * as LinkAddress from "./LinkAddress.ts"

/** How a bridge treats one of its ports. */
export interface Port {
  /** Whether frames may leave through the port that they arrived on. */
  readonly isHairpin: boolean
  /** Whether it exchanges no frames with other isolated ports. */
  readonly isIsolated: boolean
  /** Whether it accepts only frames from MAC addresses that the bridge knows on this port. */
  readonly isLocked: boolean
}

/** A link. */
export interface Link {
  readonly index: number
  /**
   * The index of the other end of a pair, or of the underlying link, if that is in another namespace. It is valid
   * there.
   */
  readonly peer: number | undefined
  /** The name of the other end of a pair, or of the underlying link, if that is in the same namespace. */
  readonly peerHere: string | undefined
  readonly name: string
  readonly isUp: boolean
  /** Whether it resolves neighbours and answers them, by ARP or neighbour discovery. */
  readonly hasArp: boolean
  /** Whether it has a carrier: the other end is up too. */
  readonly hasCarrier: boolean
  readonly state: string
  readonly mtu: number
  readonly mac: string
  /** The bridge that it is a port of. */
  readonly master: string | undefined
  /** `veth`, `bridge`, `macvlan`, …; empty for a device. */
  readonly kind: string
  /**
   * Where a tunnel (VXLAN, Geneve) receives packets: its UDP port, family and underlying link; undefined for other
   * links.
   */
  readonly tunnel: { readonly port: number; readonly family: 4 | 6; readonly below: string | undefined } | undefined
  /** Its state as a port of a bridge: `forwarding`, `disabled`, …. */
  readonly portState: string | undefined
  /** How a bridge treats it as a port, apart from its state; undefined if it is not a port. */
  readonly port: Port | undefined
  /** Whether a bridge passes its frames to iptables and ip6tables, regardless of the host's sysctls. */
  readonly filters: { readonly 4: boolean; readonly 6: boolean }
  /** The queueing discipline at its root, such as `noqueue` or `tbf`. */
  readonly queue: string
  /** Whether an eBPF program filters incoming packets (XDP). */
  readonly hasXdp: boolean
  readonly addresses: ReadonlyArray<LinkAddress.LinkAddress>
}

const infoOf = (link: Item, name: string): unknown => member(link["linkinfo"], `info_${name}`)

/** Whether a link is of one of these kinds. */
export const isOfKind = (link: Item, kinds: RegExp): boolean => kinds.test(String(infoOf(link, "kind")))

export const nameOf = (link: Item): string => String(link["ifname"])

/** Whether a link is a bridge that filters VLANs. */
export const filtersVlans = (link: Item): boolean => member(infoOf(link, "data"), "vlan_filtering") === 1

const tunnelOf = (link: Item): Link["tunnel"] => {
  const data = infoOf(link, "data")
  const port = member(data, "port")
  const kind = infoOf(link, "kind")
  const family = ["local6", "remote6", "group6"].some((name) => member(data, name) !== undefined) ? 6 : 4
  return (kind === "vxlan" || kind === "geneve") && typeof port === "number" && port > 0
    ? { port, family, below: optional(member(data, "link")) }
    : undefined
}

const portOf = (link: Item): Port | undefined => {
  const has = (name: string) => member(infoOf(link, "slave_data"), name) === true
  return infoOf(link, "slave_kind") === "bridge"
    ? { isHairpin: has("hairpin"), isIsolated: has("isolated"), isLocked: has("locked") }
    : undefined
}

/** Reads a link with its addresses. */
export const parse = (link: Item): Link => {
  const flags = texts(link["flags"])
  return {
    index: Number(link["ifindex"]),
    peer: typeof link["link_index"] === "number" ? link["link_index"] : undefined,
    peerHere: optional(link["link"]),
    name: text(link["ifname"]),
    isUp: flags.includes("UP"),
    hasArp: !flags.includes("NOARP"),
    hasCarrier: flags.includes("LOWER_UP"),
    state: text(link["operstate"]),
    mtu: Number(link["mtu"]),
    mac: text(link["address"]),
    master: optional(link["master"]),
    kind: text(infoOf(link, "kind")),
    tunnel: tunnelOf(link),
    portState: optional(member(infoOf(link, "slave_data"), "state")),
    port: portOf(link),
    filters: {
      4: member(infoOf(link, "data"), "nf_call_iptables") === 1,
      6: member(infoOf(link, "data"), "nf_call_ip6tables") === 1
    },
    queue: text(link["qdisc"]),
    hasXdp: link["xdp"] !== undefined,
    addresses: LinkAddress.parse(link)
  }
}

/** Flags of a bridge's port that are usually off, and those that are usually on. */
const portFlags = { true: "hairpin isolated guard neigh_suppress", false: "learning flood mcast_flood" }

/** The line of a link. */
export const line = (link: Item): string => {
  const port = infoOf(link, "slave_data")
  const type = String(infoOf(link, "kind") ?? link["link_type"])
  const differing = (value: boolean) => those(portFlags[`${value}`], (name) => member(port, name) === value)
  return words(
    nameOf(link),
    type,
    hasFlag(link)("UP") ? "up" : "down",
    pairs(link, "mtu"),
    pair("qlen", link["txqlen"], 1000),
    type !== "loopback" && pair("mac", link["address"]),
    type !== "veth" && pairs(link, "link"),
    pairs(link, "master"),
    pairs(infoOf(link, "data"), "type mode id local remote group port table vlan_filtering stp_state"),
    differing(true).replace(/\w+/g, "$& on"),
    differing(false).replace(/\w+/g, "$& off"),
    those("NOARP ALLMULTI PROMISC", hasFlag(link)).toLowerCase(),
    // The kernel assigns these queueing disciplines by itself when a link comes up.
    pairs(link, "qdisc").replace(/^qdisc (?:noop|noqueue|mq|pfifo_fast|fq_codel|fq)$/, ""),
    pair("alias", link["ifalias"] && JSON.stringify(link["ifalias"]))
  )
}

const describe = (line: string): Described => {
  const [name = "", type = "", state = "", ...rest] = wordsOf(line)
  return {
    name: `link ${name}`,
    says: new Map([["type", type], ["state", state], ...attributesOf(rest, "noarp allmulti promisc")])
  }
}

/** Whether to mention an attribute of a link that came or went: not one that every link has, or that is random. */
const isTold = (name: string, value: string): boolean =>
  name !== "mac" && name !== "qlen" && !(name === "mtu" && (value === "1500" || value === "65536"))

export const reader: Reader = {
  identity: (line) => firstWords(line, 1),
  link: (line) => wordsOf(line)[0],
  describe,
  words: (line) => {
    const { name, says } = describe(line)
    const { state = "", type = "" } = Object.fromEntries(says)
    const rest = new Map([...says].filter(([name, value]) => isTold(name, value)).slice(2))
    return `${name} (${[type, state, ...said(rest)].filter((word) => word !== "").join(", ")})`
  }
}
