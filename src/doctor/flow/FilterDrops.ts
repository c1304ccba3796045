/** The rules, policies and chains that drop a forwarded flow on its way through the hooks of netfilter. */
import type { Ruleset } from "../../network/IptablesRule.ts"
import type { NftChain } from "../../network/NftablesRule.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as Netfilter from "../Netfilter.ts"
import * as Nftables from "../Nftables.ts"
import type { ForwardedFlow } from "./ForwardedFlows.ts"
import * as ForwardedFlows from "./ForwardedFlows.ts"

/** What drops a flow. Flows that the same thing drops have the same `key`. */
export type Drop =
  | {
    readonly _tag: "Iptables"
    readonly key: string
    readonly table: string
    readonly chain: string
    readonly verdict: Netfilter.Verdict & Pick<Ruleset, "backend">
  }
  | {
    readonly _tag: "Nftables"
    readonly key: string
    readonly hook: typeof hooks[number]
    readonly chain: NftChain
  }

/** The chains that forwarded packets pass, in order. */
const chains = [
  ["raw", "prerouting"],
  ["mangle", "prerouting"],
  ["mangle", "forward"],
  ["filter", "forward"],
  ["security", "forward"],
  ["mangle", "postrouting"]
] as const
const hooks = ["prerouting", "forward", "postrouting"] as const

/**
 * Whether a rule names the links of both directions, and no port: it isolates containers on purpose. With ptp each
 * container has its own link, so a rule with one link in both directions isolates the container from itself.
 */
const separates = (rule: string, { seen }: ForwardedFlow): boolean => {
  const [incoming, outgoing] = [/ -i (\S+)/, / -o (\S+)/].map((pattern) => pattern.exec(rule)?.[1])
  return incoming !== undefined && outgoing !== undefined && !/ --dports? /.test(rule) &&
    !(seen.maker === "ptp" && incoming === outgoing)
}

export interface Walk {
  readonly flow: ForwardedFlow
  /** Everything that drops it. */
  readonly drops: ReadonlyArray<Drop>
  /** The first rule or chain that may drop the flow, but cannot be evaluated; undefined if there is none. */
  readonly open: string | undefined
}

/** Follows a flow through all hooks. */
const walk = (rules: Rules, flow: ForwardedFlow): Walk => {
  const isInside = flow.kind === "inside"
  const drops: Array<Drop> = []
  const open: Array<string> = []
  for (const [table, hook] of chains) {
    const chain = hook.toUpperCase()
    for (const verdict of Netfilter.inAll(rules, table, chain, flow.at[hook])) {
      const isApart = isInside && verdict.end === "drop" && separates(verdict.rule, flow)
      if (verdict.end === "unknown" || isApart) open.push(`${verdict.backend}: ${verdict.rule}`)
      else if (verdict.end === "drop") {
        drops.push({ _tag: "Iptables", key: `${table} ${verdict.rule}`, table, chain, verdict })
      }
    }
  }
  for (const hook of hooks) {
    const dropping = Nftables.dropping(rules, hook, flow.at[hook])
    // A rule between containers isolates them on purpose.
    const decided = isInside ? Nftables.droppingByPolicy(rules, hook, flow.at[hook]) : dropping
    const left = [
      ...Nftables.undecided(rules, hook, flow.at[hook]),
      ...dropping.filter((one) => !decided.includes(one))
    ]
    open.push(...left.map(Nftables.nameOf))
    drops.push(...decided.map((chain): Drop => ({
      _tag: "Nftables",
      key: `${chain.family} ${chain.table} ${chain.name}`,
      hook,
      chain
    })))
  }
  return { flow, drops, open: open[0] }
}

/** A common port of each protocol, for rules that treat ports differently. */
const usual = [["tcp", 443], ["udp", 53]] as const

/** What drops a flow, in words. */
const dropText = (drop: Drop): string => drop._tag === "Iptables" ? drop.verdict.rule : Nftables.nameOf(drop.chain)

/**
 * Follows a flow for all protocols at once if that is possible, and otherwise for TCP and for UDP. A rule that drops
 * only some ports leaves the flow undecided, because it may block these ports on purpose.
 */
export const of = (rules: Rules, flow: ForwardedFlow): ReadonlyArray<Walk> => {
  const all = walk(rules, flow)
  const isOpen = all.open !== undefined && all.drops.length === 0
  if (!isOpen || flow.at.forward.protocol !== undefined) return [all]
  return usual.map(([protocol, port]) => {
    const one = walk(rules, ForwardedFlows.withProtocol(flow, protocol))
    if (one.open === undefined || one.drops.length > 0) return one
    const { drops: [drop], open } = walk(rules, ForwardedFlows.withProtocol(flow, protocol, port))
    return { flow, drops: [], open: drop === undefined ? open : dropText(drop) }
  })
}
