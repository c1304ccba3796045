/** Traffic of attachments as it passes the hooks of netfilter on the host. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { AttachedContainer } from "../AttachedContainer.ts"
import * as BridgeNetfilter from "../BridgeNetfilter.ts"
import type { Facts } from "../Facts.ts"
import type { PortMapping } from "../facts/Attachment.ts"
import type { Packet } from "../Packet.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"
import * as Destinations from "./Destinations.ts"
import type * as Flow from "./Flow.ts"

/** The hooks of netfilter for IP packets, in the order in which a packet may pass them. */
export const hooks = ["prerouting", "input", "forward", "output", "postrouting"] as const

/** Traffic in one direction. What a hook sees depends on nat and on the links that are known there. */
export interface ForwardedFlow {
  readonly seen: AttachedContainer
  /** The host's link to the container. */
  readonly device: string
  readonly family: 4 | 6
  /** The traffic as the subject of a sentence, with its verb: `what eth0 of web sends is`. */
  readonly what: string
  /** The packet at each hook that it passes. Hooks that another check looks at may be left out. */
  readonly at: { readonly [hook in typeof hooks[number]]?: Packet }
  /** The iptables matches that let the flow through if FORWARD accepts them. */
  readonly accepted: ReadonlyArray<ReadonlyArray<string>>
  /** To and from the world, from the world to a published port, between containers of one bridge, or with the host. */
  readonly kind: "world" | "published" | "inside" | "host"
  /** The published port that the traffic is for; undefined for other traffic. */
  readonly mapping?: PortMapping
  /** The name server that the traffic is for, as the result of the attachment has it; undefined for other traffic. */
  readonly server?: string
  /** The flows of the attachment that it is part of. */
  readonly partOf: ReadonlyArray<Flow.Kind>
}

/** A port that clients send from. */
const ephemeral = 50_000

/** Names the protocol of a flow to the world, and the port of what is sent. */
export const withProtocol = (
  flow: ForwardedFlow,
  protocol: "tcp" | "udp" | "icmp" | "ipv6-icmp",
  port?: number
): ForwardedFlow => {
  const isAnswer = flow.at.postrouting?.state === "ESTABLISHED"
  const of = (packet: Packet): Packet => ({
    ...packet,
    protocol,
    ...(port === undefined ? {} : { port: isAnswer ? ephemeral : port })
  })
  const to = port === undefined || isAnswer ? "" : ` to port ${port}`
  return {
    ...flow,
    what: flow.what.replace(/ (\w+)$/, ` by ${protocol.toUpperCase()}${to} $1`),
    at: Object.fromEntries(Object.entries(flow.at).map(([hook, packet]) => [hook, of(packet)]))
  }
}

const hostOf = ({ host }: Facts) =>
  host !== undefined && Result.isSuccess(host.network)
    ? { network: host.network.success, sysctls: host.sysctls }
    : undefined

/** The destination of packets for the host that arrive on a link, if the link has an address of the family. */
const toHost = (facts: Facts, link: string, family: 4 | 6): Pick<Packet, "destination"> => {
  const network = hostOf(facts)?.network
  const ours = network === undefined ? undefined : Namespace.addressOn(network, link, family)
  return ours === undefined ? {} : { destination: Cidr.single(ours) }
}

/** A peer beyond the host, and what traffic to it is. */
interface Beyond extends Pick<ForwardedFlow, "partOf" | "server"> {
  /** Undefined for any peer. */
  readonly peer: Cidr.Cidr | undefined
  readonly uplink: string
}

/** Traffic from an address to a peer beyond the host, and the answers. */
const beyond = (
  facts: Facts,
  { address, device, seen }: Routed.Routed,
  { partOf, peer, server, uplink }: Beyond
): ReadonlyArray<ForwardedFlow> => {
  const { family } = address
  const own = Cidr.single(address)
  const sent = { family, source: own, ...(peer === undefined ? {} : { destination: peer }), state: "NEW" } as const
  // Before nat, the answer to masqueraded traffic is addressed to the host.
  const isMasqueraded = Roles.makerOf(facts.chain)?.config["ipMasq"] === true
  const arriving = {
    family,
    ...(peer === undefined ? {} : { source: peer }),
    ...(isMasqueraded ? toHost(facts, uplink, family) : {}),
    state: "ESTABLISHED"
  } as const
  const answer = { ...arriving, destination: own } as const
  const common = {
    seen,
    device,
    family,
    kind: "world" as const,
    partOf,
    ...(server === undefined ? {} : { server }),
    accepted: [["-i", device], ["-o", device]]
  }
  return [
    {
      ...common,
      what: `what ${seen.title} sends${server === undefined ? "" : ` to the name server ${server}`} is`,
      at: {
        prerouting: { ...sent, inLink: device },
        forward: { ...sent, inLink: device, outLink: uplink },
        postrouting: { ...sent, outLink: uplink }
      }
    },
    {
      ...common,
      what: `answers${server === undefined ? "" : ` of the name server ${server}`} to ${seen.title} are`,
      at: {
        prerouting: { ...arriving, inLink: uplink },
        forward: { ...answer, inLink: uplink, outLink: device },
        postrouting: { ...answer, outLink: device }
      }
    }
  ]
}

/** Traffic to the world. */
const world = (facts: Facts, one: Routed.Routed): ReadonlyArray<ForwardedFlow> =>
  beyond(facts, one, {
    peer: Routed.elsewhere[one.address.family],
    uplink: Destinations.uplinkOf(facts, one),
    partOf: ["world", "world-large"]
  })

/** The most name servers that are followed. Resolvers ask three. */
const mostServers = 8

/** Traffic to each name server of a container that the host forwards to. */
const nameServers = (facts: Facts, one: Routed.Routed): ReadonlyArray<ForwardedFlow> => {
  const network = hostOf(facts)?.network
  const servers = new Set((one.seen.result.dns?.nameservers ?? []).map(String))
  return [...servers].slice(0, mostServers).flatMap((server) => {
    const peer = Cidr.parseAddress(server)
    if (peer === undefined || peer.family !== one.address.family || Cidr.isLoopback(peer)) return []
    if (network !== undefined && Namespace.hasAddress(network, peer)) return []
    const uplink = Destinations.linkTo(facts, one, peer)
    return uplink === undefined ? [] : beyond(facts, one, { peer, uplink, server, partOf: ["name-server"] })
  })
}

/**
 * The link by which the world reaches a published port: the one whose subnet has its address, or an uplink. Any link
 * reaches an address without a subnet, as on `lo`.
 */
const entryOf = (facts: Facts, one: Routed.Routed, hostIP: Cidr.Cidr | undefined): string | undefined => {
  if (hostIP === undefined || hostIP.address === 0n) return Destinations.uplinkOf(facts, one)
  const owners =
    hostOf(facts)?.network.links.flatMap(({ addresses, name }) =>
      addresses.filter((each) => Cidr.isSameAddress(each, hostIP)).map(({ length }) => ({ length, name }))
    ) ?? []
  const [owner] = owners
  return owner === undefined || owner.length < Cidr.single(hostIP).length
    ? owner?.name
    : Destinations.uplinkOf(facts, one)
}

/** Traffic from outside to a published port, from any sender, and the answers. */
const published = (facts: Facts, one: Routed.Routed, mapping: PortMapping): ReadonlyArray<ForwardedFlow> => {
  const { address, device, seen } = one
  const { family } = address
  const { containerPort, hostPort, protocol } = mapping
  const hostIP = Cidr.parseAddress(mapping.hostIP)
  if (hostIP !== undefined && (hostIP.family !== family || Cidr.isLoopback(hostIP))) return []
  const entry = entryOf(facts, one, hostIP)
  if (entry === undefined || Routed.uplinksOf(facts, family).length === 0) return []
  const own = Cidr.single(address)
  const arriving = { family, protocol, state: "NEW", inLink: entry, sourceOutside: Cidr.network(address) } as const
  const mapped = { ...arriving, destination: own, port: containerPort, isMapped: true } as const
  const matches = ["-o", device, "-p", protocol, "-d", Cidr.addressText(own), "--dport", String(containerPort)]
  const common = { seen, device, family, mapping, kind: "published", partOf: ["port-world"] } as const
  const peer = Routed.elsewhere[family]
  const answer = {
    family,
    protocol,
    source: own,
    ...(peer === undefined ? {} : { destination: peer }),
    port: ephemeral,
    state: "ESTABLISHED"
  } as const
  const answers = {
    ...common,
    accepted: [["-i", device]],
    what: `what port ${hostPort}/${protocol} of ${seen.title} answers is`,
    at: {
      prerouting: { ...answer, inLink: device },
      forward: { ...answer, inLink: device, outLink: entry },
      postrouting: { ...answer, outLink: entry }
    }
  }
  return [{
    ...common,
    accepted: [matches],
    what: `what comes in for port ${hostPort}/${protocol} of ${seen.title} (${
      Cidr.addressText(own)
    }:${containerPort}) is`,
    at: {
      prerouting: {
        ...toHost(facts, entry, family),
        ...(hostIP === undefined || hostIP.address === 0n ? {} : { destination: hostIP }),
        ...arriving,
        port: hostPort,
        isForHost: true
      },
      forward: { ...mapped, outLink: device },
      postrouting: {
        family,
        protocol,
        state: "NEW",
        destination: own,
        port: containerPort,
        isMapped: true,
        outLink: device
      }
    }
  }, answers]
}

/** Matches that let traffic and its answers through between two links, which may be the same. */
const bothWays = (from: string, to: string): ForwardedFlow["accepted"] => [
  ["-i", from, "-o", to],
  ...(from === to ? [] : [["-i", to, "-o", from]])
]

/** Matches that let answers through on a link. */
const answered = (option: "-i" | "-o", link: string): ForwardedFlow["accepted"] => [
  [option, link, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
]

/**
 * Traffic of a container to a published port of another, or to its own. It goes back on the links that it came from.
 */
const publishedInside = (
  facts: Facts,
  one: Routed.Routed,
  mapping: PortMapping,
  routed: ReadonlyArray<Routed.Routed>
): ReadonlyArray<ForwardedFlow> => {
  const { address, device, seen } = one
  const { family } = address
  const { containerPort, hostPort, protocol } = mapping
  const hostIP = Cidr.parseAddress(mapping.hostIP)
  if (hostIP !== undefined && (hostIP.family !== family || Cidr.isLoopback(hostIP))) return []
  const other = routed.find((each) =>
    each.address.family === family && each.seen.attachment.netns !== seen.attachment.netns
  )
  return [...(other === undefined ? [] : [other]), one].flatMap((from): ReadonlyArray<ForwardedFlow> => {
    const [source, destination] = [Cidr.single(from.address), Cidr.single(address)]
    const arriving = { family, source, protocol, state: "NEW", inLink: from.device } as const
    const mapped = { ...arriving, destination, port: containerPort, isMapped: true, outLink: device } as const
    const { inLink: _, ...leaving } = mapped
    const common = {
      seen,
      device,
      family,
      kind: "inside",
      mapping,
      partOf: [from === one ? "port-itself" : "port-container"],
      accepted: bothWays(from.device, device)
    } as const
    const title = from === one ? "itself" : seen.title
    const answer = {
      family,
      protocol,
      source: destination,
      port: ephemeral,
      isMapped: true,
      state: "ESTABLISHED"
    } as const
    return [
      {
        ...common,
        what:
          `what ${from.seen.title} sends to port ${hostPort}/${protocol} of the host, which is mapped to ${title}, is`,
        at: {
          prerouting: { ...toHost(facts, from.device, family), ...arriving, port: hostPort, isForHost: true },
          forward: mapped,
          postrouting: leaving
        }
      },
      {
        ...common,
        what: `what port ${hostPort}/${protocol} of ${seen.title} answers ${from.seen.title} is`,
        at: {
          prerouting: { ...answer, inLink: device }, // addressed to the host if it is masqueraded
          forward: { ...answer, destination: source, inLink: device, outLink: from.device },
          postrouting: { ...answer, destination: source, outLink: from.device }
        }
      }
    ]
  })
}

/**
 * Traffic between containers of one network, where iptables sees it: through the host with ptp, and within a bridge if
 * the kernel shows it. Each container sends to the next.
 */
const inside = (facts: Facts, routed: ReadonlyArray<Routed.Routed>): ReadonlyArray<ForwardedFlow> => {
  const maker = Roles.makerOf(facts.chain)
  const isBridge = maker?.type === "bridge"
  if ((!isBridge && maker?.type !== "ptp") || maker.config["portIsolation"] === true) return []
  const isSeen = (family: 4 | 6) => !isBridge || BridgeNetfilter.isOn(hostOf(facts), family)
  return ([4, 6] as const).filter(isSeen).flatMap(
    (family) => {
      const all = routed.filter(({ address, seen }) =>
        address.family === family && seen.attachment.sight._tag === "There"
      )
      return all.flatMap(({ address, device, seen }, index): ReadonlyArray<ForwardedFlow> => {
        const next = all[(index + 1) % all.length]
        if (next === undefined || next.seen.attachment.netns === seen.attachment.netns) return []
        const [source, destination] = [Cidr.single(address), Cidr.single(next.address)]
        const words = [[seen, source], [next.seen, destination]] as const
        const [from, to] = words.map(([{ title }, one]) => `${title} (${Cidr.addressText(one)})`)
        const flowOf = (packet: Packet, words: string, inLink: string, outLink: string): ForwardedFlow => ({
          seen,
          device,
          family,
          kind: "inside",
          partOf: ["peer", "routed-peer"],
          accepted: bothWays(device, next.device),
          what: `what ${words}${isBridge ? " on the same bridge" : ""} is`,
          at: {
            prerouting: { ...packet, inLink },
            forward: { ...packet, inLink, outLink },
            postrouting: { ...packet, outLink }
          }
        })
        return [
          flowOf({ family, source, destination, state: "NEW" }, `${from} sends to ${to}`, device, next.device),
          flowOf(
            { family, source: destination, destination: source, state: "ESTABLISHED" },
            `${to} answers ${from}`,
            next.device,
            device
          )
        ]
      })
    }
  )
}

/** What the host itself and a published port send each other. Rules of OUTPUT are looked at by `published-ports`. */
const publishedToHost = (
  { address, device, seen }: Routed.Routed,
  mapping: PortMapping
): ReadonlyArray<ForwardedFlow> => {
  const { family } = address
  const { containerPort, hostPort, protocol } = mapping
  const own = Cidr.single(address)
  const common = { seen, device, family, kind: "host", mapping, accepted: answered("-i", device) } as const
  const partOf = ["port-host", "port-loopback"] as const
  const sent = { family, protocol, destination: own, port: containerPort, isFromHost: true, isMapped: true } as const
  const answer = { family, protocol, source: own, port: ephemeral, isForHost: true, state: "ESTABLISHED" } as const
  return [
    {
      ...common,
      partOf,
      what: `what the host sends to port ${hostPort}/${protocol} of ${seen.title} is`,
      at: { postrouting: { ...sent, state: "NEW", outLink: device } }
    },
    {
      ...common,
      partOf,
      what: `what port ${hostPort}/${protocol} of ${seen.title} answers the host is`,
      at: { prerouting: { ...answer, inLink: device }, input: { ...answer, inLink: device } }
    }
  ]
}

/** Questions to name servers that are the host, and its answers. Rules of INPUT are looked at by `input-rules`. */
const hostNameServers = (facts: Facts, { address, device, seen }: Routed.Routed): ReadonlyArray<ForwardedFlow> => {
  const network = hostOf(facts)?.network
  const { family } = address
  const own = Cidr.single(address)
  const servers = new Set((seen.result.dns?.nameservers ?? []).map(String))
  return [...servers].slice(0, mostServers).flatMap((server): ReadonlyArray<ForwardedFlow> => {
    const peer = Cidr.parseAddress(server)
    const isHost = peer?.family === family && network !== undefined && Namespace.hasAddress(network, peer)
    if (peer === undefined || !isHost || Cidr.isLoopback(peer)) return []
    const common = { seen, device, family, kind: "host", server, partOf: ["host-name-server"] } as const
    const asked = { family, protocol: "udp", source: own, destination: peer, port: 53, isForHost: true } as const
    const answer = {
      family,
      protocol: "udp",
      source: peer,
      destination: own,
      port: ephemeral,
      isFromHost: true,
      state: "ESTABLISHED"
    } as const
    return [
      {
        ...common,
        accepted: answered("-i", device),
        what: `what ${seen.title} asks the name server ${server}, which is the host, is`,
        at: { prerouting: { ...asked, state: "NEW", inLink: device } }
      },
      {
        ...common,
        accepted: answered("-o", device),
        what: `what the host answers ${seen.title} as the name server ${server} is`,
        at: { output: { ...answer, outLink: device }, postrouting: { ...answer, outLink: device } }
      }
    ]
  })
}

/** The flows of all attachments that have a way out through the host. */
export const of = (facts: Facts, routed: ReadonlyArray<Routed.Routed>): ReadonlyArray<ForwardedFlow> => [
  ...routed.flatMap((one) => [...world(facts, one), ...nameServers(facts, one), ...hostNameServers(facts, one)]),
  ...routed.flatMap((one) => one.seen.attachment.portMappings.flatMap((mapping) => published(facts, one, mapping))),
  ...inside(facts, routed),
  ...routed.flatMap((one) =>
    one.seen.attachment.portMappings.flatMap((mapping) => [
      ...publishedInside(facts, one, mapping, routed),
      ...publishedToHost(one, mapping)
    ])
  )
]
