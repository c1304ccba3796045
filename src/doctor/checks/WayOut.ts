/** Whether the host itself has a way to the world for what containers send. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Link } from "../../network/Link.ts"
import type { Namespace } from "../../network/Namespace.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as RouteDecision from "../flow/RouteDecision.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/** Whether the world can answer to an address. */
const isGlobal = ({ address, family }: Cidr.Cidr): boolean =>
  family === 4 ? address >> 24n !== 127n && address >> 16n !== 0xa9fen : address >> 125n === 1n

/** The host's links to containers. */
const linksOfContainers = (facts: Facts): ReadonlySet<string> =>
  new Set(AttachedContainer.of(facts).flatMap(({ hostEnd }) => hostEnd ?? []).concat(Roles.bridgeOf(facts.chain) ?? []))

/**
 * Whether a bridge has a port that leads elsewhere than to containers: the host's own network may be on the bridge that
 * containers use.
 */
const leadsOut = ({ links }: Namespace, { name }: Link, ours: ReadonlySet<string>): boolean =>
  links.some((link) => link.master === name && link.kind !== "veth" && !ours.has(link.name))

/**
 * Whether a link may lead to other hosts. A bridge of another network of containers does not, and neither does a link
 * that only holds addresses.
 */
const mayLeadOut = (network: Namespace, link: Link, ours: ReadonlySet<string>): boolean =>
  link.name !== "lo" && link.kind !== "dummy" && (link.kind !== "bridge" || leadsOut(network, link, ours))

/** Whether a link takes no more routes from routers: one that forwards does so only if `accept_ra` is 2. */
const ignoresRouters = ({ host }: Facts, link: string): boolean =>
  host?.sysctls.get(`net.ipv6.conf.${link}.accept_ra`) === "1" &&
  host.sysctls.get("net.ipv6.conf.all.forwarding") === "1"

const acceptingRouters = (link: string): Fix.Fix =>
  Fix.sysctl(
    "let it take routes although the host forwards; the next message of a router brings one",
    `net.ipv6.conf.${link}.accept_ra`,
    2
  )

/** The finding for a route out that a router sent, and that nothing will renew. */
const expiring = (facts: Facts, uplink: Link, { route }: RouteDecision.Decision): ReadonlyArray<Found> =>
  route.protocol !== "ra" || !ignoresRouters(facts, uplink.name) ? [] : [{
    level: "warning",
    stops: [],
    message:
      `the default route of IPv6 over ${uplink.name} came from a router and will expire: ${uplink.name} takes no more ` +
      "routes from routers, as accept_ra is 1 and the host forwards",
    evidence: [`net.ipv6.conf.${uplink.name}.accept_ra = 1, expected 2`],
    fix: acceptingRouters(uplink.name)
  }]

/** The finding for a host without any route. */
const withoutRoute = (
  facts: Facts,
  network: Namespace,
  family: 4 | 6,
  title: string
): ReadonlyArray<Found> => {
  const ours = linksOfContainers(facts)
  const others = network.links.filter((link) => !ours.has(link.name) && mayLeadOut(network, link, ours))
  const addressed = others.find(({ addresses }) => addresses.some((each) => each.family === family && isGlobal(each)))
  // Hosts without IPv6, or without any link to other hosts, may well have such networks.
  if (Roles.makerOf(facts.chain)?.config["ipMasq"] !== true || addressed === undefined) return []
  const down = others.find(({ isUp, kind, master }) => !isUp && master === undefined && kind !== "bridge")
  const isForgotten = family === 6 && ignoresRouters(facts, addressed.name)
  return [{
    level: "warning",
    message: `${title}: it has a default route of IPv${family}, and ipMasq is set, but the host has no route out` + (
      isForgotten
        ? `: ${addressed.name} takes no routes from routers, as accept_ra is 1 and the host forwards`
        : down === undefined
        ? ""
        : `: ${down.name} is down`
    ),
    evidence: [
      `the host has no default route of IPv${family}`,
      `${addressed.name} has ${
        addressed.addresses.filter((each) => each.family === family).map(({ text }) => text).join(", ")
      }`,
      ...(isForgotten ? [`net.ipv6.conf.${addressed.name}.accept_ra = 1, expected 2`] : [])
    ],
    fix: isForgotten
      ? acceptingRouters(addressed.name)
      : down === undefined
      ? `give the host a default route of IPv${family}, or the network no route to everywhere`
      : `set ${down.name} up, with its addresses and routes`
  }]
}

/** The findings about the link on which the host sends to the world. */
const ofUplink = (
  facts: Facts,
  network: Namespace,
  uplink: Link,
  decision: RouteDecision.Decision,
  one: Routed.Routed
): ReadonlyArray<Found> => {
  const { address, seen } = one
  const { devices, route } = decision
  const what = `what ${seen.title} sends to the world`
  const ours = linksOfContainers(facts)
  if (ours.has(uplink.name) && !leadsOut(network, uplink, ours)) {
    return [{
      level: "error",
      message: `${what} goes to ${uplink.name}, a link of containers: a route of the host leads there`,
      evidence: [`route ${route.to === undefined ? "" : Cidr.text(route.to)} dev ${uplink.name}`],
      fix: route.to === undefined ? "delete the route" : Fix.run(
        "delete the route, which no plugin makes",
        Fix.command(
          `ip -${address.family} route del`,
          Cidr.text(route.to),
          "dev",
          uplink.name,
          ...(route.metric === undefined || route.metric === 0 ? [] : ["metric", String(route.metric)])
        )
      )
    }]
  }
  // One working next hop of several is enough.
  const isWorking = ({ hasCarrier, isUp, name }: Link): boolean => isUp && hasCarrier && devices.includes(name)
  if (network.links.some(isWorking)) return expiring(facts, uplink, decision)
  return [{
    level: "error",
    message: `${what} goes to ${uplink.name}, which ${
      uplink.isUp ? "has no carrier: nothing is at its other end, or that is down" : "is down"
    }`,
    evidence: [AttachedContainer.linkText(uplink)],
    fix: uplink.isUp
      ? `see what is at the other end of ${uplink.name}`
      : Fix.run("set it up, with the routes that it lost", Fix.command("ip link set", uplink.name, "up"))
  }]
}

export const wayOut: Check = {
  id: "way-out",
  phase: "host",
  needs: ["policy-rules"],
  stops: Flow.outgoing,
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Result.isFailure(host.network)) return { skipped: "the links of the host are not known", isUnknown: true }
    const network = host.network.success
    const found = new Map<string, Found>()
    for (const one of routed) {
      const { address, device, seen } = one
      const peer = Routed.elsewhere[address.family]
      if (peer === undefined || found.has(`${address.family}`)) continue
      const packet = { source: Cidr.single(address), destination: peer, inLink: device }
      const decision = RouteDecision.of(host.policies, network, packet)
      const isKernels = decision?.route.protocol === "kernel" && decision.route.type === "unreachable"
      const uplink = network.links.find(({ name }) => name === decision?.route.device)
      const findings = decision === undefined || isKernels
        ? withoutRoute(facts, network, address.family, seen.title)
        : decision.route.type !== "unicast" || uplink === undefined
        ? [] // the check policy-rules reports it
        : ofUplink(facts, network, uplink, decision, one)
      for (const each of findings) found.set(`${address.family}`, each)
    }
    return [...found.values()]
  }
}

/**
 * Whether strict reverse path filtering drops requests to a port that is published at an address of one link, because
 * the container's answers would leave the host on another. The kernel looks up that way as if the answer came in on the
 * container's link. Source: Linux, `fib_validate_source`.
 */
export const arrivalsFiltered: Check = {
  id: "rp-filter-uplink",
  phase: "host",
  stops: ["port-world"],
  find: (facts) => {
    const routed = Routed.of(facts).filter(({ address: { family } }) => family === 4)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Result.isFailure(host.network)) return { skipped: "the links of the host are not known", isUnknown: true }
    const network = host.network.success
    const value = (name: string) => Number(host.sysctls.get(`net.ipv4.conf.${name}.rp_filter`) ?? 0)
    const peer = Routed.elsewhere[4]
    if (peer === undefined) return []
    return routed.flatMap(({ address, device, seen }) =>
      seen.attachment.portMappings.flatMap(({ hostIP, hostPort, protocol }): ReadonlyArray<Found> => {
        const at = Cidr.parseAddress(hostIP)
        const entry = network.links.find(({ addresses }) =>
          at !== undefined && addresses.some((each) => Cidr.isSameAddress(each, at) && each.length < 32)
        )
        const packet = { source: Cidr.single(address), destination: peer, inLink: device }
        const { devices = [], route } = RouteDecision.of(host.policies, network, packet) ?? {}
        const back = route?.device
        const isStrict = entry !== undefined && Math.max(value("all"), value(entry.name)) === 1
        if (!isStrict || back === undefined || [...devices, "lo"].includes(entry.name)) return []
        return [{
          level: "error",
          message:
            `what comes in by ${entry.name} for port ${hostPort}/${protocol} of ${seen.title}, published at ${hostIP}, ` +
            `is dropped: rp_filter of ${entry.name} is 1, and answers to the world would leave by ${back}`,
          evidence: [
            `net.ipv4.conf.all.rp_filter = ${value("all")}`,
            `net.ipv4.conf.${entry.name}.rp_filter = ${value(entry.name)}`
          ],
          fix: Fix.sysctl(
            "let the link take packets whose answers leave by another one",
            `net.ipv4.conf.${entry.name}.rp_filter`,
            2
          )
        }]
      })
    )
  }
}
