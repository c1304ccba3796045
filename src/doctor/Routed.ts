/** Containers with a way out through the host, and what the checks of that way share. */
import * as Result from "effect/Result"
import * as Cidr from "../network/Cidr.ts"
import * as AttachedContainer from "./AttachedContainer.ts"
import type { Facts } from "./Facts.ts"
import * as World from "./flow/World.ts"
import * as Roles from "./Roles.ts"

/** An address of a container that others reach through the host, and the host's link that leads to it. */
export interface Routed {
  readonly seen: AttachedContainer.AttachedContainer
  readonly address: Cidr.Cidr & { readonly text: string }
  readonly device: string
}

/** Addresses of attachments with a way out: those with routes to more than their subnet. */
export const of = (facts: Facts): ReadonlyArray<Routed> => {
  if (!Roles.isRouted(facts.chain)) return []
  return AttachedContainer.of(facts).flatMap((seen) => {
    const device = Roles.bridgeOf(facts.chain) ?? seen.hostEnd
    if (device === undefined || seen.link === undefined) return []
    const hasWayOut = (family: 4 | 6) =>
      seen.inside.routes.some(({ gateway, to, type }) =>
        to.family === family && gateway !== undefined && type === "unicast"
      )
    return AttachedContainer.addressesOf(seen).filter(({ family }) => hasWayOut(family)).map((address) => ({
      seen,
      address,
      device
    }))
  })
}

/** The answer if no attachment has a way out. */
export const none = { skipped: "no attachment has a way out through the host" }

/** Distant peers to test the rules with. */
export const elsewhere = World.peers

/** The host's links to the world. */
export const uplinksOf = ({ host }: Facts, family: 4 | 6): ReadonlyArray<string> => {
  const routes = host !== undefined && Result.isSuccess(host.network) ? host.network.success.routes : []
  const ways = routes.filter(({ table, to }) => table === "main" && Cidr.isDefault(to) && to.family === family)
  return [...new Set(ways.flatMap(({ device }) => device ?? []))]
}

/** The first of them, or a made-up one if the host has no default route. */
export const uplinkOf = (facts: Facts, family: 4 | 6): string => uplinksOf(facts, family)[0] ?? "eth0"
