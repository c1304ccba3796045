/** Whether the flows of attachments arrive, as far as the checks can tell from the facts. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as BridgeNetfilter from "../BridgeNetfilter.ts"
import * as Check from "../Check.ts"
import type { Facts } from "../Facts.ts"
import * as Roles from "../Roles.ts"
import * as FilterWalk from "./FilterWalk.ts"
import type { Promised } from "./Flow.ts"
import * as Flow from "./Flow.ts"
import * as PromisedFlows from "./PromisedFlows.ts"
import * as RouteDoubt from "./RouteDoubt.ts"
import * as RuleDoubt from "./RuleDoubt.ts"

/** Reduces the facts to what a flow depends on: its attachments, one address family, and at most one name server. */
const narrowed = (facts: Facts, { attachment, family, kind, peer, port, protocol, to }: Promised): Facts => {
  const isServer = kind === "name-server" || kind === "host-name-server"
  const isPort = kind.startsWith("port-")
  const isOfFamily = (text: string | undefined) => Cidr.parse(text ?? "")?.family === family
  const attachments = [attachment, ...(peer === undefined ? [] : [peer])].map((each) => ({
    ...each,
    probes: each.probes.filter(({ address }) => Cidr.parseAddress(address)?.family === family),
    portMappings: isPort && each === attachment
      ? each.portMappings.filter((one) => one.hostPort === port && one.protocol === protocol)
      : [],
    result: Result.map(each.result, (result) => ({
      ...result,
      ips: (result.ips ?? []).filter((ip) => isOfFamily(ip?.address)),
      routes: (result.routes ?? []).filter((route) => isOfFamily(route?.dst)),
      dns: { ...result.dns, nameservers: isServer ? [to] : [] }
    }))
  }))
  return { ...facts, attachments, earlier: [] }
}

/** Whether a flow has to pass hooks that are followed for it. */
const isFollowed = ({ host }: Facts, { family, kind }: Promised): boolean =>
  kind === "peer" ? BridgeNetfilter.isOn(host, family) : Flow.forwarded.includes(kind)

/** Whether the gateway of a flow was asked, and answered: that is the flow. */
const isAsked = ({ attachment, kind, to }: Promised): boolean =>
  kind === "gateway" && attachment.probes.some(({ address, hasAnswered }) => address === to && hasAnswered === true)

/** Checks of the host's routes to the world. A name server may be nearer. */
const ofWorldRoutes: ReadonlySet<string> = new Set(["way-out", "policy-rules"])

/** Why a flow is unknown although no check has findings about it. */
const limitOf = (facts: Facts, flow: Promised, walks: ReadonlyArray<FilterWalk.Walk>): string | undefined => {
  const { attachment, kind } = flow
  const { sight } = attachment
  if (sight._tag === "Unseen" || sight._tag === "Foreign") return sight.reason
  if (facts.host === undefined || Result.isFailure(facts.host.network)) return "the links of the host are not known"
  if (Result.isFailure(facts.host.rules) && kind !== "gateway") return facts.host.rules.failure
  if (kind === "world-large") {
    return facts.trial === undefined
      ? "not known without sending one: --trial"
      : "not known: only the trial sends packets"
  }
  if (kind === "gateway") return isAsked(flow) ? undefined : "it was not asked"
  if (!Roles.isRouted(facts.chain) && kind !== "peer") return "its gateway is not this host"
  const doubt = RouteDoubt.inside(facts, flow) ?? RouteDoubt.of(facts, flow, walks) ?? RuleDoubt.of(facts, flow, walks)
  if (doubt !== undefined) return doubt
  return walks.length > 0 || !isFollowed(facts, flow) ? undefined : "the rules on its way were not evaluated"
}

/** Whether a walk is that of a flow. */
const isOf = ({ attachment, family, kind, port, protocol, to }: Promised) => ({ flow }: FilterWalk.Walk): boolean =>
  flow.seen.attachment === attachment && flow.family === family && flow.partOf.includes(kind) &&
  (flow.server === undefined || flow.server === to) &&
  (flow.mapping === undefined || (flow.mapping.hostPort === port && flow.mapping.protocol === protocol))

/** Judges the flows of attachments that share a configuration. */
const ofGroup = (
  checks: ReadonlyArray<Check.Check>,
  facts: Facts,
  report: Check.Report
): ReadonlyArray<Flow.Flow> => {
  const isOk = new Set(
    report.checks.filter(({ leavesOpen, status }) => status !== "failed" && leavesOpen === undefined)
      .map(({ check }) => check)
  )
  // A check without findings for all attachments has none for any one of them.
  const left = checks.filter(({ id, stops }) => stops !== undefined && !isOk.has(id))
  const reports = new Map<string, Check.Report>()
  const reportOf = (flow: Promised): Check.Report => {
    const isOfPort = flow.kind.startsWith("port-")
    const key = [
      flow.attachment.file,
      flow.family,
      flow.peer?.file ?? "",
      isOfPort ? `${flow.port}/${flow.protocol}` : "",
      flow.kind.endsWith("name-server") ? flow.to : ""
    ].join(" ")
    const known = reports.get(key) ?? Check.examine(left, narrowed(facts, flow))
    reports.set(key, known)
    return known
  }
  const rules = facts.host === undefined ? undefined : Result.getOrUndefined(facts.host.rules)
  const walks = rules === undefined ? [] : FilterWalk.ofAll(facts, rules)
  return PromisedFlows.of(facts).map((flow): Flow.Flow => {
    const predicted = { ...flow, verified: isAsked(flow) }
    const { checks: outcomes, findings } = left.length === 0 ? { checks: [], findings: [] } : reportOf(flow)
    const own = walks.filter(isOf(flow))
    // In causal order: an early problem may explain a later one.
    const cause = left.filter(({ family = flow.family }) =>
      family === flow.family
    ).flatMap(({ id, stops = [] }) =>
      findings.filter((each) =>
        each.check === id && each.level !== "note" && (each.stops ?? stops).includes(flow.kind) &&
        !(flow.kind === "name-server" && ofWorldRoutes.has(id) && RouteDoubt.of(facts, flow, own) === undefined)
      )
    )[0]
    if (cause !== undefined) {
      return { ...predicted, status: "dropped", reason: cause.message, check: cause.check }
    }
    const walk = own.find(({ drops }) => drops.length > 0)
    const [drop] = walk?.drops ?? []
    if (walk !== undefined && drop !== undefined) {
      return { ...predicted, status: "dropped", reason: FilterWalk.reasonOf(walk, drop), check: "forward-rules" }
    }
    const uncertain = own.find((each) => each.open !== undefined)?.open
    const open = outcomes.find(({ leavesOpen = [] }) => leavesOpen.includes(flow.kind))
    const reason = open?.reason ?? uncertain ?? limitOf(facts, flow, own)
    return { ...predicted, status: reason === undefined ? "arrives" : "unknown", reason: reason ?? "" }
  })
}

/**
 * The flows of all attachments of a network, including those that were made with an earlier configuration. `report` is
 * the report on the whole network.
 */
export const of = (
  checks: ReadonlyArray<Check.Check>,
  facts: Facts,
  report: Check.Report
): ReadonlyArray<Flow.Flow> =>
  [facts, ...facts.earlier.map((earlier) => ({ ...facts, ...earlier }))]
    .flatMap((group) => ofGroup(checks, group, report))
