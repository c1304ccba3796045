/** Whether the plugin bridge can assign the gateways to its bridge. Source: bridge, `calcGateways`, `ensureAddr`. */
import * as Result from "effect/Result"
import { isObject } from "../../json/Json.ts"
import * as Cidr from "../../network/Cidr.ts"
import type { Check } from "../Check.ts"
import { foundAt, type Placed } from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Ranges from "../Ranges.ts"
import * as Roles from "../Roles.ts"

/** The gateways of the ranges, with the length of their subnet. */
const gatewaysOf = (ipam: Placed): ReadonlyArray<Cidr.Cidr> => {
  const all = ipam.type !== "host-local" ? [] : Ranges.of(ipam.config, ipam.at).flat().map(({ gateway, subnet }) => ({
    ...gateway,
    length: subnet.length
  }))
  return [...new Map(all.map((each) => [Cidr.text(each), each])).values()]
}

const isV4 = ({ family }: Cidr.Cidr): boolean => family === 4

/** Whether a route is a default route without a gateway. */
const isPlainDefault = (route: unknown): boolean => {
  const to = isObject(route) ? Cidr.parse(String(route["dst"])) : undefined
  return isObject(route) && to !== undefined && Cidr.isDefault(to) && !route["gw"]
}

/** The types of IPAM plugins that give no other routes than those in the configuration. */
const withWrittenRoutes = new Set(["host-local", "static"])

export const unusedMasquerade: Check = {
  id: "unused-masquerade",
  phase: "configuration",
  find: ({ chain }) => {
    const maker = Roles.makerOf(chain)
    const ipam = Roles.ipamOf(chain)
    if (maker === undefined || ipam === undefined || maker.config["ipMasq"] !== true) {
      return { skipped: "no plugin is to masquerade" }
    }
    const { routes = [] } = ipam.config
    const isKnown = Roles.isAsWritten(ipam) && withWrittenRoutes.has(ipam.type) &&
      chain.every((plugin) => plugin.caller !== undefined || Roles.isWellKnown(plugin))
    const hasRoutes = !Array.isArray(routes) || routes.length > 0 || maker.config["isDefaultGateway"] === true
    return !isKnown || hasRoutes ? [] : [
      foundAt(maker.file, [...maker.at, "ipMasq"], {
        level: "warning",
        plugin: maker.type,
        message: "ipMasq is set, but containers get no route out of their subnet, so there is nothing to masquerade",
        fix: `add { "dst": "0.0.0.0/0" } to the routes of ${ipam.type}, or leave ipMasq out`
      })
    ]
  }
}

export const bridgeGateways: Check = {
  id: "bridge-gateways",
  phase: "configuration",
  find: ({ chain }) => {
    const bridge = Roles.makerOf(chain)
    const ipam = Roles.ipamOf(chain)
    if (bridge?.type !== "bridge" || ipam === undefined || !Roles.isRouted(chain)) {
      return { skipped: "no bridge is configured as a gateway" }
    }
    const gateways = gatewaysOf(ipam).filter(isV4)
    const { routes } = ipam.config
    const index = Array.isArray(routes) ? routes.findIndex(isPlainDefault) : -1
    const found: Array<Found> = []
    if (gateways.length > 1) {
      found.push(foundAt(ipam.file, [...ipam.at, "ranges"], {
        level: "error",
        plugin: "bridge",
        message:
          `found ${gateways.length} gateways of IPv4, ${
            gateways.map(Cidr.text).join(" and ")
          }, and the plugin bridge ` +
          "gives a bridge one: ADD fails",
        fix: "use ranges of one subnet, or a network for each subnet"
      }))
    }
    if (bridge.config["isDefaultGateway"] === true && index >= 0) {
      found.push(foundAt(ipam.file, [...ipam.at, "routes", index], {
        level: "error",
        plugin: "bridge",
        message:
          "isDefaultGateway adds a default route, and there is one without gw already: ADD fails with \"file exists\"",
        fix: "remove the route"
      }))
    }
    return found
  }
}

export const bridgeAddress: Check = {
  id: "bridge-address",
  phase: "addresses",
  find: ({ chain, earlier, host }) => {
    const name = Roles.bridgeOf(chain)
    const ipam = Roles.ipamOf(chain)
    if (name === undefined || ipam === undefined || !Roles.isRouted(chain)) {
      return { skipped: "no bridge is configured as a gateway" }
    }
    if (host === undefined || Result.isFailure(host.network)) {
      return { skipped: "the links of the host are not known", isUnknown: true }
    }
    const link = host.network.success.links.find((each) => each.name === name && each.kind === "bridge")
    const gateway = gatewaysOf(ipam).find(isV4)
    if (link === undefined || gateway === undefined || Roles.makerOf(chain)?.config["forceAddress"] === true) return []
    const present = link.addresses.filter(isV4)
    const [first] = present
    if (first === undefined || (Cidr.isSameAddress(first, gateway) && first.length === gateway.length)) return []
    const isNeeded = earlier.some((each) => Roles.bridgeOf(each.chain) === name)
    return [{
      level: isNeeded ? "warning" : "error",
      plugin: "bridge",
      message:
        `the bridge ${name} has the address ${first.text}, expected ${Cidr.text(gateway)}: the next ADD fails with ` +
        "\"already has an IP address different from\"",
      evidence: present.map(({ text }) => `${name} has ${text}`),
      fix: isNeeded
        ? "stop the containers that were attached before the edit, which need the address, and remove it then"
        : Fix.run(
          "remove the old address: the next ADD sets the right one",
          Fix.command("ip addr del", first.text, "dev", name)
        )
    }]
  }
}
