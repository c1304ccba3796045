/** Whether answers leave a container by the interface on which the request arrived. This is the task of sbr. */
import * as Cidr from "../../network/Cidr.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/** The gateway of the host's own link in the same subnet, which may well be the container's gateway too. */
const gatewayBeside = ({ outside }: AttachedContainer.AttachedContainer, address: Cidr.Cidr): Cidr.Cidr | undefined =>
  outside?.routes.filter(({ table, to }) => table === "main" && Cidr.isDefault(to))
    .flatMap(({ gateway }) => Cidr.parseAddress(gateway ?? "") ?? [])
    .find((each) => Cidr.contains(Cidr.network(address), each))

export const answerRoutes: Check = {
  id: "answer-routes",
  phase: "attachment",
  stops: ["port-world"],
  find: (facts) => {
    const sbr = Roles.ofType(facts.chain, "sbr")
    const all = AttachedContainer.of(facts).filter(({ link }) => link !== undefined)
    if (sbr === undefined || all.length === 0) return { skipped: "no attachment has its own routing table" }
    return all.flatMap((seen) =>
      AttachedContainer.addressesOf(seen).flatMap((address): ReadonlyArray<Found> => {
        const { attachment: { ifname, netns }, inside, title } = seen
        const own = Cidr.addressText(address)
        const peer = Routed.elsewhere[address.family]
        const answer = inside.answers.find(({ from, to }) =>
          from === own && peer !== undefined && to === Cidr.addressText(peer)
        )
        const hasAnswer = answer?.device !== undefined && answer.device !== ifname
        if (!hasAnswer) return []
        const gateways = AttachedContainer.gatewaysOf(seen).filter(({ family }) => family === address.family)
        const gateway = gateways[0] ?? gatewayBeside(seen, address)
        const table = inside.routes.find((route) => route.device === ifname && !["main", "local"].includes(route.table))
          ?.table
        return [{
          level: "error",
          plugin: sbr.type,
          message: `${title}: answers from ${own} to other subnets leave by ${answer.device}, and not by ${ifname}: ` +
            (gateways.length === 0
              ? `the address has no gateway, so sbr gives ${table === undefined ? "its table" : `table ${table}`} ` +
                "no default route"
              : `${table === undefined ? "its table" : `table ${table}`} has no default route`),
          evidence: [
            `route of what is from ${own}: dev ${answer.device}, table ${answer.table}`,
            "rp_filter, or a firewall that follows connections, drops what comes from another side"
          ],
          fix: gateway === undefined || table === undefined
            ? "add a \"gateway\" to the address in \"ipam\", and restart the container"
            : Fix.run(
              gateways.length === 0
                ? "add the route, and a \"gateway\" to the address in \"ipam\", or the next container lacks it"
                : "add the route",
              Fix.inside(
                netns,
                `ip ${address.family === 6 ? "-6 " : ""}route replace default via`,
                Cidr.addressText(gateway),
                "dev",
                ifname,
                "table",
                table
              )
            )
        }]
      })
    )
  }
}
