/**
 * Whether rules of `ip rule` misdirect what containers send and receive, or leave the host itself without a way out.
 */
import * as Cidr from "../../network/Cidr.ts"
import type { PolicyRule } from "../../network/PolicyRule.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as RouteDecision from "../flow/RouteDecision.ts"
import * as Routed from "../Routed.ts"

/** A rule in the words of `ip rule`. */
const words = ({ action, from, inLink, priority, table, to }: PolicyRule): ReadonlyArray<string> => [
  "pref",
  String(priority),
  ...(from === undefined ? [] : ["from", Cidr.text(from)]),
  ...(to === undefined ? [] : ["to", Cidr.text(to)]),
  ...(inLink === undefined ? [] : ["iif", inLink]),
  ...(action === undefined ? ["lookup", table ?? ""] : [action])
]

/** Whether a rule concerns only one subnet, so that no other traffic needs it. */
const isOnlyOf = ({ from, to }: PolicyRule, subnet: Cidr.Cidr): boolean =>
  [from, to].some((each) => each !== undefined && Cidr.contains(subnet, each))

const deadEnds = new Set(["blackhole", "unreachable", "prohibit"])

/** Tables that all hosts have. The checks of routes report their problems. */
const usual = new Set(["local", "main", "default"])

export const policyRules: Check = {
  id: "policy-rules",
  phase: "host",
  stops: Flow.outgoing,
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    const found = new Map<string, Found>()
    for (const { address, device, seen } of routed) {
      const peer = Routed.elsewhere[address.family]
      if (peer === undefined || seen.outside === undefined) continue
      const own = Cidr.single(address)
      const subnet = seen.maker === "bridge" ? Cidr.network(address) : own
      const directions = [
        [`what ${seen.title} sends`, { source: own, destination: Cidr.single(peer), inLink: device }, undefined],
        [
          `answers to ${seen.title}`,
          { source: Cidr.single(peer), destination: own, inLink: Routed.uplinkOf(facts, address.family) },
          device
        ]
      ] as const
      for (const [what, packet, expected] of directions) {
        const decision = RouteDecision.of(host.policies, seen.outside, packet)
        if (decision === undefined) continue
        const { route, rule } = decision
        const isDead = deadEnds.has(route.type)
        const isAstray = expected !== undefined && route.type === "unicast" && route.device !== expected
        const isUsual = rule.action === undefined && usual.has(rule.table ?? "")
        // The kernel itself adds a dead end for IPv6 on a host without a way out.
        const isKernels = address.family === 6 && route.protocol === "kernel" && route.to !== undefined &&
          Cidr.isDefault(route.to)
        if (isUsual && isDead && expected === undefined && !isKernels && route.to !== undefined) {
          const place = `${route.type} ${Cidr.text(route.to)}`
          found.set(place, {
            level: "error",
            message: `${what} ends in ${route.type}: the host has no other route to where everybody is`,
            evidence: [`ip route: ${place}`],
            fix: Fix.run("delete the route", Fix.command("ip route del", route.type, Cidr.text(route.to)))
          })
          continue
        }
        const text = words(rule).join(" ")
        if (isUsual || (!isDead && !isAstray) || found.has(text)) continue
        found.set(text, {
          level: "error",
          message: isDead
            ? `${what} ${expected === undefined ? "ends" : "end"} in ${route.type}: a rule of the host sends it there`
            : `${what} go to ${route.device}, expected ${expected}: a rule of the host sends them there`,
          evidence: [`ip rule: ${text}`],
          fix: isOnlyOf(rule, subnet)
            ? Fix.run("delete the rule", Fix.command(`ip -${address.family} rule del`, ...words(rule)))
            : rule.priority < 2
            ? "move the rule to a higher number, and put one before it that looks up the table main for the network"
            : Fix.run(
              "add a rule before it that exempts the network; other traffic may need the old rule",
              Fix.command(
                `ip -${address.family} rule add pref`,
                String(rule.priority - 1),
                expected === undefined ? "from" : "to",
                Cidr.text(subnet),
                "lookup",
                "main"
              )
            )
        })
      }
    }
    return [...found.values()]
  }
}
