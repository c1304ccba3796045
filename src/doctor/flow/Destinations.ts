/** Where a container's traffic leaves the host: to the world, and to the hosts beside it. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Facts } from "../Facts.ts"
import * as Routed from "../Routed.ts"
import * as RouteDecision from "./RouteDecision.ts"

/** A peer that stands for all peers that are reached in the same way. */
export interface Destination {
  readonly peer: Cidr.Cidr
  /** The link that the host sends on. */
  readonly uplink: string
  /** The subnet of the host's own link that the peer is in; undefined for the world. */
  readonly beside: Cidr.Cidr | undefined
}

/** The link on which the host sends traffic from an address to a peer; undefined if no route leads there. */
export const linkTo = ({ host }: Facts, { address, device }: Routed.Routed, peer: Cidr.Cidr): string | undefined =>
  host === undefined || Result.isFailure(host.network) ? undefined : RouteDecision.of(
    host.policies,
    host.network.success,
    { source: Cidr.single(address), destination: Cidr.single(peer), inLink: device }
  )?.route.device

/** The link on which traffic from an address to the world leaves the host; a likely one if no route leads there. */
export const uplinkOf = (facts: Facts, one: Routed.Routed): string => {
  const { family } = one.address
  const peer = Routed.elsewhere[family]
  return (peer === undefined ? undefined : linkTo(facts, one, peer)) ?? Routed.uplinkOf(facts, family)
}

/** An address in a subnet that is not the host's own: the gateway, or else the first. */
const neighbourIn = (subnet: Cidr.Cidr, own: Cidr.Cidr, gateways: ReadonlyArray<string>): Cidr.Cidr => {
  const gateway = gateways.flatMap((text) => Cidr.parseAddress(text) ?? []).find((each) => Cidr.contains(subnet, each))
  const first = Cidr.network(subnet).address + 1n
  return gateway ?? Cidr.single({ ...subnet, address: first === own.address ? first + 1n : first })
}

/** The world, and the subnets of the links that lead to it. */
export const of = (facts: Facts, one: Routed.Routed): ReadonlyArray<Destination> => {
  const { family } = one.address
  const peer = Routed.elsewhere[family]
  const { host } = facts
  if (peer === undefined || host === undefined || Result.isFailure(host.network)) return []
  const { links, routes } = host.network.success
  const uplinks = Routed.uplinksOf(facts, family)
  const beside = links.filter(({ name }) => uplinks.includes(name)).flatMap(({ addresses, name }) =>
    addresses.filter((each) => each.family === family && !Cidr.isLinkLocal(each)).flatMap((each) => {
      const subnet = Cidr.network(each)
      if (subnet.length > (family === 4 ? 30 : 126)) return []
      const gateways = routes.filter(({ device }) => device === name).flatMap(({ gateway }) => gateway ?? [])
      const neighbour = neighbourIn(subnet, each, gateways)
      return linkTo(facts, one, neighbour) === name ? [{ peer: neighbour, uplink: name, beside: subnet }] : []
    })
  )
  return [{ peer, uplink: uplinkOf(facts, one), beside: undefined }, ...beside]
}
