/** Whether frames of containers pass their bridge and the hooks below IP. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { NftChain } from "../../network/NftablesRuleset.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Destinations from "../flow/Destinations.ts"
import * as Flow from "../flow/Flow.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/** The finding for a chain that drops frames or packets of a link. */
const droppedBy = (chain: NftChain, what: string, ...matches: ReadonlyArray<ReadonlyArray<string>>): Found => ({
  level: "error",
  message: `${what} is dropped by ${Nftables.nameOf(chain)}`,
  evidence: [`hook ${chain.hook}, policy ${chain.policy ?? "accept"}, ${chain.rules.length} rules`],
  fix: Fix.run(
    "let it through",
    ...(matches.length === 0 ? [[]] : matches).map((match) => Nftables.accepting(chain, ...match))
  )
})

/** A frame that a container sends. */
const frameOf = (seen: AttachedContainer.AttachedContainer, address: Cidr.Cidr, destination: Cidr.Cidr): Packet => ({
  family: address.family,
  source: Cidr.single(address),
  destination: Cidr.single(destination),
  ...(seen.link === undefined ? {} : { mac: seen.link.mac }),
  ...(seen.hostEnd === undefined ? {} : { inLink: seen.hostEnd }),
  state: "NEW"
})

/** The hooks of the family bridge that a frame to the gateway, or to another container, passes. */
const inBridge = (rules: Rules, all: ReadonlyArray<AttachedContainer.AttachedContainer>): ReadonlyArray<Found> =>
  all.flatMap((seen, index) => {
    const { hostEnd, title } = seen
    const [address] = AttachedContainer.addressesOf(seen)
    if (hostEnd === undefined || address === undefined) return []
    const gateway = AttachedContainer.gatewaysOf(seen).find(({ family }) => family === address.family)
    const toGateway = gateway === undefined ?
      [] :
      ["prerouting", "input"].flatMap((hook) =>
        Nftables.droppingFrames(rules, hook, frameOf(seen, address, gateway)).map((chain) =>
          droppedBy(chain, `what ${title} sends to its gateway`, ["iifname", hostEnd])
        )
      )
    const next = all[(index + 1) % all.length]
    const peer = next === undefined || next.attachment.netns === seen.attachment.netns
      ? undefined
      : AttachedContainer.addressesOf(next).find(({ family }) => family === address.family)
    const out = next?.hostEnd
    const toPeer = peer === undefined || out === undefined || toGateway.length > 0
      ? []
      : Nftables.droppingFrames(rules, "forward", { ...frameOf(seen, address, peer), outLink: out }).map((chain) =>
        droppedBy(
          chain,
          `what ${title} sends to ${next?.title ?? ""} (${Cidr.addressText(peer)}) on the same bridge`,
          ["iifname", hostEnd, "oifname", out],
          ["iifname", out, "oifname", hostEnd]
        )
      )
    return [...toGateway, ...toPeer]
  })

/** Chains at the ingress of the links on which packets and their answers arrive. */
const atIngress = (facts: Facts, rules: Rules): ReadonlyArray<Found> =>
  Routed.of(facts).flatMap((one) => {
    const { address, seen } = one
    const peer = Routed.elsewhere[address.family]
    const uplink = Destinations.uplinkOf(facts, one)
    const own = seen.outside === undefined ? undefined : Namespace.addressOn(seen.outside, uplink, address.family)
    if (peer === undefined) return []
    const sent = seen.hostEnd === undefined ? [] : Nftables.droppingAtIngress(
      rules,
      seen.hostEnd,
      frameOf(seen, address, peer)
    ).map((chain) => droppedBy(chain, `what ${seen.title} sends`))
    const answers = Nftables.droppingAtIngress(rules, uplink, {
      family: address.family,
      source: Cidr.single(peer),
      ...(own === undefined ? {} : { destination: Cidr.single(own) }),
      inLink: uplink,
      state: "ESTABLISHED"
    }).map((chain) => droppedBy(chain, `what answers ${seen.title} at ${uplink}`))
    return [...sent, ...answers]
  })

/** Ports of one bridge that are isolated although the configuration does not ask for it. */
const isolated = (
  facts: Facts,
  all: ReadonlyArray<AttachedContainer.AttachedContainer>
): ReadonlyArray<Found> => {
  if (Roles.makerOf(facts.chain)?.config["portIsolation"] === true) return []
  const ends = all.flatMap(({ hostEnd, outside }) =>
    outside?.links.filter(({ name, port }) => name === hostEnd && port?.isIsolated === true) ?? []
  )
  const [first, second] = ends
  return first === undefined || second === undefined ? [] : [{
    level: "error",
    plugin: "bridge",
    message:
      `${ends.length} containers of the bridge ${first.master} do not reach each other: their ports are isolated, ` +
      "and portIsolation is not set",
    evidence: ends.slice(0, 20).map(({ name }) => `${name}: isolated on`),
    fix: Fix.run("let them", ...ends.map(({ name }) => Fix.command("bridge link set dev", name, "isolated", "off")))
  }]
}

/** Ports that accept only frames from MAC addresses that the bridge already knows. */
const locked = (all: ReadonlyArray<AttachedContainer.AttachedContainer>): ReadonlyArray<Found> =>
  all.flatMap(({ hostEnd, outside, title }): ReadonlyArray<Found> => {
    const end = outside?.links.find(({ name, port }) => name === hostEnd && port?.isLocked === true)
    return end === undefined ? [] : [{
      level: "error",
      plugin: "bridge",
      message: `${title}: its port ${end.name} of the bridge ${end.master} is locked: frames are dropped unless the ` +
        "bridge was told its MAC address",
      evidence: [`${end.name}: locked on`],
      fix: Fix.run("unlock it", Fix.command("bridge link set dev", end.name, "locked", "off"))
    }]
  })

export const bridgeFrames: Check = {
  id: "bridge-frames",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const all = AttachedContainer.of(facts).filter(({ hostEnd, link }) => hostEnd !== undefined && link !== undefined)
    const { host } = facts
    if (host === undefined || all.length === 0) return { skipped: "no attachment has a pair of links" }
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    const isBridge = Roles.bridgeOf(facts.chain) !== undefined
    const found = [
      ...(isBridge ? [...isolated(facts, all), ...locked(all), ...inBridge(rules, all)] : []),
      ...atIngress(facts, rules)
    ]
    return [...new Map(found.map((each) => [each.message, each])).values()]
  }
}
