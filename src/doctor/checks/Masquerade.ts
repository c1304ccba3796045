/** Whether packets from containers get a source address that answers can return to, if `ipMasq` asks for it. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Ruleset } from "../../network/IptablesRule.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Destinations from "../flow/Destinations.ts"
import * as Flow from "../flow/Flow.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/** The effect of nat rules on a packet. */
type Outcome =
  | {
    readonly _tag: "Translated"
    readonly to: string | undefined
    readonly rule: string
    readonly backend: Ruleset["backend"] | undefined
  }
  | { readonly _tag: "Unclear" }
  | { readonly _tag: "Kept"; readonly rules: ReadonlyArray<string>; readonly fix: Fix.Fix | string | undefined }

const translates = new Set(["MASQUERADE", "SNAT"])

/** Targets that let a packet out unchanged, before a rule that would masquerade it. */
const exempts = new Set(["ACCEPT", "RETURN"])

/** A command that deletes a rule of iptables. */
const without = (
  rules: Rules,
  { backend, rule }: Iptables.Verdict & { readonly backend: Ruleset["backend"] },
  family: 4 | 6
) =>
  Fix.run("delete the rule that comes before", [
    IptablesLines.commandOf(family, backend),
    ...IptablesLines.undoing(rules.rulesets, "nat", rule)
  ])

/** Follows a packet through all rules of nat, in iptables and in nftables. */
const outcomeOf = (rules: Rules, packet: Packet): Outcome => {
  const verdicts = Iptables.inAll(rules, "nat", "POSTROUTING", packet)
  const done = verdicts.find(({ end, target }) => end === "accept" && translates.has(target))
  if (done !== undefined) return { _tag: "Translated", to: done.to, rule: done.rule, backend: done.backend }
  const nft = Nftables.translated(rules, "postrouting", packet)
  if (nft._tag === "Translated") {
    return { _tag: "Translated", to: nft.to, rule: "a rule of nftables", backend: undefined }
  }
  const isNamed = nft._tag === "None" && nft.chain === undefined && packet.source !== undefined &&
    Nftables.isNamed(rules, Cidr.addressText(packet.source))
  if (isNamed) return { _tag: "Translated", to: undefined, rule: "a rule of nftables", backend: undefined }
  if (nft._tag === "Unknown" || verdicts.some(({ end }) => end === "unknown")) return { _tag: "Unclear" }
  // Skip chains of plugins, because reattaching makes them again.
  const before = verdicts.find(({ rule, target }) => exempts.has(target) && !rule.startsWith("-A CNI-"))
  const { chain } = nft
  return {
    _tag: "Kept",
    rules: [
      ...(verdicts.length === 0 ? ["the table nat has no rules"] : verdicts.map(({ rule }) => rule)),
      ...(chain === undefined
        ? []
        : [`nftables: the chain ${chain.name} of the table ${chain.family} ${chain.table} accepts it before`])
    ],
    fix: before !== undefined
      ? without(rules, before, packet.family)
      : chain !== undefined
      ? `let the chain ${chain.name} skip the packets that need masquerading`
      : undefined
  }
}

/** Whether a rule exempts exactly this subnet, so that its hosts see the containers' own addresses. */
const isMeant = (rules: ReadonlyArray<string>, beside: Cidr.Cidr): boolean =>
  rules.some((rule) => {
    const words = rule.split(" ")
    const named = words.includes("-d") ? Cidr.parse(words[words.indexOf("-d") + 1] ?? "") : undefined
    return named !== undefined && Cidr.contains(beside, named)
  })

const ofOne = (
  facts: Facts,
  rules: Rules,
  { address, device, seen }: Routed.Routed,
  { beside, peer, uplink }: Destinations.Destination,
  plugin: string
): Found | "unclear" | undefined => {
  const { family } = address
  const to = Cidr.addressText(address)
  const packet = {
    family,
    source: Cidr.single(address),
    destination: Cidr.single(peer),
    isForHost: false,
    isFromHost: false,
    ...(Iptables.areMarked(rules) ? {} : { mark: 0 }),
    state: "NEW"
  } as const
  const where = beside === undefined ? "" : ` for ${Cidr.text(beside)}, the subnet of ${uplink}`
  const untracked = Iptables.untrackedBy(rules, "PREROUTING", { ...packet, inLink: device })
  const untrackedToo = Nftables.untrackedBy(rules, "prerouting", { ...packet, inLink: device })
  if (untracked !== undefined || untrackedToo !== undefined) {
    return beside !== undefined ? undefined : {
      level: "error",
      message:
        `${seen.title}: a rule keeps the kernel from tracking what ${to} sends, so no rule masquerades it, which ipMasq ` +
        "asks for: answers from outside do not come back",
      evidence: [untracked?.rule ?? `nftables: notrack in the chain ${untrackedToo?.name}`],
      fix: untracked === undefined
        ? "remove the rule with notrack"
        : Fix.run("delete the rule", [
          IptablesLines.commandOf(family, untracked.backend),
          ...IptablesLines.undoing(rules.rulesets, "raw", untracked.rule)
        ])
    }
  }
  const outcome = outcomeOf(rules, { ...packet, outLink: uplink })
  if (outcome._tag === "Unclear") return "unclear"
  if (outcome._tag === "Translated") {
    const source = Cidr.parseAddress(outcome.to ?? "")
    const isOurs = source === undefined ||
      (seen.outside !== undefined && Namespace.hasAddress(seen.outside, source))
    return isOurs || beside !== undefined ? undefined : {
      level: "error",
      message: `${seen.title}: what ${to} sends gets the source address ${outcome.to}, which the host does not have: ` +
        "answers from outside do not come back",
      evidence: [outcome.rule],
      fix: outcome.backend === undefined
        ? "correct the address of the rule, or remove it"
        : Fix.run("delete the rule", [
          IptablesLines.commandOf(family, outcome.backend),
          ...IptablesLines.undoing(rules.rulesets, "nat", outcome.rule)
        ])
    }
  }
  if (beside !== undefined && isMeant(outcome.rules, beside)) return undefined
  return {
    level: "error",
    ...(outcome.fix === undefined ? { plugin } : {}),
    message:
      `${seen.title}: no rule masquerades ${to}${where}, which ipMasq asks for: answers from outside do not come back`
        .replace("outside", beside === undefined ? "outside" : "there"),
    evidence: outcome.rules,
    fix: outcome.fix ?? Repair.reattach([seen.attachment], facts)
  }
}

export const masquerade: Check = {
  id: "masquerade",
  phase: "host",
  stops: Flow.outgoing,
  find: (facts) => {
    const routed = Routed.of(facts)
    const { chain, host } = facts
    const maker = Roles.makerOf(chain)
    if (host === undefined || maker?.config["ipMasq"] !== true) return { skipped: "no plugin is to masquerade" }
    if (routed.length === 0) return Routed.none
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    const unclear = new Set<string>()
    const found = routed.flatMap((one): ReadonlyArray<Found> => {
      const answers = Destinations.of(facts, one).map((each) => ofOne(facts, rules, one, each, maker.type))
      if (answers.includes("unclear")) unclear.add(Cidr.addressText(one.address))
      // A problem on the way to the world affects all destinations.
      return answers.filter((each) => each !== "unclear" && each !== undefined).slice(0, 1)
    })
    return found.length === 0 && unclear.size > 0
      ? {
        skipped: `rules that cannot be understood decide whether ${[...unclear].join(", ")} is masqueraded`,
        isUnknown: true
      }
      : found
  }
}
