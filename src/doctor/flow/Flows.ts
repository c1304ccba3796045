/** Whether the flows of attachments arrive, as far as the checks can tell from the facts. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import * as BridgeNetfilter from "../BridgeNetfilter.ts"
import * as Check from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Attachment } from "../facts/Attachment.ts"
import * as Iptables from "../Iptables.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"
import * as FilterWalk from "./FilterWalk.ts"
import type { Promised } from "./Flow.ts"
import * as Flow from "./Flow.ts"
import * as PromisedFlows from "./PromisedFlows.ts"
import * as RouteDoubt from "./RouteDoubt.ts"

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

/** Routes on which packets are lost on purpose. */
const losing: ReadonlySet<string> = new Set(["blackhole", "unreachable", "prohibit"])

/** Why routes in the container's own namespace may not let a flow through. */
const insideDoubt = ({ host }: Facts, flow: Promised): string | undefined => {
  const { attachment: { sight }, family, kind, to } = flow
  if (sight._tag !== "There" || kind === "gateway") return undefined
  const { answers, routes } = sight.network
  const peer = Routed.elsewhere[family]
  const isBeyond = kind === "world" || kind === "port-world"
  const isReached = answers.some(({ device, to }) =>
    device !== undefined && peer !== undefined && to === Cidr.addressText(peer)
  )
  if (isBeyond && !isReached) return `the container may have no route to ${flow.to}`
  const target = isBeyond ? peer : Cidr.parseAddress(to)
  const ofHost = host !== undefined && Result.isSuccess(host.network)
    ? host.network.success.links.flatMap(({ addresses }) => addresses)
    : []
  const targets: ReadonlyArray<Cidr.Cidr> = target === undefined ? ofHost : [target]
  const lost = routes.find((route) =>
    losing.has(route.type) && route.to.length > 0 && targets.some((each) => Cidr.contains(route.to, each))
  )
  if (lost !== undefined) return `the container has a route that loses packets: ${lost.type} ${Cidr.text(lost.to)}`
  return undefined
}

/** A port that clients send from. */
const ephemeral = 50_000

/** Why rules in the namespaces at the ends of a flow may not let it through. */
const rulesDoubt = ({ attachments }: Facts, flow: Promised): string | undefined => {
  const { attachment, family, kind, peer, port, protocol, to } = flow
  const others = attachments.filter(({ netns }) => netns !== attachment.netns)
  const far = kind === "world" ? Routed.elsewhere[family] : kind === "name-server" ? Cidr.parseAddress(to) : undefined
  const base = { family, protocol } as const
  const portOf = (value: number | undefined) => value === undefined ? {} : { port: value }
  const mapping = attachment.portMappings.find((each) => each.hostPort === port && each.protocol === protocol)
  const isServer = kind.startsWith("port-")
  const passes = ({ filter, ifname }: Attachment, isServing: boolean, servedAt: number | undefined): boolean => {
    const [asked, answered] = [portOf(servedAt), portOf(servedAt === undefined ? undefined : ephemeral)]
    const [sent, received] = isServing ? [answered, asked] : [asked, answered]
    const out = { ...base, ...sent, ...(far === undefined ? {} : { destination: far }), outLink: ifname } as const
    const back = { ...base, ...received, ...(far === undefined ? {} : { source: far }), inLink: ifname } as const
    const packets: ReadonlyArray<readonly [chain: string, packet: Packet]> = [
      ["OUTPUT", { ...out, state: isServing ? "ESTABLISHED" : "NEW" }],
      ["OUTPUT", { ...out, state: "ESTABLISHED" }],
      ["INPUT", { ...back, state: isServing ? "NEW" : "ESTABLISHED" }],
      ["INPUT", { ...back, state: "ESTABLISHED" }]
    ]
    return packets.every(([chain, packet]) =>
      Iptables.inAll({ rulesets: filter, nft: [] }, "filter", chain, packet).every(({ end }) => end === "accept")
    )
  }
  const ends = kind === "port-container" ? others : peer === undefined ? [] : [peer]
  const open = !passes(attachment, isServer, isServer ? mapping?.containerPort : port)
    ? attachment
    : ends.find((each) => !passes(each, !isServer, isServer ? port : undefined))
  return open === undefined ? undefined : `rules in ${open.netns} may drop it`
}

/** The address by which the host reaches a port that is published on all of its addresses. */
const ownAddress = ({ host }: Facts, { family, to }: Promised): Cidr.Cidr | undefined => {
  const given = Cidr.parseAddress(to)
  if (given !== undefined || host === undefined || Result.isFailure(host.network)) return given
  const { links, routes } = host.network.success
  const uplink = routes.find((route) => Cidr.isDefault(route.to) && route.to.family === family)?.device
  const address = links.find(({ name }) => name === uplink)?.addresses.find((each) =>
    each.family === family && !Cidr.isLinkLocal(each)
  )
  return address === undefined ? undefined : Cidr.single(address)
}

/** Whether the rules of nat may not lead what comes for a published port to its container. */
const natDoubt = (facts: Facts, promised: Promised, walks: ReadonlyArray<FilterWalk.Walk>) => {
  const { attachment, family, kind, port, protocol } = promised
  const rules = facts.host === undefined ? undefined : Result.getOrUndefined(facts.host.rules)
  const leaving = walks.find(({ flow }) => flow.at.postrouting?.state === "NEW")?.flow.at.postrouting
  const hasMasquerade = rules?.rulesets.some(({ tables }) => tables.get("nat")?.has("CNI-HOSTPORT-MASQ") === true)
  if (kind === "port-itself" && rules !== undefined && leaving !== undefined && hasMasquerade === true) {
    const isMasqueraded = Iptables.inAll(rules, "nat", "POSTROUTING", leaving).some(({ end, target }) =>
      end === "unknown" || target === "MASQUERADE" || target === "SNAT"
    )
    if (!isMasqueraded) return "it may not be masqueraded, and a container does not answer its own address"
  }
  const isOfHost = kind === "port-host" || kind === "port-loopback"
  if (rules !== undefined && isOfHost) {
    const at = kind === "port-loopback" ? Cidr.parseAddress("127.0.0.1") : ownAddress(facts, promised)
    const packet: Packet = {
      family,
      protocol,
      ...(port === undefined ? {} : { port }),
      ...(at === undefined ? {} : { source: at, destination: at }),
      isFromHost: true,
      isForHost: true,
      outLink: "lo",
      state: "NEW"
    }
    // Chains after nat see the address of the container.
    const own = AttachedContainer.of({ ...facts, attachments: [attachment] }).flatMap(AttachedContainer.addressesOf)
      .find((each) => each.family === family)
    const mapping = attachment.portMappings.find((each) => each.hostPort === port && each.protocol === protocol)
    const after = own === undefined || mapping === undefined
      ? packet
      : { ...packet, destination: Cidr.single(own), port: mapping.containerPort, isForHost: false, isMapped: true }
    const isOpen = [packet, after].some((each) =>
      Nftables.dropping(rules, "output", each).length > 0 || Nftables.undecided(rules, "output", each).length > 0 ||
      Iptables.inAll(rules, "filter", "OUTPUT", each).some(({ end }) => end === "unknown")
    )
    if (isOpen) return "rules of OUTPUT may drop it"
    const verdicts = Iptables.inAll(rules, "nat", "OUTPUT", packet)
    const isLed = verdicts.some(({ target }) => target === "DNAT")
    return verdicts.length === 0 || isLed ? undefined : "rules of nat may not lead it to the container"
  }
  const packet = walks.find(({ flow }) => flow.at.prerouting?.isForHost === true && flow.mapping !== undefined)?.flow.at
    .prerouting
  if (rules === undefined || packet?.state !== "NEW") return undefined
  const isLed = Iptables.inAll(rules, "nat", "PREROUTING", packet).some(({ end, target }) =>
    end === "unknown" || target === "DNAT"
  )
  const isNamed = AttachedContainer.of({ ...facts, attachments: [attachment] }).some((seen) =>
    AttachedContainer.addressesOf(seen).some((address) => Nftables.isNamed(rules, Cidr.addressText(address)))
  )
  return isLed || isNamed ? undefined : "rules of nat may not lead it to the container"
}

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
  const doubt = insideDoubt(facts, flow) ?? rulesDoubt(facts, flow) ?? RouteDoubt.of(facts, flow, walks) ??
    natDoubt(facts, flow, walks)
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
