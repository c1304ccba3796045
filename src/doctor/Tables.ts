/** Routing tables besides the host's main one: those of rules, and those of links with a table (VRF). */
import * as Cidr from "../network/Cidr.ts"
import type { Namespace } from "../network/Namespace.ts"
import type { Host } from "./Facts.ts"

/** Whether a table other than `main` may lead to an address over a device. */
export const mayLead = (
  { policies }: Pick<Host, "policies">,
  { links, routes }: Namespace,
  address: Cidr.Cidr,
  device: string
): boolean => {
  const own = Cidr.single(address)
  const master = links.find(({ name }) => name === device)?.master
  const hasOwnTable = links.some(({ kind, name }) => kind === "vrf" && name === master)
  const isAsked = (table: string) =>
    policies.some((rule) =>
      rule.table === table && rule.family === address.family && (rule.to === undefined || Cidr.contains(rule.to, own))
    )
  return routes.some((route) =>
    route.device === device && route.type === "unicast" && route.table !== "main" && Cidr.contains(route.to, own) &&
    (hasOwnTable || isAsked(route.table))
  )
}
