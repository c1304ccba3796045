/** The rules, policies and chains that drop a forwarded flow on its way through the hooks of netfilter. */
import type { Ruleset } from "../../network/IptablesRule.ts"
import type { NftChain } from "../../network/NftablesRule.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as Netfilter from "../Netfilter.ts"
import * as Nftables from "../Nftables.ts"
import type { ForwardedFlow } from "./ForwardedFlows.ts"

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

/** Everything that drops a flow. */
export const of = (rules: Rules, flow: ForwardedFlow): ReadonlyArray<Drop> => {
  const isInside = flow.kind === "inside"
  const dropping = isInside ? Nftables.droppingByPolicy : Nftables.dropping // a rule isolates them on purpose
  return [
    ...chains.flatMap(([table, hook]) => {
      const chain = hook.toUpperCase()
      return Netfilter.inAll(rules, table, chain, flow.at[hook])
        .filter(({ end, rule }) => end === "drop" && !(isInside && separates(rule, flow)))
        .map((verdict): Drop => ({ _tag: "Iptables", key: `${table} ${verdict.rule}`, table, chain, verdict }))
    }),
    ...hooks.flatMap((hook) =>
      dropping(rules, hook, flow.at[hook]).map((chain): Drop => ({
        _tag: "Nftables",
        key: `${chain.family} ${chain.table} ${chain.name}`,
        hook,
        chain
      }))
    )
  ]
}
