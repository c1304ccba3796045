/** How chains of nftables treat a packet, as far as we can interpret them. */
import * as Json from "../json/Json.ts"
import type { NftChain } from "../network/NftablesRuleset.ts"
import type { Rules } from "../network/PacketFilter.ts"
import { both, deepest, inRange, inSubnet, isFrom, isLink, type Match, negated, type Packet } from "./Packet.ts"

/** What a verdict leads to. `next`: the rule after it. */
type Step = "accept" | "drop" | "return" | "next" | "unknown"

const families = { 4: ["ip", "inet"], 6: ["ip6", "inet"] } as const

/** Families by the names that rules use. */
const familyOf: { readonly [name: string]: 4 | 6 } = { ip: 4, ipv4: 4, icmp: 4, ip6: 6, ipv6: 6, icmpv6: 6 }

/** Statements that neither test nor end anything. */
const silent = new Set(["counter", "log", "mangle"])

/** Statements that may end a packet's traversal and that we cannot interpret. */
const obscure = new Set(["xt", "queue", "synproxy"])

const member = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, key) => Json.isObject(at) ? at[key] : undefined, value)

const values = (right: unknown): ReadonlyArray<unknown> => {
  const set = member(right, "set")
  return Array.isArray(set) ? set : Array.isArray(right) ? right : [right]
}

/** Names of protocols, and of ICMP messages with their types. */
const protocols: { readonly [name: string]: string } = { "icmpv6": "ipv6-icmp", "ipv6-icmp": "ipv6-icmp" }
const messages: { readonly [name: string]: number } = {
  "destination-unreachable": 3,
  "packet-too-big": 2,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "frag-needed": 4
}

/**
 * The type of a named ICMP message. Some names have different types in the two families. -1: not one that matters here.
 */
const typeOf = (text: string, family: 4 | 6): number =>
  text === "destination-unreachable" && family === 6 ? 1 : messages[text] ?? -1

const between = (value: number | undefined, from: unknown, to: unknown): Match =>
  value === undefined || typeof from !== "number" || typeof to !== "number" ? "unknown" : value >= from && value <= to

/** Whether a part of a packet is in a range. */
const isInRange = (part: unknown, [from, to]: ReadonlyArray<unknown>, packet: Packet): Match => {
  const field = member(part, "payload", "field")
  if (field === "dport") return between(packet.port, from, to)
  if (field !== "saddr" && field !== "daddr") return "unknown"
  return inRange(field === "saddr" ? packet.source : packet.destination, String(from), String(to))
}

/** Whether a part of a packet is a number: a port, a mark, or the type or code of a message. */
const isNumber = (part: unknown, value: number, packet: Packet): Match => {
  const field = member(part, "payload", "field")
  if (member(part, "meta", "key") === "mark") return packet.mark === undefined ? "unknown" : packet.mark === value
  if (field === "dport") return between(packet.port, value, value)
  if (field === "type" || field === "code") {
    return packet.icmp === undefined ? "unknown" : packet.icmp[field] === value
  }
  return "unknown"
}

/** Whether a part of a packet has a value. A value with `@` names a set, whose contents are unknown. */
const isValue = (part: unknown, value: unknown, packet: Packet): Match => {
  const range = member(value, "range")
  if (Array.isArray(range)) return isInRange(part, range, packet)
  if (typeof value === "number") return isNumber(part, value, packet)
  const text = member(value, "prefix") === undefined
    ? value
    : `${String(member(value, "prefix", "addr"))}/${String(member(value, "prefix", "len"))}`
  if (typeof text !== "string" || text.startsWith("@")) return "unknown"
  const key = member(part, "meta", "key")
  const field = member(part, "payload", "field")
  const isProtocol = key === "l4proto" || field === "protocol" || field === "nexthdr"
  if (isProtocol) return packet.protocol === undefined ? "unknown" : packet.protocol === (protocols[text] ?? text)
  if (key === "iifname" || key === "iif") return isLink(packet.inLink, text)
  if (key === "oifname" || key === "oif") return isLink(packet.outLink, text)
  if (key === "nfproto") return familyOf[text] === undefined ? "unknown" : familyOf[text] === packet.family
  if (key === "pkttype") return text === "host" ? "unknown" : false
  const tracked = member(part, "ct", "key")
  if (tracked === "state") return text === packet.state.toLowerCase()
  if (tracked === "status") return text === "dnat" ? packet.isMapped === true : "unknown"
  if (member(part, "fib", "result") === "type") {
    const flags = values(member(part, "fib", "flags"))
    return text !== "local" || flags.length !== 1
      ? "unknown"
      : (flags[0] === "daddr" ? packet.isForHost : packet.isFromHost) ?? "unknown"
  }
  if (field === "type" || field === "code") {
    if (member(part, "payload", "protocol") === "ether") {
      return text === "ip"
        ? packet.family === 4
        : text === "ip6"
        ? packet.family === 6
        : false
    }
    return packet.icmp === undefined
      ? "unknown"
      : packet.icmp[field] === (field === "type" ? typeOf(text, packet.family) : messages[text])
  }
  if (member(part, "payload", "protocol") === "ether" && field === "saddr") {
    return packet.mac === undefined ? "unknown" : packet.mac.toLowerCase() === text.toLowerCase()
  }
  if (field === "saddr" || field === "daddr") {
    return field === "saddr" ? isFrom(packet, text) : inSubnet(packet.destination, text)
  }
  return "unknown"
}

/** Protocols whose header fields no packet of another protocol has. */
const transports: ReadonlySet<unknown> = new Set(["tcp", "udp", "sctp", "dccp", "icmp", "icmpv6"])

/** Whether a packet cannot have a part at all, so that a rule that tests it cannot match. */
const lacks = (part: unknown, { family, protocol }: Packet): boolean => {
  const asked = member(part, "payload", "protocol")
  if (asked === "arp") return true
  const needed = familyOf[String(asked)]
  const isOther = protocol !== undefined && transports.has(asked) &&
    (protocols[String(asked)] ?? asked) !== protocol
  return isOther || (needed !== undefined && needed !== family)
}

/** Whether a rule tests a transport protocol while that of the packet is unknown. */
const isOpen = (part: unknown, { protocol }: Packet): boolean =>
  protocol === undefined && transports.has(member(part, "payload", "protocol"))

const isMatch = (match: unknown, packet: Packet): Match => {
  const left = member(match, "left")
  if (lacks(left, packet)) return false
  if (isOpen(left, packet)) return "unknown"
  const all = new Set(values(member(match, "right")).map((value) => isValue(left, value, packet)))
  const found: Match = all.has(true) ? true : all.has("unknown") ? "unknown" : false
  const op = member(match, "op")
  return op === "==" || op === "in" ? found : op === "!=" ? negated(found) : "unknown"
}

/** The verdict of a map for a packet. `unknown`: we cannot tell. Undefined: the map has none. */
const mapped = (map: unknown, packet: Packet): Json.JsonObject | "unknown" | undefined => {
  const key = member(map, "key")
  if (lacks(key, packet)) return undefined
  const entries = values(member(map, "data"))
  for (const entry of entries) {
    const [value, verdict] = Array.isArray(entry) ? entry : []
    const match = isValue(key, value, packet)
    if (match === false) continue
    return match === true && Json.isObject(verdict) ? verdict : "unknown"
  }
  return undefined
}

const stepOf = (
  chains: ReadonlyArray<NftChain>,
  chain: NftChain,
  verdict: Json.JsonObject,
  packet: Packet,
  depth: number
): Step | undefined => {
  if ("accept" in verdict) return "accept"
  if ("drop" in verdict || "reject" in verdict) return "drop"
  if ("return" in verdict) return "return"
  if ("continue" in verdict) return "next"
  if ("vmap" in verdict) {
    const found = mapped(verdict["vmap"], packet)
    return found === undefined || found === "unknown"
      ? found ?? "next"
      : stepOf(chains, chain, found, packet, depth) ?? "unknown"
  }
  if (!("jump" in verdict) && !("goto" in verdict)) return undefined
  const name = member(verdict["jump"] ?? verdict["goto"], "target")
  const target = chains.find((each) => each.family === chain.family && each.table === chain.table && each.name === name)
  return target === undefined
    ? "unknown"
    : inChain(chains, target, packet, depth + 1) ?? ("goto" in verdict ? "return" : "next")
}

/** Where a packet ends in a chain; undefined if it reaches the end of the chain. */
const inChain = (
  chains: ReadonlyArray<NftChain>,
  chain: NftChain,
  packet: Packet,
  depth: number
): "accept" | "drop" | "unknown" | undefined => {
  let isUncertain = false
  for (const expressions of depth > deepest ? [] : chain.rules) {
    let match: Match = true
    for (const expression of expressions) {
      if ("match" in expression) match = both(match, isMatch(expression["match"], packet))
      if (match === false) break
      const step = stepOf(chains, chain, expression, packet, depth)
      if (step === "next") break
      if (step !== undefined) {
        isUncertain ||= match === "unknown" || step === "unknown"
        if (isUncertain) break
        return step === "return" ? undefined : step as "accept" | "drop"
      }
      if (Object.keys(expression).some((name) => obscure.has(name))) isUncertain = true
      else if (!Object.keys(expression).some((name) => name === "match" || silent.has(name))) match = "unknown"
    }
  }
  return isUncertain ? "unknown" : undefined
}

/** The chain of nftables that decides about a packet, and how. */
export interface Decision {
  readonly chain: NftChain
  readonly end: "accept" | "drop" | "unknown"
}

const familiesOf = ({ family }: Packet): ReadonlyArray<string> => families[family]

/** A chain in words. */
export const nameOf = ({ family, name, table }: NftChain): string =>
  `the chain ${name} of the nftables table ${family} ${table}`

/** The command that makes a chain accept what matches, before its other rules see it. */
export const accepting = (
  { family, name, table }: NftChain,
  ...match: ReadonlyArray<string>
): readonly [string, ...Array<string>] => ["nft", "insert", "rule", family, table, name, ...match, "accept"]

/** The priority at which the kernel looks for the connection of a packet. Source: linux, `nf_ip_hook_priorities`. */
const tracking = -200

/** A packet as a chain sees it: before that priority, no state is known. */
const seenBy = ({ hook, priority }: NftChain, packet: Packet): Packet =>
  (hook === "prerouting" || hook === "output") && priority < tracking ? { ...packet, state: "INVALID" } : packet

/** Where a packet ends in each chain of a hook. */
const decisions = ({ nft }: Rules, hook: string, packet: Packet, of = familiesOf(packet)): ReadonlyArray<Decision> =>
  nft.filter((chain) => chain.hook === hook && chain.type === "filter" && of.includes(chain.family)).map((chain) => ({
    chain,
    end: inChain(nft, chain, seenBy(chain, packet), 0) ?? (chain.policy === "drop" ? "drop" : "accept")
  }))

/** The chains of nftables with this hook that drop a packet. */
export const dropping = (rules: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  decisions(rules, hook, packet).filter(({ end }) => end === "drop").map(({ chain }) => chain)

/** The nftables chains of this hook that may drop a packet, but cannot be evaluated. */
export const undecided = (rules: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  decisions(rules, hook, packet).filter(({ end }) => end === "unknown").map(({ chain }) => chain)

/** The chains of the family bridge that drop a frame. */
export const droppingFrames = (rules: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  decisions(rules, hook, packet, ["bridge"]).filter(({ end }) => end === "drop").map(({ chain }) => chain)

/** The chains at the ingress of a link that drop a packet. */
export const droppingAtIngress = (rules: Rules, device: string, packet: Packet): ReadonlyArray<NftChain> =>
  decisions(rules, "ingress", packet, ["netdev", "inet"]).filter(({ chain, end }) =>
    end === "drop" && chain.device === device
  ).map(({ chain }) => chain)

/** Like {@link dropping}, but only the chains that drop by policy because no rule decides. */
export const droppingByPolicy = (rules: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  dropping(rules, hook, packet).filter((chain) => inChain(rules.nft, chain, packet, 0) === undefined)

/** What chains of nat do to a packet. `unknown`: we cannot interpret the rule that decides. */
export type Translation =
  | { readonly _tag: "None"; readonly chain: NftChain | undefined }
  | { readonly _tag: "Translated"; readonly to: string | undefined; readonly port: number | undefined }
  | { readonly _tag: "Unknown" }

/** Statements of nat. */
const translations = ["masquerade", "snat", "dnat", "redirect"] as const

/**
 * What a chain of nat does to a packet: a statement of nat, a verdict without one, or undefined at the end of the
 * chain.
 */
const translationIn = (
  chains: ReadonlyArray<NftChain>,
  chain: NftChain,
  packet: Packet,
  depth: number
): Translation | undefined => {
  for (const expressions of depth > deepest ? [] : chain.rules) {
    let match: Match = true
    for (const expression of expressions) {
      if ("match" in expression) match = both(match, isMatch(expression["match"], packet))
      if (match === false) break
      const statement = translations.find((name) => name in expression)
      if (statement !== undefined) {
        const [to, port] = ["addr", "port"].map((name) => member(expression[statement], name))
        return match !== true ? { _tag: "Unknown" } : {
          _tag: "Translated",
          to: typeof to === "string" ? to : undefined,
          port: typeof port === "number" ? port : undefined
        }
      }
      const verdict = "vmap" in expression ? mapped(expression["vmap"], packet) : expression
      if (verdict === "unknown") return { _tag: "Unknown" }
      if (verdict === undefined) break
      if ("accept" in verdict || "drop" in verdict || "return" in verdict) {
        if (match !== true) return { _tag: "Unknown" }
        return "return" in verdict && depth > 0 ? undefined : { _tag: "None", chain }
      }
      const name = member(verdict["jump"] ?? verdict["goto"], "target")
      if (name === undefined) {
        if (Object.keys(expression).some((each) => obscure.has(each))) return { _tag: "Unknown" }
        continue
      }
      const target = chains.find((each) =>
        each.family === chain.family && each.table === chain.table && each.name === name
      )
      const found = target === undefined
        ? { _tag: "Unknown" } as const
        : translationIn(chains, target, packet, depth + 1)
      if (found !== undefined) return match === true ? found : { _tag: "Unknown" }
      if ("goto" in verdict) return undefined
    }
  }
  return undefined
}

/** What the chains of nat with a hook do to a packet. The first that translates it decides. */
export const translated = ({ nft }: Rules, hook: string, packet: Packet): Translation => {
  let exempting: NftChain | undefined
  const chains = nft.filter((chain) =>
    chain.hook === hook && chain.type === "nat" && familiesOf(packet).includes(chain.family)
  ).toSorted((left, right) => left.priority - right.priority)
  for (const chain of chains) {
    const found = translationIn(nft, chain, packet, 0)
    if (found !== undefined && found._tag !== "None") return found
    exempting ??= found?.chain
  }
  return { _tag: "None", chain: exempting }
}

/** Statements after which the rules below may not see the packet any more. */
const leaving = ["accept", "drop", "reject", "queue", "return", "jump", "goto", "vmap"]

/** Whether the rules of a chain, in their order, certainly keep the kernel from tracking a packet. */
const isUntracked = ({ rules }: NftChain, packet: Packet): boolean => {
  for (const expressions of rules) {
    const matches = new Set(expressions.flatMap((each) => "match" in each ? [isMatch(each["match"], packet)] : []))
    if (matches.has(false)) continue
    if (expressions.some((each) => "notrack" in each) && !matches.has("unknown")) return true
    if (expressions.some((each) => leaving.some((name) => name in each))) return false
  }
  return false
}

/** The chain whose rule keeps the kernel from tracking a packet. */
export const untrackedBy = ({ nft }: Rules, hook: string, packet: Packet): NftChain | undefined =>
  nft.find((chain) =>
    chain.hook === hook && chain.priority < -200 && familiesOf(packet).includes(chain.family) &&
    isUntracked(chain, packet)
  )

/** Whether a chain of nftables mentions an address, as rules do that plugins make with nftables. */
export const isNamed = ({ nft }: Rules, text: string): boolean =>
  nft.some(({ rules }) => JSON.stringify(rules).includes(JSON.stringify(text).slice(1, -1)))
