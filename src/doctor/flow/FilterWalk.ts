/** Follows flows through the hooks of netfilter: which rules, policies and chains drop them. */
import type { Ruleset } from "../../network/IptablesRule.ts"
import type { NftChain } from "../../network/NftablesRuleset.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import type { Facts } from "../Facts.ts"
import * as Iptables from "../Iptables.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Routed from "../Routed.ts"
import type { ForwardedFlow } from "./ForwardedFlows.ts"
import * as ForwardedFlows from "./ForwardedFlows.ts"

/** What drops a flow. Flows that the same thing drops have the same `key`. */
export type Drop =
  | {
    readonly _tag: "Iptables"
    readonly key: string
    readonly table: string
    readonly chain: string
    readonly verdict: Iptables.Verdict & Pick<Ruleset, "backend">
  }
  | {
    readonly _tag: "Nftables"
    readonly key: string
    readonly hook: typeof ForwardedFlows.hooks[number]
    readonly chain: NftChain
  }

/** The chains that packets pass, in order. */
const chains = [
  ["raw", "prerouting"],
  ["mangle", "prerouting"],
  ["mangle", "input"],
  ["filter", "input"],
  ["security", "input"],
  ["mangle", "forward"],
  ["filter", "forward"],
  ["security", "forward"],
  ["raw", "output"],
  ["mangle", "output"],
  ["filter", "output"],
  ["security", "output"],
  ["mangle", "postrouting"]
] as const

/**
 * Whether a rule names the links of both directions, and no port: it isolates containers on purpose. With ptp each
 * container has its own link, so a rule with one link in both directions isolates the container from itself.
 */
const separates = (rule: string, { seen }: ForwardedFlow): boolean => {
  const [incoming, outgoing] = [/ -i (\S+)/, / -o (\S+)/].map((pattern) => pattern.exec(rule)?.[1])
  return incoming !== undefined && outgoing !== undefined && !/ --dports? /.test(rule) &&
    !(seen.maker === "ptp" && incoming === outgoing)
}

/** What happens to a flow on its way. */
export interface Walk {
  readonly flow: ForwardedFlow
  /** Everything that drops it. */
  readonly drops: ReadonlyArray<Drop>
  /**
   * Why it is open whether the flow is lost: the first rule or chain that may drop it, but cannot be evaluated, or that
   * may keep containers apart on purpose; undefined if there is none.
   */
  readonly open: string | undefined
  /** Whether rules treat other ports of the protocol differently. */
  readonly isOfPort?: boolean
}

const unevaluated = (what: string): string => `it depends on a rule that cannot be evaluated: ${what}`
const apart = (what: string): string => `a rule drops it, perhaps to keep containers apart on purpose: ${what}`

/** A packet of a flow at a hook, and those that follow it on a connection of TCP. */
export const packetsAt = (
  { at, kind, mapping, server }: ForwardedFlow,
  hook: keyof ForwardedFlow["at"]
): ReadonlyArray<Packet> => {
  const packet = at[hook]
  if (packet === undefined) return []
  const isConnection = packet.state === "NEW" &&
    (packet.protocol === "tcp" || (packet.protocol === undefined && kind === "world" && server === undefined))
  if (!isConnection) return [packet]
  return [packet, { ...packet, state: "ESTABLISHED", ...(mapping === undefined ? {} : { isMapped: true }) }]
}

/** Follows a flow through all hooks. */
const walk = (rules: Rules, flow: ForwardedFlow): Walk => {
  const isInside = flow.kind === "inside"
  const drops: Array<Drop> = []
  const open: Array<string> = []
  for (const [table, hook] of chains) {
    const chain = hook.toUpperCase()
    const packets = packetsAt(flow, hook).map((packet): Packet =>
      table === "raw" ? { ...packet, state: "INVALID" } : packet
    )
    for (const verdict of packets.flatMap((packet) => Iptables.inAll(rules, table, chain, packet))) {
      const isApart = isInside && verdict.end === "drop" && separates(verdict.rule, flow)
      const rule = `${verdict.backend}: ${verdict.rule}`
      if (verdict.end === "unknown") open.push(unevaluated(rule))
      else if (isApart) open.push(apart(rule))
      else if (verdict.end === "drop") {
        drops.push({ _tag: "Iptables", key: `${table} ${verdict.rule}`, table, chain, verdict })
      }
    }
  }
  for (const hook of ForwardedFlows.hooks) {
    const packets = packetsAt(flow, hook)
    const dropping = packets.flatMap((packet) => Nftables.dropping(rules, hook, packet))
    // A rule between containers isolates them on purpose.
    const decided = isInside ? packets.flatMap((packet) => Nftables.droppingByPolicy(rules, hook, packet)) : dropping
    open.push(
      ...packets.flatMap((packet) => Nftables.undecided(rules, hook, packet))
        .map((chain) => unevaluated(Nftables.nameOf(chain))),
      ...dropping.filter((one) => !decided.includes(one)).map((chain) => apart(Nftables.nameOf(chain)))
    )
    drops.push(...decided.map((chain): Drop => ({
      _tag: "Nftables",
      key: `${chain.family} ${chain.table} ${chain.name}`,
      hook,
      chain
    })))
  }
  return { flow, drops, open: open[0] }
}

/** What drops a flow, in words. */
const dropText = (drop: Drop): string => drop._tag === "Iptables" ? drop.verdict.rule : Nftables.nameOf(drop.chain)

/** The protocols of traffic beyond the host, each with a common port if it is sent to one. */
const common = {
  world: [["tcp", 443], ["udp", undefined]],
  server: [["udp", 53]]
} as const

/**
 * Follows a flow for all protocols at once if that is possible. Otherwise, follows a flow to the world for TCP and for
 * UDP, one to a name server for UDP, at their common ports if rules treat ports differently, and a flow between
 * containers for ICMP.
 */
export const of = (rules: Rules, flow: ForwardedFlow): ReadonlyArray<Walk> => {
  const all = walk(rules, flow)
  const isOpen = all.open !== undefined && all.drops.length === 0
  if (!isOpen || flow.at.forward === undefined || flow.at.forward.protocol !== undefined) return [all]
  if (flow.kind === "inside") {
    return [walk(rules, ForwardedFlows.withProtocol(flow, flow.family === 4 ? "icmp" : "ipv6-icmp"))]
  }
  const isWorld = flow.server === undefined
  return common[isWorld ? "world" : "server"].flatMap(([protocol, port]) => {
    // The flows to the world are those of TCP.
    const own = { ...flow, partOf: isWorld && protocol === "udp" ? [] : flow.partOf }
    const one = walk(rules, ForwardedFlows.withProtocol(own, protocol))
    if (one.open === undefined || one.drops.length > 0) return [one]
    if (port === undefined) return []
    return [{ ...walk(rules, ForwardedFlows.withProtocol(own, protocol, port)), isOfPort: true }]
  })
}

const known = new WeakMap<Facts, ReadonlyArray<Walk>>()

/** Follows all flows of the attachments that have a way out through the host; only once for the same facts. */
export const ofAll = (facts: Facts, rules: Rules): ReadonlyArray<Walk> => {
  const walks = known.get(facts) ?? ForwardedFlows.of(facts, Routed.of(facts)).flatMap((flow) => of(rules, flow))
  known.set(facts, walks)
  return walks
}

/** Why a flow is dropped, in words. */
export const reasonOf = ({ flow }: Walk, drop: Drop): string => `${flow.what} dropped by ${dropText(drop)}`
