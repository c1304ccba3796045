/** The traffic of living attachments that does not arrive, as doctor judges it. */
import * as Result from "effect/Result"
import * as Check from "../doctor/Check.ts"
import { answerRoutes } from "../doctor/checks/AnswerRoutes.ts"
import { bridgeFrames } from "../doctor/checks/BridgeFrames.ts"
import * as ContainerSide from "../doctor/checks/ContainerSide.ts"
import * as Filters from "../doctor/checks/Filters.ts"
import * as Forwarding from "../doctor/checks/Forwarding.ts"
import * as HostSide from "../doctor/checks/HostSide.ts"
import * as Masquerade from "../doctor/checks/Masquerade.ts"
import { policyRules } from "../doctor/checks/PolicyRouting.ts"
import * as Ports from "../doctor/checks/Ports.ts"
import { publishedPorts } from "../doctor/checks/PublishedPorts.ts"
import { arrivalsFiltered, wayOut } from "../doctor/checks/WayOut.ts"
import type { Facts } from "../doctor/Facts.ts"
import type { Attachment } from "../doctor/facts/Attachment.ts"
import * as FilterDrops from "../doctor/flow/FilterDrops.ts"
import * as ForwardedFlows from "../doctor/flow/ForwardedFlows.ts"
import * as Nftables from "../doctor/Nftables.ts"
import * as Routed from "../doctor/Routed.ts"
import type * as Event from "./Event.ts"

/** Checks whose problems stop everything that an attachment sends and receives, in causal order. */
const ofAll: ReadonlyArray<Check.Check> = [
  ContainerSide.link,
  ContainerSide.linkUp,
  HostSide.bridge,
  HostSide.hostEnd,
  ContainerSide.addresses,
  ContainerSide.routes,
  answerRoutes,
  HostSide.gatewayAddress,
  HostSide.wayBack,
  bridgeFrames,
  HostSide.gatewayAnswers,
  Filters.insideRules
]

/** Checks of the way to the world and back. */
const ofWorld: ReadonlyArray<Check.Check> = [
  Forwarding.ipForward,
  policyRules,
  wayOut,
  Forwarding.reversePath,
  arrivalsFiltered,
  Masquerade.masquerade
]

/** Checks of a published port. */
const ofPort: ReadonlyArray<Check.Check> = [Ports.portMappings, publishedPorts]

/** Checks of queries for names. */
const ofNames: ReadonlyArray<Check.Check> = [Filters.inputRules]

const portText = ({ hostPort, protocol }: Attachment["portMappings"][number]): string => `port ${hostPort}/${protocol}`

const flowOf = (
  { containerId, ifname, network, pod }: Attachment,
  flow: string,
  check: string,
  reason: string
): Event.Flow => ({
  network,
  containerId,
  ifname,
  ...(pod === undefined ? {} : { pod }),
  flow,
  check,
  reason
})

/** Identifies a flow of an attachment. */
export const keyOf = ({ containerId, flow, ifname, network }: Event.Flow): string =>
  JSON.stringify([network, containerId, ifname, flow])

/** Identifies the attachment of a flow. */
export const attachmentKeyOf = ({ containerId, ifname, network }: Event.Flow | Attachment): string =>
  JSON.stringify([network, containerId, ifname])

/** A warning is about a part of the traffic, except for names: all queries go to the name server that it is about. */
const problemsOf = (checks: ReadonlyArray<Check.Check>, facts: Facts) =>
  Check.examine(checks, facts).findings.filter(({ level }) =>
    level === "error" || (checks === ofNames && level === "warning")
  )

/** What one attachment loses by anything but rules for forwarded traffic. */
const ofAttachment = (facts: Facts, attachment: Attachment): ReadonlyArray<Event.Flow> => {
  const alone = { ...facts, attachments: [attachment], earlier: [] }
  const lost = (flow: string, checks: ReadonlyArray<Check.Check>, facts: Facts) =>
    problemsOf(checks, facts).map(({ check, message }) => flowOf(attachment, flow, check, message))
  const all = lost("all traffic", ofAll, alone)
  if (all.length > 0) return all
  return [
    ...lost("the world", ofWorld, alone),
    ...lost("names", ofNames, alone),
    ...attachment.portMappings.flatMap((mapping) =>
      lost(portText(mapping), ofPort, { ...alone, attachments: [{ ...attachment, portMappings: [mapping] }] })
    )
  ]
}

/** The flow in a person's words. */
const nameOf = ({ kind, mapping }: ForwardedFlows.ForwardedFlow): string =>
  mapping === undefined
    ? kind === "world" ? "the world" : "other containers"
    : kind === "published"
    ? portText(mapping)
    : `${portText(mapping)} from containers`

const dropText = (drop: FilterDrops.Drop): string =>
  drop._tag === "Nftables"
    ? `dropped by ${Nftables.nameOf(drop.chain)}`
    : drop.verdict.rule.startsWith("-P")
    ? `dropped by the policy of ${drop.chain}`
    : `dropped by ${drop.verdict.rule}`

/** What attachments lose by rules for forwarded traffic. */
const ofFilters = (facts: Facts): ReadonlyArray<Event.Flow> => {
  const { host } = facts
  if (host === undefined || Result.isFailure(host.rules)) return []
  const rules = host.rules.success
  return ForwardedFlows.of(facts, Routed.of(facts)).flatMap((flow) =>
    FilterDrops.of(rules, flow).flatMap(({ drops }) => drops).map((drop) =>
      flowOf(flow.seen.attachment, nameOf(flow), "forward-rules", `${flow.what} ${dropText(drop)}`)
    )
  )
}

/** The lost flows of these networks, by their keys. Each has its first reason. */
export const of = (all: ReadonlyArray<Facts>): ReadonlyMap<string, Event.Flow> => {
  const groups = all.flatMap((facts) => [facts, ...facts.earlier.map((earlier) => ({ ...facts, ...earlier }))])
  const found = groups.flatMap((facts) => [
    ...facts.attachments.flatMap((attachment) => ofAttachment(facts, attachment)),
    ...ofFilters(facts)
  ])
  return new Map(found.toReversed().map((flow) => [keyOf(flow), flow]))
}
