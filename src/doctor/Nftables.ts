/** What becomes of a packet in chains of nftables itself, as far as they can be understood. */
import * as Json from "../json/Json.ts"
import type { NftChain, Rules } from "./facts/Rules.ts"
import { both, deepest, inSubnet, isFrom, isLink, type Match, negated, type Packet } from "./Packet.ts"

/** What a verdict leads to: `next` is the rule after it. */
type Step = "accept" | "drop" | "return" | "next" | "unknown"

const families = { 4: ["ip", "inet"], 6: ["ip6", "inet"] } as const

/** Names of a family where rules ask for it. */
const familyOf: { readonly [name: string]: 4 | 6 } = { ip: 4, ipv4: 4, icmp: 4, ip6: 6, ipv6: 6, icmpv6: 6 }

/** Statements that neither ask nor end anything. */
const silent = new Set(["counter", "log", "mangle"])

/** Statements that may end the way of a packet, and are not understood. */
const obscure = new Set(["xt", "queue", "synproxy"])

const member = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, key) => Json.isObject(at) ? at[key] : undefined, value)

const values = (right: unknown): ReadonlyArray<unknown> => {
  const set = member(right, "set")
  return Array.isArray(set) ? set : Array.isArray(right) ? right : [right]
}

/** Whether a part of a packet is a value. One with `@` is the name of a set. */
const isValue = (part: unknown, value: unknown, packet: Packet): Match => {
  const text = Json.isObject(value)
    ? `${String(member(value, "prefix", "addr"))}/${String(member(value, "prefix", "len"))}`
    : value
  if (typeof text !== "string" || text.startsWith("@")) return "unknown"
  const key = member(part, "meta", "key")
  const field = member(part, "payload", "field")
  if (key === "iifname" || key === "oifname") return isLink(key === "iifname" ? packet.inLink : packet.outLink, text)
  if (key === "nfproto") return familyOf[text] === undefined ? "unknown" : familyOf[text] === packet.family
  if (member(part, "ct", "key") === "state") return text === packet.state.toLowerCase()
  if (field === "saddr" || field === "daddr") {
    return field === "saddr" ? isFrom(packet, text) : inSubnet(packet.destination, text)
  }
  return "unknown"
}

/** Whether a packet cannot have a part at all, so that no rule that asks for it is about the packet. */
const lacks = (part: unknown, { family }: Packet): boolean => {
  const protocol = familyOf[String(member(part, "payload", "protocol"))]
  return protocol !== undefined && protocol !== family
}

const isMatch = (match: unknown, packet: Packet): Match => {
  const left = member(match, "left")
  if (lacks(left, packet)) return false
  const all = new Set(values(member(match, "right")).map((value) => isValue(left, value, packet)))
  const found: Match = all.has(true) ? true : all.has("unknown") ? "unknown" : false
  const op = member(match, "op")
  return op === "==" || op === "in" ? found : op === "!=" ? negated(found) : "unknown"
}

/** The verdict of a map for a packet; `unknown` where that cannot be told, and undefined where it has none. */
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

/** Where a packet ends in a chain; undefined where it comes out at its end. */
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

/** The chains of nftables with this hook that a packet does not get through. */
export const dropping = ({ nft }: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  nft.filter((chain) =>
    chain.hook === hook && chain.type === "filter" &&
    (families[packet.family] as ReadonlyArray<string>).includes(chain.family) &&
    (inChain(nft, chain, packet, 0) ?? (chain.policy === "drop" ? "drop" : "accept")) === "drop"
  )

/** The same, where no rule decides and the policy of the chain drops. */
export const droppingByPolicy = (rules: Rules, hook: string, packet: Packet): ReadonlyArray<NftChain> =>
  dropping(rules, hook, packet).filter((chain) => inChain(rules.nft, chain, packet, 0) === undefined)

/** Whether a chain of nftables speaks of an address: where plugins put their rules with nftables. */
export const isNamed = ({ nft }: Rules, text: string): boolean =>
  nft.some(({ rules }) => JSON.stringify(rules).includes(JSON.stringify(text).slice(1, -1)))

/** Whether a rule of nftables may change where a packet comes from. */
export const mayMasquerade = ({ nft }: Rules, packet: Packet): boolean =>
  nft.filter(({ family }) => (families[packet.family] as ReadonlyArray<string>).includes(family)).some(({ rules }) =>
    rules.some((rule) =>
      rule.some((expression) => "masquerade" in expression || "snat" in expression) &&
      rule.every((expression) => !("match" in expression) || isMatch(expression["match"], packet) !== false)
    )
  )
