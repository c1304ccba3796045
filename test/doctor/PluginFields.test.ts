/** What the reference plugins, and those of others, refuse in their configurations. */
import { assert, describe, it } from "@effect/vitest"
import * as PluginFields from "../../src/doctor/PluginFields.ts"

type Config = Parameters<typeof PluginFields.problems>[1]

/** The paths of the fields that are refused. */
const refused = (type: string, config: Config): ReadonlyArray<string> =>
  PluginFields.problems(type, config).map(({ path }) => path.join("."))

const messages = (type: string, config: Config): ReadonlyArray<string> =>
  PluginFields.problems(type, config).map(({ message }) => message)

const limits: ReadonlyArray<
  readonly [type: string, field: string, least: number | undefined, most: number | undefined]
> = [
  ["bridge", "mtu", 0, 2147483647],
  ["bridge", "vlan", 0, 4094],
  ["ptp", "mtu", 0, 2147483647],
  ["macvlan", "bcqueuelen", 0, undefined],
  ["vlan", "vlanId", 0, 4094],
  ["portmap", "markMasqBit", 0, 31],
  ["tuning", "txQLen", 0, undefined],
  ["bandwidth", "ingressRate", 0, undefined],
  ["bandwidth", "ingressBurst", 0, undefined],
  ["bandwidth", "egressRate", 0, undefined],
  ["bandwidth", "egressBurst", 0, undefined],
  ["vrf", "table", 0, undefined],
  ["bond", "failOverMac", 0, 2],
  ["calico", "mtu", 0, undefined],
  ["ovs", "vlan", 0, undefined],
  ["ovs", "ofport_request", 0, undefined]
]

describe("a number", () => {
  for (const [type, field, least = 0, most] of limits) {
    it(`${field} of ${type} is at least ${least}${most === undefined ? "" : `, and at most ${most}`}`, () => {
      const isRefused = (value: number) => refused(type, { [field]: value }).length > 0
      assert.deepStrictEqual([isRefused(least - 1), isRefused(least)], [true, false])
      if (most !== undefined) assert.deepStrictEqual([isRefused(most), isRefused(most + 1)], [false, true])
    })
  }

  it("of a VLAN that a trunk has is from 1 to 4094", () => {
    const trunk = (...ids: ReadonlyArray<number>) => refused("bridge", { vlanTrunk: ids.map((id) => ({ id })) })
    assert.deepStrictEqual(trunk(1, 4094), [])
    assert.deepStrictEqual(trunk(0, 4095), ["vlanTrunk.0.id", "vlanTrunk.1.id"])
  })

  it("of a port of linkerd-cni is one that there is", () => {
    const port = (value: number) => refused("linkerd-cni", { linkerd: { "incoming-proxy-port": value } })
    const outgoing = (value: number) => refused("linkerd-cni", { linkerd: { "outgoing-proxy-port": value } })
    for (const each of [port, outgoing]) {
      assert.deepStrictEqual([0, 65535].flatMap(each), [])
      assert.lengthOf([-1, 65536].flatMap(each), 2)
    }
  })

  it("of a trunk of ovs is not negative", () => {
    const trunk = [{ minID: -1, maxID: -1, id: -1 }, { minID: 0, maxID: 0, id: 0 }]
    assert.deepStrictEqual(refused("ovs", { trunk }), ["trunk.0.minID", "trunk.0.maxID", "trunk.0.id"])
  })
})

/** Texts that a plugin takes, one that it refuses, and those that the message names. */
const choices: ReadonlyArray<
  readonly [type: string, field: string, taken: ReadonlyArray<string>, refused: string, message: string]
> = [
  ["bridge", "ipMasqBackend", ["", "iptables", "nftables"], "nft", "\"iptables\" or \"nftables\""],
  ["ptp", "ipMasqBackend", ["", "iptables", "nftables"], "nft", "\"iptables\" or \"nftables\""],
  [
    "macvlan",
    "mode",
    ["", "bridge", "private", "vepa", "passthru"],
    "l2",
    "\"bridge\" or \"private\" or \"vepa\" or \"passthru\""
  ],
  ["ipvlan", "mode", ["", "l2", "l3", "l3s"], "bridge", "\"l2\" or \"l3\" or \"l3s\""],
  ["portmap", "backend", ["iptables", "nftables"], "", "\"iptables\" or \"nftables\""],
  [
    "firewall",
    "ingressPolicy",
    ["", "open", "same-bridge", "isolated"],
    "closed",
    "\"open\" or \"same-bridge\" or \"isolated\""
  ],
  ["firewall", "backend", ["", "iptables", "firewalld"], "nftables", "\"iptables\" or \"firewalld\""]
]

describe("a choice", () => {
  for (const [type, field, taken, other, message] of choices) {
    it(`${field} of ${type} is one of ${taken.join(", ")}`, () => {
      assert.deepStrictEqual(taken.flatMap((each) => refused(type, { [field]: each })), [])
      assert.deepStrictEqual(messages(type, { [field]: other }), [
        `found ${JSON.stringify(other)}, expected ${message}`
      ])
    })
  }

  it("of firewall that it does not know is passed over by it", () => {
    assert.deepStrictEqual(PluginFields.problems("firewall", { backend: "nftables" }).map((each) => each.isHarmless), [
      true
    ])
  })
})

/** Lists and objects that a plugin expects, and how the message calls them. */
const shapes: ReadonlyArray<readonly [type: string, config: Config, message: string]> = [
  ["bridge", { vlanTrunk: 5 }, "found 5, expected a list of objects with id, or minID and maxID"],
  ["portmap", { conditionsV4: "-i eth0" }, "found \"-i eth0\", expected a list of strings"],
  ["portmap", { conditionsV6: "-i eth0" }, "found \"-i eth0\", expected a list of strings"],
  ["tuning", { sysctl: { "kernel.x": "1" } }, "found the key \"kernel.x\", expected a name that begins with \"net.\""],
  ["sbr", { gateways: "10.1.0.1" }, "found \"10.1.0.1\", expected a list of addresses"],
  ["host-local", { ranges: {} }, "found an object, expected a list of lists of ranges"],
  ["host-local", { ranges: [{}] }, "found an object, expected a list of ranges: [[{ \"subnet\": … }]]"],
  ["host-local", { routes: {} }, "found an object, expected a list of routes"],
  ["static", { routes: {} }, "found an object, expected a list of routes"],
  ["static", { addresses: ["10.1.0.1/24"] }, "found \"10.1.0.1/24\", expected an object"],
  ["static", { addresses: "10.1.0.1/24" }, "found \"10.1.0.1/24\", expected a list of objects with address"],
  ["dhcp", { request: {} }, "found an object, expected a list"],
  ["dhcp", { provide: {} }, "found an object, expected a list"],
  ["azure-vnet", { ipsToRouteViaHost: "10.1.0.1" }, "found \"10.1.0.1\", expected a list of addresses"],
  ["bond", { links: "net1" }, "found \"net1\", expected a list of objects with name"],
  ["calico", { readiness_gates: "x" }, "found \"x\", expected a list of strings"],
  ["calico-ipam", { ipv4_pools: "x" }, "found \"x\", expected a list of strings"],
  ["calico-ipam", { ipv6_pools: "x" }, "found \"x\", expected a list of strings"],
  ["istio-cni", { kubernetes: { exclude_namespaces: "x" } }, "found \"x\", expected a list of strings"],
  ["linkerd-cni", { linkerd: { "ports-to-redirect": "x" } }, "found \"x\", expected a list of ports, without quotes"],
  ["linkerd-cni", { linkerd: { "inbound-ports-to-ignore": "x" } }, "found \"x\", expected a list of ports, in quotes"],
  ["linkerd-cni", { linkerd: { "outbound-ports-to-ignore": "x" } }, "found \"x\", expected a list of ports, in quotes"],
  ["linkerd-cni", { linkerd: { "subnets-to-ignore": "x" } }, "found \"x\", expected a list of networks"],
  ["multus", { defaultNetworks: "x" }, "found \"x\", expected a list of strings"],
  ["multus", { systemNamespaces: "x" }, "found \"x\", expected a list of strings"],
  ["ovs", { trunk: "x" }, "found \"x\", expected a list of objects with id, or minID and maxID"],
  ["whereabouts", { addresses: "x" }, "found \"x\", expected a list of objects with address"],
  ["whereabouts", { exclude: "x" }, "found \"x\", expected a list of networks"],
  ["aws-cni", { vethPrefix: "veths" }, "found \"veths\", expected a string of at most 4 characters"]
]

describe("a field with parts", () => {
  for (const [type, config, message] of shapes) {
    it(`of ${type} says what it expects: ${JSON.stringify(config)}`, () => {
      assert.deepStrictEqual(messages(type, config), [message])
    })
  }

  it("of host-local and static has each of its parts looked at", () => {
    const range = { rangeStart: 1, rangeEnd: 1, subnet: 1, gateway: 1 }
    assert.deepStrictEqual(refused("host-local", { ...range, ranges: [[range]] }), [
      ...Object.keys(range),
      ...Object.keys(range).map((name) => `ranges.0.0.${name}`)
    ])
    const route = { dst: 1, gw: 1, mtu: "1", advmss: "1", priority: "1", table: "1", scope: "1" }
    assert.deepStrictEqual(
      refused("static", { routes: [route], addresses: [{ address: "10.1.0.1", gateway: "x" }] }),
      [...Object.keys(route).map((name) => `routes.0.${name}`), "addresses.0.address", "addresses.0.gateway"]
    )
  })

  it("of tuning has sysctls of the network alone, written with dots or slashes", () => {
    assert.deepStrictEqual(refused("tuning", { sysctl: { "net.core.somaxconn": "1", "net/core/somaxconn": "1" } }), [])
    assert.deepStrictEqual(refused("tuning", { sysctl: { "net.core.somaxconn": 1, "xnet.y": "1", netx: "1" } }), [
      "sysctl.net.core.somaxconn",
      "sysctl.xnet.y",
      "sysctl.netx"
    ])
  })

  it("of flannel has no delegate with a name or ipam, which flannel sets itself", () => {
    const config = { delegate: { name: "n", ipam: {}, mtu: 1 } }
    const message = "found a field that flannel sets itself and rejects here"
    assert.deepStrictEqual(refused("flannel", config), ["delegate.name", "delegate.ipam"])
    assert.deepStrictEqual(messages("flannel", config), [message, message])
    assert.deepStrictEqual([refused("flannel", { delegate: null }), refused("flannel", { delegate: "x" })], [[], []])
  })
})

describe("the names of fields", () => {
  it("are those of the plugin, and those that all plugins have", () => {
    assert.deepStrictEqual(PluginFields.namesOf("vrf"), [
      "vrfname",
      "table",
      "name",
      "cniVersion",
      "type",
      "capabilities",
      "ipam",
      "dns",
      "args",
      "prevResult",
      "runtimeConfig",
      "raw",
      "label"
    ])
  })

  it("are not known of plugins of others", () => {
    assert.isUndefined(PluginFields.namesOf("calico"))
    assert.isUndefined(PluginFields.namesOf("acme"))
  })

  it("are known of these types", () => {
    assert.deepStrictEqual([...PluginFields.types].toSorted(), [
      "bandwidth",
      "bridge",
      "dhcp",
      "dummy",
      "firewall",
      "host-device",
      "host-local",
      "ipvlan",
      "loopback",
      "macvlan",
      "passthrough",
      "portmap",
      "ptp",
      "sbr",
      "static",
      "tap",
      "tuning",
      "vlan",
      "vrf"
    ])
  })
})

describe("what is refused", () => {
  it("is an error of a reference plugin, and harmless of one of others, whose versions differ", () => {
    assert.deepStrictEqual(PluginFields.problems("bridge", { mtu: "1" }).map((each) => each.isHarmless), [undefined])
    assert.deepStrictEqual(PluginFields.problems("calico", { mtu: "1" }).map((each) => each.isHarmless), [true])
  })

  it("is nothing of a plugin that is not known", () => {
    assert.deepStrictEqual(PluginFields.problems("acme", { mtu: "1" }), [])
  })
})
