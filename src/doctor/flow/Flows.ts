/** Whether the flows of attachments arrive, as far as the checks can tell from the facts. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Check from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Finding } from "../Finding.ts"
import * as Roles from "../Roles.ts"
import type { Flow, Promised } from "./Flow.ts"
import * as PromisedFlows from "./PromisedFlows.ts"

/** Reduces the facts to what a flow depends on: its attachments, one address family, and at most one name server. */
const narrowed = (facts: Facts, { attachment, family, kind, peer, port, protocol, to }: Promised): Facts => {
  const isServer = kind === "name-server" || kind === "host-name-server"
  const isPort = kind.startsWith("port-")
  const isOfFamily = (text: string | undefined) => Cidr.parse(text ?? "")?.family === family
  const others = kind === "port-container" ? facts.attachments.filter((each) => each !== attachment).slice(0, 1) : []
  const attachments = [attachment, ...(peer === undefined ? [] : [peer]), ...others].map((each) => ({
    ...each,
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

/** Why a flow is unknown although no check has findings about it. */
const limitOf = (facts: Facts, { attachment, kind }: Promised): string | undefined => {
  const { sight } = attachment
  if (sight._tag === "Unseen" || sight._tag === "Foreign") return sight.reason
  if (facts.host === undefined || Result.isFailure(facts.host.network)) return "the links of the host are not known"
  if (kind === "world-large") return "not known without sending one"
  if (kind === "gateway") {
    return attachment.probes.some(({ hasAnswered }) => hasAnswered === true) ? undefined : "it was not asked"
  }
  return Roles.isRouted(facts.chain) || kind === "peer" || kind.startsWith("port-")
    ? undefined
    : "its gateway is not this host"
}

/** Judges the flows of attachments that share a configuration. */
const ofGroup = (
  checks: ReadonlyArray<Check.Check>,
  facts: Facts,
  report: Check.Report
): ReadonlyArray<Flow> => {
  const isOk = new Set(
    report.checks.filter(({ leavesOpen, status }) => status !== "failed" && leavesOpen === undefined)
      .map(({ check }) => check)
  )
  // A check without findings for all attachments has none for any one of them.
  const left = checks.filter(({ id, stops }) => stops !== undefined && !isOk.has(id))
  const stopsOf = new Map(left.map(({ id, stops = [] }) => [id, stops]))
  const reports = new Map<string, Check.Report>()
  const reportOf = (flow: Promised): Check.Report => {
    const isOfPort = flow.kind.startsWith("port-")
    const key = [
      flow.attachment.file,
      flow.family,
      flow.peer?.file ?? "",
      isOfPort ? `${flow.port}/${flow.protocol}${flow.kind === "port-container" ? "+" : ""}` : "",
      flow.kind.endsWith("name-server") ? flow.to : ""
    ].join(" ")
    const known = reports.get(key) ?? Check.examine(left, narrowed(facts, flow))
    reports.set(key, known)
    return known
  }
  return PromisedFlows.of(facts).map((flow): Flow => {
    const { checks: outcomes, findings } = left.length === 0 ? { checks: [], findings: [] } : reportOf(flow)
    const isStopped = ({ check, level, stops = stopsOf.get(check) ?? [] }: Finding) =>
      level !== "note" && stops.includes(flow.kind)
    // In causal order: an early problem may explain a later one.
    const cause = left.flatMap(({ id }) => findings.filter(({ check }) => check === id)).find(isStopped)
    if (cause !== undefined) return { ...flow, status: "dropped", reason: cause.message, check: cause.check }
    const open = outcomes.find(({ leavesOpen = [] }) => leavesOpen.includes(flow.kind))
    const reason = open?.reason ?? limitOf(facts, flow)
    return { ...flow, status: reason === undefined ? "arrives" : "unknown", reason: reason ?? "" }
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
): ReadonlyArray<Flow> =>
  [facts, ...facts.earlier.map((earlier) => ({ ...facts, ...earlier }))]
    .flatMap((group) => ofGroup(checks, { ...group, earlier: [] }, report))
