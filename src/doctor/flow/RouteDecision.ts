/** Which route a forwarded packet takes. */
import * as Cidr from "../../network/Cidr.ts"
import type { Namespace } from "../../network/Namespace.ts"
import type { PolicyRule } from "../../network/PolicyRule.ts"
import type { Route } from "../../network/Route.ts"

/** What the choice of a route depends on. */
export interface Packet {
  readonly source: Cidr.Cidr
  readonly destination: Cidr.Cidr
  readonly inLink: string
}

/** The route of a packet, and the rule that chose it. */
export interface Decision {
  readonly rule: PolicyRule
  readonly route: Pick<Route, "device" | "type"> & Partial<Pick<Route, "to" | "protocol" | "metric" | "gateway">>
  /** The links of the route: several if it has several next hops. */
  readonly devices: ReadonlyArray<string>
}

const fits = ({ family, from, inLink, isUnclear, to }: PolicyRule, packet: Packet): boolean =>
  !isUnclear && family === packet.source.family && (inLink === undefined || inLink === packet.inLink) &&
  (from === undefined || Cidr.contains(from, packet.source)) &&
  (to === undefined || Cidr.contains(to, packet.destination))

/** Follows the rules of `ip rule` in their order, as the kernel does. Undefined if no rule leads anywhere. */
export const of = (
  rules: ReadonlyArray<PolicyRule>,
  { routes }: Namespace,
  packet: Packet
): Decision | undefined => {
  for (const rule of rules) {
    if (!fits(rule, packet)) continue
    if (rule.action !== undefined) return { rule, route: { type: rule.action, device: undefined }, devices: [] }
    const fitting = routes.filter(({ table, to, type }) =>
      table === rule.table && to.length > rule.passedOver && type !== "throw" && Cidr.contains(to, packet.destination)
    ).toSorted((left, right) => right.to.length - left.to.length || left.metric - right.metric)
    const [route] = fitting
    if (route === undefined) continue
    const isHop = (each: Route) => each.to.length === route.to.length && each.metric === route.metric
    return { rule, route, devices: fitting.filter(isHop).flatMap(({ device }) => device ?? []) }
  }
  return undefined
}
