/** Networks with IPv6 on hosts without. */
import { assert, describe, it } from "@effect/vitest"
import * as Check from "../../src/doctor/Check.ts"
import { ipv6Disabled } from "../../src/doctor/checks/Ipv6Disabled.ts"
import * as Host from "./host.ts"

const dual = { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "fd99::/64" }]] }

const told = (bridge: object, sysctls: { readonly [name: string]: string }) =>
  Check.examine([ipv6Disabled], Host.facts({ bridge, host: { sysctls: new Map(Object.entries(sysctls)) } })).findings
    .map(({ fix, message }) => ({ message, commands: fix.commands }))

const [byDefault, ofBridge] = ["default", "cni0"].map((link) => `net.ipv6.conf.${link}.disable_ipv6`) as [
  string,
  string
]

describe("a bridge that is a gateway of IPv6", () => {
  it("cannot be made where the host disables IPv6", () => {
    assert.deepStrictEqual(told({ ipam: dual }, { [byDefault]: "1" }), [{
      message:
        `plugins[0].ipam: the network has IPv6 addresses, and IPv6 is disabled on the host (${byDefault} is 1): ` +
        "ADD fails with \"permission denied\"",
      commands: [["sysctl", "-w", `${byDefault}=0`]]
    }])
  })

  it("has its own setting once it is there", () => {
    assert.deepStrictEqual(told({ ipam: dual }, { [ofBridge]: "0", [byDefault]: "1" }), [])
    assert.match(
      told({ ipam: dual }, { [ofBridge]: "1", [byDefault]: "0" })[0]?.message ?? "",
      /cni0\.disable_ipv6 is 1/
    )
  })

  it("is right where IPv6 is on, and does not matter without IPv6 or without a gateway", () => {
    assert.deepStrictEqual(told({ ipam: dual }, { [byDefault]: "0" }), [])
    assert.deepStrictEqual(told({}, { [byDefault]: "1" }), [])
    assert.deepStrictEqual(told({ ipam: dual, isGateway: false }, { [byDefault]: "1" }), [])
  })
})
