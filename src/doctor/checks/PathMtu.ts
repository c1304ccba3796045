/** Whether a container learns that its packets are too large for a link on their way. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Destinations from "../flow/Destinations.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Routed from "../Routed.ts"

/** The message by which a router reports this, in each family. */
const messages = {
  4: {
    protocol: "icmp",
    icmp: { type: 3, code: 4 },
    words: "ICMP \"fragmentation needed\"",
    match: ["--icmp-type", "3/4"]
  },
  6: {
    protocol: "ipv6-icmp",
    icmp: { type: 2, code: 0 },
    words: "ICMPv6 \"packet too big\"",
    match: ["--icmpv6-type", "2"]
  }
} as const

/** The rule that drops the message, and the fix that lets it out again; undefined if it gets out. */
const lostBy = (rules: Rules, packet: Packet): { readonly evidence: string; readonly fix: Fix.Fix } | undefined => {
  const { family } = packet
  const { match, protocol, words } = messages[family]
  for (const table of ["raw", "mangle", "filter"]) {
    for (const { backend, end, rule } of Iptables.inAll(rules, table, "OUTPUT", packet)) {
      if (end !== "drop") continue
      const program = IptablesLines.commandOf(family, backend)
      return {
        evidence: `${program} -t ${table} (${backend}): ${rule}`,
        fix: Fix.run(
          `let ${words} out`,
          Fix.command(`${program} -t ${table} -I OUTPUT -p ${protocol}`, ...match, "-j", "ACCEPT")
        )
      }
    }
  }
  const [chain] = Nftables.dropping(rules, "output", packet)
  if (chain === undefined) return undefined
  const type = family === 4 ? ["icmp", "type", "destination-unreachable"] : ["icmpv6", "type", "packet-too-big"]
  return {
    evidence: `nftables: the chain ${chain.name} of the table ${chain.family} ${chain.table}, hook output`,
    fix: Fix.run(`let ${words} out`, Nftables.accepting(chain, ...type))
  }
}

/** The length of the Ethernet header, which a queue counts too. */
const header = 14

/** A queue on the way whose bucket is smaller than a packet of the container. */
export const queues: Check = {
  id: "queues",
  phase: "host",
  stops: ["world-large"],
  find: (facts) => {
    const { host } = facts
    const routed = Routed.of(facts)
    if (host === undefined || routed.length === 0) return Routed.none
    const links = Result.isSuccess(host.network) ? host.network.success.links : []
    const found = routed.flatMap((one): ReadonlyArray<Found> => {
      const { device, seen } = one
      const own = seen.link?.mtu ?? 0
      const sizeOf = (device: string): number =>
        Math.min(own, links.find(({ name }) => name === device)?.mtu ?? own) + header
      const way = new Set([seen.hostEnd, device, Destinations.uplinkOf(facts, one)])
      return host.queues.filter((each) => way.has(each.device) && each.burst < sizeOf(each.device)).map((queue) => ({
        level: "error",
        message:
          `${seen.title}: the queue of ${queue.device} (tbf) has a burst of ${queue.burst} bytes, less than a packet ` +
          `of its MTU, ${sizeOf(queue.device)}: large packets are dropped`,
        evidence: [`tc qdisc show dev ${queue.device}: tbf burst ${queue.burst}`],
        fix: Fix.run(
          "remove the queue, or give it a larger burst if you need it",
          Fix.command("tc qdisc del dev", queue.device, "root")
        )
      }))
    })
    return [...new Map(found.map((each) => [each.evidence[0], each])).values()]
  }
}

export const pathMtu: Check = {
  id: "path-mtu",
  phase: "host",
  stops: ["world-large"],
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    if (Result.isFailure(host.network)) return { skipped: "the links of the host are not known", isUnknown: true }
    const rules = host.rules.success
    const network = host.network.success
    return routed.flatMap((one): ReadonlyArray<Found> => {
      const { address, device, seen } = one
      const mtu = seen.link?.mtu ?? 0
      const { family } = address
      const { icmp, protocol, words } = messages[family]
      const out = Destinations.uplinkOf(facts, one)
      const uplink = network.links.find(({ name }) => name === out)
      const router = Namespace.addressOn(network, device, family)
      if (uplink === undefined || uplink.mtu >= mtu) return []
      const lost = lostBy(rules, {
        family,
        ...(router === undefined ? {} : { source: Cidr.single(router) }),
        destination: Cidr.single(address),
        isFromHost: true,
        isForHost: false,
        outLink: device,
        protocol,
        icmp,
        state: "RELATED"
      })
      return lost === undefined ? [] : [{
        level: "error",
        message:
          `${seen.title}: its MTU is ${mtu}, that of ${uplink.name} is ${uplink.mtu}, and a rule of OUTPUT drops the ` +
          `${words} that would say so: large packets are lost`,
        evidence: [
          `${seen.link?.name ?? ""} of the container: mtu ${mtu}`,
          `${uplink.name}: mtu ${uplink.mtu}`,
          lost.evidence
        ],
        fix: lost.fix
      }]
    })
  }
}
