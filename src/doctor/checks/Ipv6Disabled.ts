/** Whether the host allows IPv6 addresses on its links, which a network with IPv6 needs. */
import * as Cidr from "../../network/Cidr.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import { foundAt } from "../ConfigFile.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Roles from "../Roles.ts"
import { subnetsOf } from "./IpamConfiguration.ts"

export const ipv6Disabled: Check = {
  id: "ipv6-disabled",
  phase: "addresses",
  stops: Flow.kinds,
  family: 6,
  find: (facts) => {
    const { chain, host } = facts
    const maker = Roles.makerOf(chain)
    const ipam = Roles.ipamOf(chain)
    const hasV6 = ipam !== undefined && subnetsOf(ipam).some(({ family }) => family === 6)
    if (maker === undefined || ipam === undefined || !Roles.isRouted(chain) || !hasV6) {
      return { skipped: "the host is not a gateway of IPv6" }
    }
    if (host === undefined) return { skipped: "the host was not looked at" }
    // A link that does not exist yet gets the default.
    const names = [Roles.bridgeOf(chain) ?? "", "default"].map((link) => `net.ipv6.conf.${link}.disable_ipv6`)
    const name = names.find((each) => host.sysctls.has(each))
    const bridge = Roles.bridgeOf(chain) ?? ""
    const isDefault = name === names[1]
    const enabled = Fix.sysctl("enable IPv6, or take the IPv6 range out of the network", name ?? "", 0)
    // The kernel removed the addresses of the bridge too.
    const gateways = new Set(
      AttachedContainer.of(facts).flatMap(({ result }) =>
        (result.ips ?? []).flatMap((ip) => {
          const [gateway, subnet] = [Cidr.parseAddress(ip?.gateway ?? ""), Cidr.parse(ip?.address ?? "")]
          return gateway?.family !== 6 || subnet === undefined ? [] : [Cidr.text({ ...gateway, length: subnet.length })]
        })
      )
    )
    return name === undefined || host.sysctls.get(name) !== "1" ? [] : [
      foundAt(ipam.file, ipam.at, {
        level: "error",
        plugin: maker.type,
        message: `the network has IPv6 addresses, and IPv6 is disabled on the host (${name} is 1): ADD fails with ` +
          "\"permission denied\"",
        evidence: names.flatMap((each) => host.sysctls.has(each) ? [`${each} = ${host.sysctls.get(each)}`] : []),
        fix: isDefault ? enabled : {
          ...enabled,
          commands: [
            ...enabled.commands,
            ...[...gateways].map((text) => Fix.command("ip -6 addr replace", text, "dev", bridge, "nodad"))
          ]
        }
      })
    ]
  }
}
