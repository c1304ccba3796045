/** Whether the host's rules let through what containers send and receive, and lead the answers back. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Ruleset } from "../../network/IptablesRule.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import * as BridgeNetfilter from "../BridgeNetfilter.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as FilterWalk from "../flow/FilterWalk.ts"
import type * as ForwardedFlows from "../flow/ForwardedFlows.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/** Whether another backend has rules too. Then one more rule in this one would make things worse. */
const isUsedBeside = ({ rulesets }: Rules, backend: Ruleset["backend"]): boolean =>
  rulesets.some((other) =>
    other.backend !== backend &&
    [...other.tables.values()].some((chains) => [...chains.values()].some(({ rules }) => rules.length > 0))
  )

/** Whether a rule of iptables concerns only one network, so that no other traffic needs it. */
const isOnlyOf = (rule: string, { device, seen }: ForwardedFlows.ForwardedFlow): boolean => {
  const words = rule.split(" ")
  const valueOf = (option: string) => words[words.indexOf(option) + 1] ?? ""
  const isOfDevice = ["-i", "-o"].some((option) => words.includes(option) && valueOf(option) === device)
  const subnets = AttachedContainer.addressesOf(seen).map(Cidr.network)
  return isOfDevice || ["-s", "-d"].some((option) => {
    const named = words.includes(option) ? Cidr.parse(valueOf(option)) : undefined
    return named !== undefined && subnets.some((subnet) => Cidr.contains(subnet, named))
  })
}

/** Accepts a flow before the rules of a chain. */
const letThrough = (
  { accepted }: ForwardedFlows.ForwardedFlow,
  program: string,
  chain: string,
  remark: string
): Fix.Fix =>
  Fix.run(
    `let the traffic of the network through${remark}`,
    ...accepted.map((matches) => Fix.command(`${program} -I ${chain}`, ...matches, "-j", "ACCEPT"))
  )

/** The finding for a rule, or a chain's policy, that drops a flow. */
const dropped = (
  facts: Facts,
  rules: Rules,
  flow: ForwardedFlows.ForwardedFlow,
  { backend, chain, rule, table }: {
    readonly backend: Ruleset["backend"]
    readonly chain: string
    readonly rule: string
    readonly table: string
  }
): Found => {
  const { chain: plugins, host } = facts
  const { family, kind, seen, what } = flow
  const program = IptablesLines.commandOf(family, backend)
  const isPolicy = rule.startsWith("-P")
  // The rules of the plugin firewall are in FORWARD of filter. They accept no new connections.
  const isOfFilter = table === "filter"
  const firewall = isPolicy && isOfFilter && kind === "world" ? Roles.ofType(plugins, "firewall") : undefined
  const { outLink = "" } = flow.at.forward ?? {}
  const uplinks = Routed.uplinksOf(facts, family)
  const isOfOtherUplink = kind === "world" && outLink !== flow.device && uplinks.length > 0 &&
    !uplinks.includes(outLink)
  const isBridged = BridgeNetfilter.isOn(host, 4) && seen.maker === "bridge"
  return {
    level: "error",
    ...(firewall === undefined ? {} : { plugin: firewall.type }),
    message: `${what} dropped by ${isPolicy ? "the policy" : "a rule"} of ${chain}${
      isOfFilter ? "" : ` in the table ${table}`
    }${firewall === undefined ? "" : ": the rules of the plugin firewall are not there"}`,
    evidence: [
      `${family === 4 ? "iptables" : "ip6tables"} (${backend}): ${rule}`,
      ...(isOfOtherUplink ? [`the way out: ${outLink}, which \`ip rule\` chooses`] : []),
      ...(isBridged
        ? ["bridge-nf-call-iptables is 1: packets between containers of the bridge meet these rules too"]
        : [])
    ],
    fix: !isPolicy && (chain !== "FORWARD" || isOnlyOf(rule, flow))
      ? Fix.run("delete the rule", [program, ...IptablesLines.undoing(rules.rulesets, table, rule)])
      : !isPolicy
      ? letThrough(flow, `${program} -t ${table}`, chain, "; other traffic may need the rule")
      : !isOfFilter || isUsedBeside(rules, backend)
      ? Fix.run("let it through", Fix.command(`${program} -t ${table} -P ${chain} ACCEPT`))
      : firewall !== undefined
      ? Repair.reattach([seen.attachment], facts)
      : letThrough(
        flow,
        program,
        chain,
        chain === "FORWARD" ? ", or add { \"type\": \"firewall\" } to the chain" : ""
      )
  }
}

export const forwardRules: Check = {
  id: "forward-rules",
  phase: "host",
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    const walks = FilterWalk.ofAll(facts, rules)
    const found = new Map<string, Found>()
    for (const { drops, flow, isOfPort = false } of walks) {
      const isInside = flow.kind === "inside"
      // A rule for one port may be meant, and the host itself may not need its containers.
      const level = isOfPort || flow.kind === "host" ? "warning" : "error"
      for (const drop of drops) {
        if (found.has(drop.key)) continue
        if (drop._tag === "Iptables") {
          const place = { ...drop.verdict, table: drop.table, chain: drop.chain }
          found.set(drop.key, { ...dropped(facts, rules, flow, place), level })
          continue
        }
        const { chain, hook } = drop
        found.set(drop.key, {
          level,
          message: `${flow.what} dropped by ${Nftables.nameOf(chain)}`,
          evidence: [`hook ${hook}, policy ${chain.policy ?? "accept"}, ${chain.rules.length} rules`],
          fix: Fix.run(
            "let the traffic of the network through",
            ...(isInside && hook === "forward"
              ? [Nftables.accepting(chain, "iifname", flow.device, "oifname", flow.device)]
              : [
                ...(hook === "postrouting" || hook === "output"
                  ? []
                  : [Nftables.accepting(chain, "iifname", flow.device)]),
                ...(hook === "prerouting" || hook === "input"
                  ? []
                  : [Nftables.accepting(chain, "oifname", flow.device)])
              ])
          )
        })
      }
    }
    const open = walks.find((walk) => walk.open !== undefined)?.open
    return found.size === 0 && open !== undefined
      ? { skipped: open, isUnknown: true }
      : [...found.values()]
  }
}
