/** What plugins of known types do in a chain. */
import { assert, describe, it } from "@effect/vitest"
import type { Placed } from "../../src/doctor/ConfigFile.ts"
import * as Roles from "../../src/doctor/Roles.ts"
import * as Facts from "./facts.ts"

/** The chain of these plugins, each IPAM plugin after its caller. */
const chainOf = (...plugins: ReadonlyArray<string | object>): ReadonlyArray<Placed> =>
  Facts.ofFile({
    cniVersion: "1.0.0",
    name: "n",
    plugins: plugins.map((plugin) => typeof plugin === "string" ? { type: plugin } : plugin)
  }).chain

const first = (...plugins: ReadonlyArray<string | object>): Placed =>
  chainOf(...plugins)[0] ?? assert.fail("there is no plugin")

/** Of these types those for which it is so. */
const those = (types: ReadonlyArray<string>, isSo: (plugin: Placed) => boolean) =>
  types.filter((type) => isSo(first(type)))

const makers = ["bridge", "ptp", "macvlan", "ipvlan", "vlan", "host-device", "dummy", "tap", "ovs", "sriov"]
const followers = ["portmap", "firewall", "bandwidth", "sbr", "vrf"]
const others = ["tuning", "loopback", "passthrough", "calico", "cilium-cni", "tc-redirect-tap", "acme"]
const types = [...makers, ...followers, ...others]

describe("a plugin", () => {
  it("makes the interface where it is one of these", () => {
    assert.deepStrictEqual(those(types, Roles.makesInterface), makers)
  })

  it("works on what others made where it is one of these", () => {
    assert.deepStrictEqual(those(types, Roles.follows), [...followers, "tc-redirect-tap"])
  })

  it("may publish ports unless it is known not to", () => {
    assert.deepStrictEqual(those(types, Roles.mayPublishPorts), ["cilium-cni", "acme"])
  })

  it("does nothing of that as the IPAM plugin of another", () => {
    const ipamOf = (type: string) => chainOf({ type: "bridge", ipam: { type } })[1] ?? assert.fail("there is no IPAM")
    assert.deepStrictEqual(
      [
        Roles.makesInterface(ipamOf("bridge")),
        Roles.follows(ipamOf("portmap")),
        Roles.follows(ipamOf("tc-redirect-tap")),
        Roles.mayPublishPorts(ipamOf("acme"))
      ],
      [false, false, false, false]
    )
  })

  it("gets its configuration as written, and its IPAM plugin only where it hands that on", () => {
    const isIpamAsWritten = (type: string) => {
      const [plugin, ipam] = chainOf({ type, ipam: { type: "host-local" } })
      if (plugin === undefined || ipam === undefined) return assert.fail("there are no plugins")
      assert.isTrue(Roles.isAsWritten(plugin))
      return Roles.isAsWritten(ipam)
    }
    assert.deepStrictEqual(
      [...types, "ib-sriov", "bond", "flannel", "antrea"].filter(isIpamAsWritten),
      [...makers, "calico", "ib-sriov", "bond"]
    )
  })

  it("of Multus gets its configuration as written", () => {
    const { delegates } = Facts.ofFile({
      cniVersion: "1.0.0",
      name: "n",
      plugins: [{ type: "multus", delegates: [{ type: "acme" }] }]
    })
    assert.deepStrictEqual(delegates.map(Roles.isAsWritten), [true])
  })
})

describe("the subnet of a node", () => {
  const isPodCidr = (caller: string, value: unknown) => {
    const [, ipam] = chainOf({ type: caller, ipam: { type: "host-local" } })
    return Roles.isPodCidr(ipam ?? assert.fail("there is no IPAM"), value)
  }

  it("is named by these words below calico", () => {
    assert.deepStrictEqual(
      ["usePodCidr", "USEPODCIDR", "usePodCidrIPv6", "xusePodCidr", "usePodCidrIPv4", "usePodCidrs", 5].filter((word) =>
        isPodCidr("calico", word)
      ),
      ["usePodCidr", "USEPODCIDR", "usePodCidrIPv6"]
    )
  })

  it("is not named below another plugin, nor by calico itself", () => {
    assert.isFalse(isPodCidr("bridge", "usePodCidr"))
    assert.isFalse(Roles.isPodCidr(first("calico"), "usePodCidr"))
  })
})

describe("the plugin that makes the interface of a chain", () => {
  const cases: ReadonlyArray<readonly [plugins: ReadonlyArray<string>, maker: string | undefined]> = [
    [["bridge", "portmap"], "bridge"],
    [["acme", "bridge"], "bridge"],
    [["passthrough", "acme", "portmap"], "acme"],
    [["portmap", "acme"], "acme"],
    [["passthrough", "portmap"], undefined],
    [[], undefined]
  ]
  for (const [plugins, maker] of cases) {
    it(`of ${plugins.join(", ") || "nothing"} is ${maker ?? "none"}`, () => {
      assert.strictEqual(Roles.makerOf(chainOf(...plugins))?.type, maker)
    })
  }

  it("is no IPAM plugin", () => {
    assert.isUndefined(Roles.makerOf(chainOf({ type: "passthrough", ipam: { type: "acme" } })))
  })

  it("has an IPAM plugin, which is not that of another plugin", () => {
    const withIpam = (type: string) => ({ type: "bridge", ipam: { type } })
    assert.strictEqual(Roles.ipamOf(chainOf(withIpam("static")))?.type, "static")
    assert.strictEqual(
      Roles.ipamOf(chainOf({ type: "acme", ipam: { type: "dhcp" } }, withIpam("static")))?.type,
      "static"
    )
    assert.isUndefined(Roles.ipamOf(chainOf("bridge", { type: "acme", ipam: { type: "dhcp" } })))
    assert.isUndefined(Roles.ipamOf(chainOf("passthrough")))
  })
})

describe("the first plugin of a type", () => {
  it("is the first that has it", () => {
    const chain = chainOf("bridge", { type: "tuning", mtu: 1 }, { type: "tuning", mtu: 2 })
    assert.deepStrictEqual(Roles.ofType(chain, "tuning")?.config, { type: "tuning", mtu: 1 })
    assert.isUndefined(Roles.ofType(chain, "portmap"))
  })
})

describe("the bridge of a network", () => {
  const cases: ReadonlyArray<readonly [plugin: object, name: string | undefined]> = [
    [{ type: "bridge", bridge: "br1" }, "br1"],
    [{ type: "bridge" }, "cni0"],
    [{ type: "bridge", bridge: "" }, "cni0"],
    [{ type: "bridge", bridge: 5 }, "cni0"],
    [{ type: "ptp", bridge: "br1" }, undefined],
    [{ type: "passthrough" }, undefined]
  ]
  for (const [plugin, name] of cases) {
    it(`of ${JSON.stringify(plugin)} is ${name ?? "none"}`, () => {
      assert.strictEqual(Roles.bridgeOf(chainOf(plugin)), name)
    })
  }
})

describe("the host is the gateway of a network", () => {
  const cases: ReadonlyArray<readonly [plugin: object, isRouted: boolean]> = [
    [{ type: "ptp" }, true],
    [{ type: "bridge", isGateway: true }, true],
    [{ type: "bridge", isDefaultGateway: true }, true],
    [{ type: "bridge", isGateway: false, isDefaultGateway: false }, false],
    [{ type: "bridge", isGateway: "true" }, false],
    [{ type: "bridge" }, false],
    [{ type: "macvlan", isGateway: true, isDefaultGateway: true }, false],
    [{ type: "passthrough" }, false]
  ]
  for (const [plugin, isRouted] of cases) {
    it(`${isRouted ? "of" : "but not of"} ${JSON.stringify(plugin)}`, () => {
      assert.strictEqual(Roles.isRouted(chainOf(plugin)), isRouted)
    })
  }
})
