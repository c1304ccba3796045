/** Published ports apart from the way of the world: from the host itself, at their addresses, and in the container. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Facts, Host } from "../Facts.ts"
import type { PortMapping } from "../facts/Attachment.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as PromisedFlows from "../flow/PromisedFlows.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as PublishedAt from "../PublishedAt.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"

/** A port of the host that leads to an address of a container. */
interface Published {
  readonly facts: Facts
  readonly host: Host
  readonly rules: Rules
  readonly seen: AttachedContainer.AttachedContainer
  readonly mapping: PortMapping
  readonly address: Cidr.Cidr
  /** The host's link to the container. */
  readonly device: string
}

const nameOf = ({ mapping: { hostPort, protocol }, seen }: Published): string =>
  `port ${hostPort}/${protocol} of the host, which is mapped to ${seen.title}`

/** A packet to the port. */
const comingFor = ({ address, mapping }: Published): Packet => ({
  family: address.family,
  protocol: mapping.protocol,
  port: mapping.hostPort,
  isForHost: true,
  state: "NEW"
})

/** The port is published at an address that the host does not have. */
const atAddress = ({ mapping, seen, ...published }: Published): ReadonlyArray<Found> => {
  const at = PublishedAt.hostAddress(mapping)
  if (at === undefined || Cidr.isLoopback(at) || seen.outside === undefined) return []
  const isOurs = Namespace.hasAddress(seen.outside, at) ||
    seen.outside.routes.some(({ to, type }) => type === "local" && Cidr.contains(to, at))
  return isOurs ? [] : [{
    level: "error",
    message: `${
      nameOf({ ...published, mapping, seen })
    }, is published at ${mapping.hostIP}, which is not an address of the host`,
    evidence: seen.outside.links.flatMap(({ addresses, name }) => addresses.map(({ text }) => `${name} has ${text}`))
      .slice(0, 20),
    fix: `give the host the address ${mapping.hostIP}, or start the container with another "hostIP"`
  }]
}

/** A rule keeps its connections from being tracked, so rules of nat never see them. */
const tracked = (published: Published): ReadonlyArray<Found> => {
  const { rules } = published
  const packet = comingFor(published)
  const rule = Iptables.untrackedBy(rules, "PREROUTING", packet)
  const chain = Nftables.untrackedBy(rules, "prerouting", packet)
  return rule === undefined && chain === undefined ? [] : [{
    level: "error",
    message: `${nameOf(published)}: a rule keeps the kernel from tracking what comes for it, so no rule leads it there`,
    evidence: [rule?.rule ?? `nftables: notrack in the chain ${chain?.name}`],
    fix: rule === undefined
      ? "remove the rule with notrack"
      : Fix.run("delete the rule", [
        IptablesLines.commandOf(packet.family, rule.backend),
        ...IptablesLines.undoing(rules.rulesets, "raw", rule.rule)
      ])
  }]
}

/** Packets from the host to one of its own addresses pass OUTPUT, and not PREROUTING. */
const fromHost = (published: Published): ReadonlyArray<Found> => {
  const { address, facts, rules, seen } = published
  const incoming = comingFor(published)
  const leads = (chain: string, packet: Packet) =>
    Iptables.inAll(rules, "nat", chain, packet).filter(({ end, target }) => end === "unknown" || target === "DNAT")
  const target = Cidr.addressText(address)
  if (leads("PREROUTING", incoming).length === 0 || Nftables.isNamed(rules, target)) return [] // reported already
  const own = leads("OUTPUT", { ...incoming, isFromHost: true, outLink: "lo" })
  return own.length > 0 ? [] : [{
    level: "error",
    plugin: "portmap",
    stops: ["port-host", "port-loopback"],
    message: `${nameOf(published)}: no rule of OUTPUT leads there, so the host itself does not reach it`,
    evidence: ["the chain OUTPUT of the table nat has no rule for it"],
    fix: Repair.reattach([seen.attachment], facts)
  }]
}

/** The priority at which nat changes destinations. Source: linux, `NF_IP_PRI_NAT_DST`. */
const natPriority = -100

/** A rule of OUTPUT drops what the host sends to the port, after nat has changed its destination to the container. */
const atOutput = (published: Published): ReadonlyArray<Found> => {
  const { address, mapping: { containerPort, protocol }, rules } = published
  const { family } = address
  const packet: Packet = {
    family,
    protocol,
    port: containerPort,
    destination: Cidr.single(address),
    isFromHost: true,
    isForHost: false,
    isMapped: true,
    outLink: "lo", // nat changes the destination, but rules of OUTPUT still see this link
    state: "NEW"
  }
  const dropped = Iptables.inAll(rules, "filter", "OUTPUT", packet).find(({ end }) => end === "drop")
  const before: Packet = { ...comingFor(published), isFromHost: true, outLink: "lo" }
  const [chain] = [
    ...Nftables.dropping(rules, "output", before).filter(({ priority }) => priority < natPriority),
    ...Nftables.dropping(rules, "output", packet).filter(({ priority }) => priority > natPriority)
  ]
  if (dropped === undefined && chain === undefined) return []
  const to = Cidr.addressText(address)
  const program = IptablesLines.commandOf(family, dropped?.backend ?? "nf_tables")
  return [{
    level: "error",
    stops: ["port-host", "port-loopback"],
    message: `${nameOf(published)}: what the host itself sends there is dropped by ${
      dropped === undefined && chain !== undefined
        ? Nftables.nameOf(chain)
        : `${dropped?.rule.startsWith("-P") ? "the policy" : "a rule"} of OUTPUT`
    }`,
    evidence: [dropped === undefined ? `hook output, to ${to}` : `${program} (${dropped.backend}): ${dropped.rule}`],
    fix: Fix.run(
      "let it through",
      dropped === undefined && chain !== undefined
        ? Nftables.accepting(
          chain,
          family === 4 ? "ip" : "ip6",
          "daddr",
          to,
          protocol,
          "dport",
          String(containerPort)
        )
        : Fix.command(
          `${program} -I OUTPUT`,
          "-d",
          to,
          "-p",
          protocol,
          "--dport",
          String(containerPort),
          "-j",
          "ACCEPT"
        )
    )
  }]
}

/** The bit of the mark by which portmap finds what to masquerade. */
const markOf = ({ markMasqBit }: { readonly markMasqBit?: unknown }): number =>
  2 ** (typeof markMasqBit === "number" ? markMasqBit : 13)

/** Packets from 127.0.0.1 leave the host only if the kernel allows it and if they get another source. */
const fromLoopback = (published: Published): ReadonlyArray<Found> => {
  const { address, device, facts, host, mapping, rules, seen } = published
  const { config = {} } = Roles.ofType(facts.chain, "portmap") ?? {}
  if (
    !PromisedFlows.hasLoopback(facts, mapping, address.family) || Nftables.isNamed(rules, Cidr.addressText(address))
  ) return []
  const value = (link: string) => host.sysctls.get(`net.ipv4.conf.${link}.route_localnet`)
  const base = { level: "warning", plugin: "portmap", stops: ["port-loopback"] } as const
  if (value("all") === "0" && value(device) === "0") {
    return [{
      ...base,
      message: `${nameOf(published)}: the host does not reach it by 127.0.0.1, as route_localnet of ${device} is 0`,
      evidence: [`net.ipv4.conf.${device}.route_localnet = 0`],
      fix: Fix.sysctl("let packets of 127.0.0.1 go there", `net.ipv4.conf.${device}.route_localnet`, 1)
    }]
  }
  const loopback = Cidr.parseAddress("127.0.0.1")
  const verdicts = loopback === undefined ? [] : Iptables.inAll(rules, "nat", "POSTROUTING", {
    family: 4,
    source: loopback,
    destination: Cidr.single(address),
    protocol: mapping.protocol,
    port: mapping.containerPort,
    isForHost: false,
    isFromHost: true,
    outLink: device,
    mark: markOf(config),
    isMapped: true,
    state: "NEW"
  })
  const isDone = verdicts.some(({ end, target }) => end === "unknown" || target === "MASQUERADE" || target === "SNAT")
  return isDone || verdicts.length === 0 ? [] : [{
    ...base,
    message:
      `${nameOf(published)}: what comes from 127.0.0.1 or from its own subnet is not masqueraded, so its answers ` +
      "do not come back",
    evidence: verdicts.map(({ rule }) => rule),
    fix: Repair.reattach([seen.attachment], facts)
  }]
}

/** A rule in the container drops packets to the port. */
const atItsEnd = (published: Published): ReadonlyArray<Found> => {
  const { address, mapping, seen: { attachment: { filter, ifname, netns, nft }, title } } = published
  const { family } = address
  const packet = {
    family,
    destination: Cidr.single(address),
    protocol: mapping.protocol,
    port: mapping.containerPort,
    isForHost: true,
    isFromHost: false,
    inLink: ifname,
    state: "NEW"
  } as const
  const inside = { rulesets: filter, nft }
  const where =
    `what comes for port ${mapping.containerPort}/${mapping.protocol} of ${title} is dropped in its own namespace`
  const dropped = Iptables.inAll(inside, "filter", "INPUT", packet).find(({ end }) => end === "drop")
  const [chain] = Nftables.dropping(inside, "input", packet)
  if (dropped === undefined && chain === undefined) return []
  const program = IptablesLines.commandOf(family, dropped?.backend ?? "nf_tables")
  const ends = ["--dport", String(mapping.containerPort), "-j", "ACCEPT"]
  return [{
    level: "error",
    message: dropped === undefined
      ? `${where}, by the chain ${chain?.name} of the nftables table ${chain?.family} ${chain?.table}`
      : `${where}, by ${dropped.rule.startsWith("-P") ? "the policy" : "a rule"} of INPUT`,
    evidence: [dropped === undefined ? `${netns}: hook input` : `${program} in ${netns}: ${dropped.rule}`],
    fix: Fix.run(
      "let it in",
      dropped === undefined && chain !== undefined
        ? Fix.inside(netns, ...Nftables.accepting(chain, mapping.protocol, "dport", String(mapping.containerPort)))
        : Fix.inside(netns, program, "-I", "INPUT", "-p", mapping.protocol, ...ends)
    )
  }]
}

export const publishedPorts: Check = {
  id: "published-ports",
  phase: "host",
  needs: ["inside-rules", "masquerade", "port-mappings"],
  stops: Flow.ports,
  find: (facts) => {
    const { chain, host } = facts
    const bridge = Roles.bridgeOf(chain)
    if (host === undefined || Roles.ofType(chain, "portmap") === undefined) return { skipped: "no ports are published" }
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    return AttachedContainer.of(facts).flatMap((seen) => {
      const device = bridge ?? seen.hostEnd
      if (device === undefined || seen.link === undefined) return []
      const targets = PublishedAt.targets(AttachedContainer.addressesOf(seen))
      return seen.attachment.portMappings.flatMap((mapping) => {
        const at = PublishedAt.hostAddress(mapping)
        return targets.filter(({ family }) => at === undefined || at.family === family).flatMap((address) => {
          const published = { facts, host, rules, seen, mapping, address, device }
          const grave = [...atAddress(published), ...tracked(published), ...atItsEnd(published)]
          if (grave.length > 0) return grave
          const unled = fromHost(published)
          return unled.length > 0 ? unled : [...atOutput(published), ...fromLoopback(published)]
        })
      })
    })
  }
}
