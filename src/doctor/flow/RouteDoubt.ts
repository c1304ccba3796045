/** Why routes of the host or of the container may not lead a flow, or its answers, where they should go. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { Facts, Host } from "../Facts.ts"
import * as Iptables from "../Iptables.ts"
import * as Routed from "../Routed.ts"
import * as Destinations from "./Destinations.ts"
import * as FilterWalk from "./FilterWalk.ts"
import type { Promised } from "./Flow.ts"
import * as RouteDecision from "./RouteDecision.ts"

const known = new WeakMap<Facts, ReadonlyArray<Routed.Routed>>()

/** The containers with a way out; found once for the same facts. */
const routedOf = (facts: Facts): ReadonlyArray<Routed.Routed> => {
  const routed = known.get(facts) ?? Routed.of(facts)
  known.set(facts, routed)
  return routed
}

/** A packet that the host routes, and the link that it should leave by: `local` for none, undefined for any. */
interface Step {
  readonly from: Cidr.Cidr | undefined
  readonly to: Cidr.Cidr | undefined
  /** `lo` for packets of the host itself. */
  readonly inLink: string
  readonly expected: string | undefined
}

/** A packet and its answer, between a link of a container and another link. */
const bothWays = (
  [from, fromLink]: readonly [Cidr.Cidr | undefined, string | undefined],
  [to, toLink]: readonly [Cidr.Cidr | undefined, string | undefined]
): ReadonlyArray<Step> =>
  fromLink === undefined || toLink === undefined ? [] : [
    { from, to, inLink: fromLink, expected: toLink },
    { from: to, to: from, inLink: toLink, expected: fromLink }
  ]

/** A packet of the host to a container, and its answer. */
const withHost = (host: Cidr.Cidr | undefined, [own, link]: readonly [Cidr.Cidr, string]): ReadonlyArray<Step> => [
  { from: host, to: own, inLink: "lo", expected: link },
  { from: own, to: host, inLink: link, expected: "local" }
]

const stepsOf = (
  facts: Facts,
  network: Namespace.Namespace,
  flow: Promised,
  one: Routed.Routed
): ReadonlyArray<Step> => {
  const { device } = one
  const { family, kind } = flow
  const own = [Cidr.single(one.address), device] as const
  const beyond = (peer: Cidr.Cidr | undefined, uplink: string | undefined) => bothWays(own, [peer, uplink])
  const ours = Namespace.addressOn(network, device, family)
  const others = routedOf(facts).filter(({ address, seen }) =>
    address.family === family && seen.attachment.netns !== flow.attachment.netns
  )
  const server = Cidr.parseAddress(flow.to)
  switch (kind) {
    case "world":
    case "port-world":
      return beyond(Routed.elsewhere[family], Destinations.uplinkOf(facts, one))
    case "name-server":
      return server === undefined ? [] : [
        { from: own[0], to: server, inLink: device, expected: undefined },
        ...beyond(server, Destinations.linkTo(facts, one, server))
      ]
    case "host-name-server":
      return withHost(server, own)
    case "port-host":
    case "port-loopback":
      return withHost(ours === undefined ? undefined : Cidr.single(ours), own)
    case "port-itself":
      return bothWays(own, own)
    case "port-container":
    case "routed-peer":
      return others.filter(({ seen }) => flow.peer === undefined || seen.attachment === flow.peer).slice(0, 1)
        .flatMap((other) => bothWays(own, [Cidr.single(other.address), other.device]))
    default:
      return []
  }
}

const problemOf = (policies: Host["policies"], network: Namespace.Namespace) =>
(
  { expected, from, inLink, to }: Step
): ReadonlyArray<string> => {
  if (from === undefined || to === undefined) return []
  // Rules for local addresses come before all others.
  if (expected === "local") {
    return Namespace.hasAddress(network, to)
      ? []
      : [`${Cidr.addressText(to)} is not of the host`]
  }
  const decision = RouteDecision.of(policies, network, { source: from, destination: to, inLink })
  const { devices = [], route } = decision ?? {}
  if (route?.type === "unicast" && (expected === undefined || devices.includes(expected))) return []
  const where = route === undefined ? "nowhere" : devices[0] === undefined ? `to ${route.type}` : `by ${devices[0]}`
  return [`the host may route what ${Cidr.addressText(from)} sends to ${Cidr.addressText(to)} ${where}`]
}

/** Whether rules may mark the packets of a flow, and the host routes by marks. */
const mayBeMarked = ({ policies, rules }: Host, { family, kind }: Promised, walks: ReadonlyArray<FilterWalk.Walk>) => {
  const isRoutedByMarks = policies.some((policy) => policy.isUnclear && policy.family === family)
  if (!isRoutedByMarks || Result.isFailure(rules)) return false
  const isOfHost = kind === "port-host" || kind === "port-loopback" || kind === "host-name-server"
  return isOfHost
    ? Iptables.areMarked(rules.success)
    : walks.some(({ flow }) =>
      FilterWalk.packetsAt(flow, "prerouting").some((packet) => Iptables.mayMark(rules.success, packet))
    )
}

/**
 * Why it is not certain that routes lead a flow and its answers as they should; undefined if they do. `walks` are those
 * of the flow.
 */
export const of = (facts: Facts, flow: Promised, walks: ReadonlyArray<FilterWalk.Walk>): string | undefined => {
  const { host } = facts
  if (host === undefined || Result.isFailure(host.network)) return undefined
  const network = host.network.success
  const one = routedOf(facts).find(({ address, seen }) =>
    seen.attachment === flow.attachment && address.family === flow.family
  )
  if (one === undefined) return undefined
  const steps = stepsOf(facts, network, flow, one)
  const problem = steps.flatMap(problemOf(host.policies, network))[0]
  if (problem !== undefined || !mayBeMarked(host, flow, walks)) return problem
  const ofMarked = host.policies.map((policy) => ({ ...policy, isUnclear: false }))
  return steps.flatMap(problemOf(ofMarked, network))[0] === undefined
    ? undefined
    : "rules may mark its packets, and `ip rule` routes by marks"
}

/** Routes on which packets are lost on purpose. */
const losing: ReadonlySet<string> = new Set(["blackhole", "unreachable", "prohibit"])

/** Why the routes in the container's own namespace may not lead a flow, or its answers, out of it. */
export const inside = ({ host }: Facts, flow: Promised): string | undefined => {
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
  return lost === undefined
    ? undefined
    : `the container has a route that loses packets: ${lost.type} ${Cidr.text(lost.to)}`
}
