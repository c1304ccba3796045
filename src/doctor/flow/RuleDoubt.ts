/** Why rules at the ends of a flow, or rules of nat, may not let it through. Hooks on its way are followed elsewhere. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Facts } from "../Facts.ts"
import type { Attachment } from "../facts/Attachment.ts"
import * as Iptables from "../Iptables.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Routed from "../Routed.ts"
import type * as FilterWalk from "./FilterWalk.ts"
import type { Promised } from "./Flow.ts"

/** A port that clients send from. */
const ephemeral = 50_000

/** Why rules in the namespaces at the ends of a flow may not let it through. */
const atItsEnds = ({ attachments }: Facts, flow: Promised): string | undefined => {
  const { attachment, family, kind, peer, port, protocol, to } = flow
  const far = kind === "world" ? Routed.elsewhere[family] : kind === "name-server" ? Cidr.parseAddress(to) : undefined
  const base = { family, protocol } as const
  const portOf = (value: number | undefined) => value === undefined ? {} : { port: value }
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
  const peers = peer === undefined ? [] : [peer]
  const ends = kind === "port-container" ? attachments.filter(({ netns }) => netns !== attachment.netns) : peers
  const open = !passes(attachment, isServer, isServer ? mappingOf(flow)?.containerPort : port)
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

const notLed = "rules of nat may not lead it to the container"

/** The port of the container behind the published port of a flow. */
const mappingOf = ({ attachment, port, protocol }: Promised) =>
  attachment.portMappings.find((each) => each.hostPort === port && each.protocol === protocol)

const addressesOf = (facts: Facts, attachment: Attachment) =>
  AttachedContainer.of({ ...facts, attachments: [attachment] }).flatMap(AttachedContainer.addressesOf)

/** Why rules of OUTPUT may drop what the host sends to a published port, or may not lead it to the container. */
const fromHost = (facts: Facts, rules: Rules, flow: Promised): string | undefined => {
  const { attachment, family, kind, port, protocol } = flow
  const at = kind === "port-loopback" ? Cidr.parseAddress("127.0.0.1") : ownAddress(facts, flow)
  const before: Packet = {
    family,
    protocol,
    ...(port === undefined ? {} : { port }),
    ...(at === undefined ? {} : { source: at, destination: at }),
    isFromHost: true,
    isForHost: true,
    outLink: "lo",
    state: "NEW"
  }
  const own = addressesOf(facts, attachment).find((each) => each.family === family)
  const mapping = mappingOf(flow)
  const after = own === undefined || mapping === undefined
    ? before
    : { ...before, destination: Cidr.single(own), port: mapping.containerPort, isForHost: false, isMapped: true }
  const later = [before, after].map((packet): Packet => ({ ...packet, state: "ESTABLISHED" }))
  const mayDrop = [before, after, ...later].some((packet) =>
    Nftables.dropping(rules, "output", packet).length > 0 || Nftables.undecided(rules, "output", packet).length > 0 ||
    Iptables.inAll(rules, "filter", "OUTPUT", packet).some(({ end }) => end !== "accept")
  )
  if (mayDrop) return "rules of OUTPUT may drop it"
  const verdicts = Iptables.inAll(rules, "nat", "OUTPUT", before)
  return verdicts.length === 0 || verdicts.some(({ target }) => target === "DNAT") ? undefined : notLed
}

/** Why a container may not reach itself: it drops what comes from its own address. */
const fromItself = ({ rulesets }: Rules, leaving: Packet): string | undefined => {
  const hasMasquerade = rulesets.some(({ tables }) => tables.get("nat")?.has("CNI-HOSTPORT-MASQ") === true)
  const isMasqueraded = Iptables.inAll({ rulesets, nft: [] }, "nat", "POSTROUTING", leaving)
    .some(({ end, target }) => end === "unknown" || target === "MASQUERADE" || target === "SNAT")
  return hasMasquerade && !isMasqueraded
    ? "it may not be masqueraded, and a container does not answer its own address"
    : undefined
}

/** Why rules of nat may not lead what comes for a published port to its container. */
const byNat = (facts: Facts, flow: Promised, walks: ReadonlyArray<FilterWalk.Walk>): string | undefined => {
  const rules = facts.host === undefined ? undefined : Result.getOrUndefined(facts.host.rules)
  if (rules === undefined) return undefined
  if (flow.kind === "port-host" || flow.kind === "port-loopback") return fromHost(facts, rules, flow)
  const first = walks.map((walk) => walk.flow).find(({ at, mapping }) =>
    mapping !== undefined && at.prerouting?.isForHost === true && at.prerouting.state === "NEW"
  )
  if (first?.at.prerouting === undefined) return undefined
  const { postrouting, prerouting } = first.at
  const isLed = Iptables.inAll(rules, "nat", "PREROUTING", prerouting).some(({ end, target }) =>
    end === "unknown" || target === "DNAT"
  )
  const isNamed = addressesOf(facts, flow.attachment).some((each) => Nftables.isNamed(rules, Cidr.addressText(each)))
  if (!isLed && !isNamed) return notLed
  return flow.kind === "port-itself" && postrouting !== undefined ? fromItself(rules, postrouting) : undefined
}

/** Why it is not certain that these rules let a flow through; undefined if they do. `walks` are those of the flow. */
export const of = (facts: Facts, flow: Promised, walks: ReadonlyArray<FilterWalk.Walk>): string | undefined =>
  atItsEnds(facts, flow) ?? byNat(facts, flow, walks)
