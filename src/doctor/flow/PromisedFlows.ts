/** The flows that attachments should carry according to their configuration and their results. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Facts } from "../Facts.ts"
import type { Attachment, PortMapping } from "../facts/Attachment.ts"
import * as PublishedAt from "../PublishedAt.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"
import * as Destinations from "./Destinations.ts"
import type { Promised } from "./Flow.ts"

/** The size of a packet with little or no data, in bytes. */
const small = 84

/** Whether portmap makes a port reachable from the host by 127.0.0.1. */
export const hasLoopback = (facts: Facts, mapping: PortMapping, family: 4 | 6): boolean => {
  const { config = {} } = Roles.ofType(facts.chain, "portmap") ?? {}
  const at = PublishedAt.hostAddress(mapping)
  return config["snat"] !== false && config["externalSetMarkChain"] === undefined && family === 4 &&
    (at === undefined || Cidr.isLoopback(at))
}

/** What all flows of an address share. */
interface Side {
  readonly facts: Facts
  readonly attachment: Attachment
  readonly address: Cidr.Cidr
  readonly own: string
  /** The links from the container to the host's IP layer. */
  readonly links: ReadonlyArray<string>
  /** The link by which its traffic leaves the host; undefined if it has no way out. */
  readonly uplink: string | undefined
}

const suffix = ({ address: { family } }: Side): string => family === 6 ? " (IPv6)" : ""

const ofGateways = (side: Side, gateways: ReadonlyArray<Cidr.Cidr>): ReadonlyArray<Promised> => {
  const { address, attachment, links, own } = side
  return gateways.filter(({ family }) => family === address.family).map((gateway) => {
    const to = Cidr.addressText(gateway)
    return {
      kind: "gateway",
      attachment,
      words: `gateway ${to}`,
      from: own,
      to,
      family: address.family,
      protocol: address.family === 4 ? "arp" : "ndp",
      port: undefined,
      size: small,
      path: links
    }
  })
}

const ofWorld = (side: Side, mtu: number | undefined): ReadonlyArray<Promised> => {
  const { address: { family }, attachment, links, own, uplink } = side
  const base = {
    attachment,
    from: own,
    to: "world",
    family,
    protocol: "tcp",
    port: 443,
    path: [...links, ...(uplink === undefined ? [] : [uplink])]
  }
  const by = uplink === undefined ? "" : `, by ${uplink}`
  return [
    { ...base, kind: "world", words: `the world${suffix(side)}${by}`, size: small },
    ...(mtu === undefined
      ? []
      : [{ ...base, kind: "world-large" as const, words: `large packets to the world${suffix(side)}`, size: mtu }])
  ]
}

const ofNameServers = (
  side: Side,
  servers: ReadonlyArray<string>,
  isOnHost: (address: Cidr.Cidr) => boolean
): ReadonlyArray<Promised> =>
  servers.flatMap((server): ReadonlyArray<Promised> => {
    const { address: { family }, attachment, links, own, uplink } = side
    const address = Cidr.parseAddress(server)
    if (address !== undefined && address.family !== family) return []
    const isOurs = address !== undefined && isOnHost(address)
    return [{
      kind: isOurs ? "host-name-server" : "name-server",
      attachment,
      words: `name server ${server}`,
      from: own,
      to: server,
      family,
      protocol: "udp",
      port: 53,
      size: small,
      path: [...links, ...(isOurs || uplink === undefined ? [] : [uplink])]
    }]
  })

const ofPeer = (side: Side, peer: AttachedContainer.AttachedContainer): ReadonlyArray<Promised> => {
  const { address: { family }, attachment, facts, links, own } = side
  const isBridge = Roles.bridgeOf(facts.chain) !== undefined
  return AttachedContainer.addressesOf(peer).filter((each) => each.family === family).slice(0, 1).map((address) => {
    const to = Cidr.addressText(address)
    return {
      kind: isBridge ? "peer" : "routed-peer",
      attachment,
      peer: peer.attachment,
      words: `${to} ${isBridge ? "on the same bridge" : "through the host"}`,
      from: own,
      to,
      family,
      protocol: family === 4 ? "icmp" : "ipv6-icmp",
      port: undefined,
      size: small,
      path: [...links, ...(peer.hostEnd === undefined ? [] : [peer.hostEnd])]
    }
  })
}

const ofPort = (side: Side, mapping: PortMapping, hasOther: boolean): ReadonlyArray<Promised> => {
  const { address: { family }, attachment, facts, links, own, uplink } = side
  const at = PublishedAt.hostAddress(mapping)
  if (at !== undefined && at.family !== family) return []
  const { hostPort, protocol } = mapping
  const name = `port ${hostPort}/${protocol}${suffix(side)}`
  const isLocal = at !== undefined && Cidr.isLoopback(at)
  const to = at === undefined ? "host" : Cidr.addressText(at)
  const flow = (kind: Promised["kind"], from: string, words: string, path: ReadonlyArray<string>): Promised => ({
    kind,
    attachment,
    words: `${name} ${words}`,
    from,
    to: kind === "port-loopback" ? "127.0.0.1" : to,
    family,
    protocol,
    port: hostPort,
    size: small,
    path
  })
  const back = links.toReversed()
  const inside = [...back.slice(0, 1), ...back]
  return [
    ...(isLocal || uplink === undefined
      ? []
      : [flow("port-world", "world", "from the world", [uplink, ...back])]),
    ...(isLocal ? [] : [
      flow("port-host", "host", "from the host", back),
      ...(hasOther ? [flow("port-container", "container", "from other containers", inside)] : []),
      flow("port-itself", own, "from the container itself", [...links, ...back])
    ]),
    ...(hasLoopback(facts, mapping, family)
      ? [flow("port-loopback", "127.0.0.1", "by 127.0.0.1", ["lo", ...back])]
      : [])
  ]
}

/** Whether the result has a default route of a family. */
const hasDefault = (routes: ReadonlyArray<string>, family: 4 | 6): boolean =>
  routes.flatMap((text) => Cidr.parse(text) ?? []).some((to) => to.family === family && Cidr.isDefault(to))

/**
 * The flows of all attachments that have a result. Flows between containers are those to the next attachment, so that
 * their number grows with that of the attachments.
 */
export const of = (facts: Facts): ReadonlyArray<Promised> => {
  const contained = AttachedContainer.of(facts)
  const routed = Routed.of(facts)
  const bridge = Roles.bridgeOf(facts.chain)
  const isRouted = Roles.isRouted(facts.chain)
  const publishes = Roles.ofType(facts.chain, "portmap") !== undefined
  const isIsolated = Roles.makerOf(facts.chain)?.config["portIsolation"] === true
  return facts.attachments.flatMap((attachment): ReadonlyArray<Promised> => {
    if (Result.isFailure(attachment.result)) return []
    const result = attachment.result.success
    const index = contained.findIndex((each) => each.attachment === attachment)
    const seen = contained[index]
    const next = seen === undefined ? undefined : contained[(index + 1) % contained.length]
    const peer = next?.attachment.netns === attachment.netns || isIsolated ? undefined : next
    const hasOther = contained.some((each) => each.attachment.netns !== attachment.netns)
    const addresses = AttachedContainer.addressesOf({ attachment, result })
    const routes = (result.routes ?? []).map((route) => route?.dst ?? "")
    return addresses.flatMap((address) => {
      const one = routed.find((each) => each.seen.attachment === attachment)
      const isOnHost = (server: Cidr.Cidr) => seen?.outside !== undefined && Namespace.hasAddress(seen.outside, server)
      const side: Side = {
        facts,
        attachment,
        address,
        own: Cidr.addressText(address),
        links: [attachment.ifname, ...(seen?.hostEnd === undefined ? [] : [seen.hostEnd])]
          .concat(bridge === undefined ? [] : [bridge]),
        uplink: one === undefined || Routed.uplinksOf(facts, address.family).length === 0
          ? undefined
          : Destinations.uplinkOf(facts, { ...one, address })
      }
      const isFirst = PublishedAt.targets(addresses).includes(address)
      return [
        ...ofGateways(side, AttachedContainer.gatewaysOf({ result })),
        ...(hasDefault(routes, address.family) ? ofWorld(side, seen?.link?.mtu) : []),
        ...ofNameServers(side, [...new Set((result.dns?.nameservers ?? []).map(String))], isOnHost),
        ...(peer === undefined || !isFirst || (bridge === undefined && !isRouted) ? [] : ofPeer(side, peer)),
        ...(publishes && isFirst ? attachment.portMappings.flatMap((mapping) => ofPort(side, mapping, hasOther)) : [])
      ]
    })
  })
}
