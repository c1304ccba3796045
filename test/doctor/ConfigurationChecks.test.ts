/** What each check of a configuration finds, and what it does not: both halves of each condition. */
import { assert, describe, it } from "@effect/vitest"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import { chainOrder } from "../../src/doctor/checks/ChainOrder.ts"
import * as Fields from "../../src/doctor/checks/Fields.ts"
import * as Gateways from "../../src/doctor/checks/Gateways.ts"
import { addressing, subnetsOf } from "../../src/doctor/checks/IpamConfiguration.ts"
import * as JsonSyntax from "../../src/doctor/checks/JsonSyntax.ts"
import * as NetworkFiles from "../../src/doctor/checks/NetworkFiles.ts"
import { capabilities } from "../../src/doctor/checks/PluginCapabilities.ts"
import * as Specification from "../../src/doctor/checks/Specification.ts"
import * as Collect from "../../src/doctor/Collect.ts"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import type * as FactsModule from "../../src/doctor/Facts.ts"
import * as Cidr from "../../src/network/Cidr.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

type Said = string | ReadonlyArray<ReadonlyArray<string>>

const list = (...plugins: ReadonlyArray<unknown>) => ({ cniVersion: "1.0.0", name: "n", plugins })
const of = (...plugins: ReadonlyArray<unknown>) => Facts.ofFile(list(...plugins))

const specify = (
  check: Check.Check,
  cases: ReadonlyArray<readonly [what: string, facts: FactsModule.Facts, said: Said]>
) => {
  for (const [what, facts, said] of cases) it(what, () => assert.deepStrictEqual(Facts.said(check, facts), said))
}

describe("the ranges of host-local", () => {
  const at = "error host-local plugins[0].ipam"
  const ipam = (fields: object, bridge: object = {}) =>
    of({ type: "bridge", ...bridge, ipam: { type: "host-local", ...fields } })
  const range = (fields: object) => ipam({ ranges: [[{ subnet: "10.1.0.0/24", ...fields }]] })
  const apart =
    "addresses of both families in one set, but a container gets only one of them: each family needs its own set"
  specify(addressing, [
    ["are right", range({}), []],
    ["are too small", ipam({ subnet: "10.1.0.0/31" }), [[
      `${at}.subnet: 10.1.0.0/31 is too small to give addresses out of`
    ]]],
    ["are just large enough", ipam({ subnet: "10.1.0.0/30" }), []],
    ["of IPv6 are too small", ipam({ subnet: "fd00::/127" }), [[
      `${at}.subnet: fd00::/127 is too small to give addresses out of`
    ]]],
    ["of IPv6 are just large enough", ipam({ subnet: "fd00::/126" }), []],
    ["have an address in place of the subnet", ipam({ subnet: "10.1.0.5/24" }), [
      [`${at}.subnet: found "10.1.0.5/24", an address in the subnet, expected the subnet 10.1.0.0/24`]
    ]],
    ["have a gateway elsewhere", range({ gateway: "10.2.0.1" }), [
      [`${at}.ranges[0][0].gateway: 10.2.0.1 is not in the subnet 10.1.0.0/24`]
    ]],
    ["have a gateway that is the subnet itself", range({ gateway: "10.1.0.0" }), [
      [`${at}.ranges[0][0].gateway: 10.1.0.0 is the address of the subnet itself`]
    ]],
    ["have a gateway", range({ gateway: "10.1.0.254" }), []],
    ["start elsewhere", range({ rangeStart: "10.0.255.255" }), [
      [`${at}.ranges[0][0].rangeStart: 10.0.255.255 is not in the subnet 10.1.0.0/24`]
    ]],
    ["end elsewhere", range({ rangeEnd: "10.1.1.0" }), [
      [`${at}.ranges[0][0].rangeEnd: 10.1.1.0 is not in the subnet 10.1.0.0/24`]
    ]],
    ["start after their end", range({ rangeStart: "10.1.0.21", rangeEnd: "10.1.0.20" }), [
      [`${at}.ranges[0][0].rangeStart: 10.1.0.21 is after the end of the range`]
    ]],
    ["start at their end", range({ rangeStart: "10.1.0.20", rangeEnd: "10.1.0.20" }), []],
    ["start and end elsewhere", range({ rangeStart: "10.3.0.1", rangeEnd: "10.2.0.1" }), [
      [`${at}.ranges[0][0].rangeStart: 10.3.0.1 is not in the subnet 10.1.0.0/24`],
      [`${at}.ranges[0][0].rangeEnd: 10.2.0.1 is not in the subnet 10.1.0.0/24`]
    ]],
    ["are of both families in one set", ipam({ ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]] }), [
      [`${at}.ranges[0][1]: ${apart}`]
    ]],
    ["are the same in one set", ipam({ ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "10.1.0.0/24" }]] }), [
      [`${at}.ranges[0][1]: the range overlaps with another of its set (10.1.0.1-10.1.0.254)`]
    ]],
    [
      "touch in one set",
      ipam({
        ranges: [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }, { subnet: "10.1.0.0/24", rangeEnd: "10.1.0.10" }]]
      }),
      [[`${at}.ranges[0][0]: the range overlaps with another of its set (10.1.0.1-10.1.0.10)`]]
    ],
    [
      "are side by side in one set",
      ipam({
        ranges: [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.11" }, { subnet: "10.1.0.0/24", rangeEnd: "10.1.0.10" }]]
      }),
      []
    ],
    [
      "touch in two sets",
      ipam({
        ranges: [[{ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.10" }], [{
          subnet: "10.1.0.0/24",
          rangeStart: "10.1.0.10"
        }]]
      }),
      [[
        `${at}.ranges[1][0]: the range 10.1.0.10-10.1.0.254 overlaps with 10.1.0.1-10.1.0.10 of another set: host-local ` +
        "refuses both"
      ]]
    ],
    [
      "touch in two sets, the other way round",
      ipam({
        ranges: [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }], [{
          subnet: "10.1.0.0/24",
          rangeEnd: "10.1.0.10"
        }]]
      }),
      [[
        `${at}.ranges[1][0]: the range 10.1.0.1-10.1.0.10 overlaps with 10.1.0.10-10.1.0.254 of another set: host-local ` +
        "refuses both"
      ]]
    ],
    [
      "have the same numbers in two families",
      ipam({
        ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "::a01:0/120" }]]
      }),
      []
    ],
    ["are none", ipam({}), [[`${at}: no range of addresses: found neither subnet nor ranges`]]],
    ["are brought by the runtime", ipam({}, { capabilities: { ipRanges: true } }), []],
    ["are not brought by the runtime", ipam({}, { capabilities: { ipRanges: "true" } }), [
      [`${at}: no range of addresses: found neither subnet nor ranges`]
    ]],
    ["are none that can be read, which is told of the fields", ipam({ ranges: [] }), []],
    [
      "of calico have a gateway that it does not use",
      of({
        type: "calico",
        ipam: { type: "host-local", subnet: "10.1.0.0/24", gateway: "10.2.0.1" }
      }),
      []
    ],
    ["of a plugin that may change them are not looked at", of({ type: "acme", ipam: { type: "host-local" } }), []],
    ["of a plugin of the chain itself are none", of({ type: "host-local" }), []],
    [
      "of a delegate are looked at",
      of({ type: "multus", delegates: [{ type: "bridge", ipam: { type: "host-local" } }] }),
      [
        ["error host-local plugins[0].delegates[0].ipam: no range of addresses: found neither subnet nor ranges"]
      ]
    ]
  ])
})

describe("the routes of an IPAM plugin", () => {
  const routes = (type: string, ...routes: ReadonlyArray<unknown>) =>
    of({ type, ipam: { type: "host-local", subnet: "10.1.0.0/24", routes } })
  specify(addressing, [
    ["go over the network", routes("bridge", { dst: "0.0.0.0/0", gw: "10.1.0.9" }, { dst: "0.0.0.0/0" }, {}, "x"), []],
    ["go elsewhere", routes("bridge", {}, { dst: "0.0.0.0/0", gw: "10.2.0.1" }), [
      ["error host-local plugins[0].ipam.routes[1].gw: the gateway 10.2.0.1 is in no subnet of the network (10.1.0.0/24)"]
    ]],
    ["go elsewhere, as those of ptp may", routes("ptp", { gw: "10.2.0.1" }), []],
    [
      "go elsewhere, which a wrong range is told before",
      of({
        type: "bridge",
        ipam: { type: "host-local", subnet: "10.1.0.5/24", routes: [{ gw: "10.2.0.1" }] }
      }),
      [[
        "error host-local plugins[0].ipam.subnet: found \"10.1.0.5/24\", an address in the subnet, expected the subnet 10.1.0.0/24"
      ]]
    ],
    [
      "go anywhere, where no subnet is known",
      of({
        type: "bridge",
        capabilities: { ipRanges: true },
        ipam: { type: "host-local", routes: [{ gw: "10.2.0.1" }] }
      }),
      []
    ],
    [
      "are no list",
      of({ type: "bridge", ipam: { type: "host-local", subnet: "10.1.0.0/24", routes: { gw: "10.2.0.1" } } }),
      []
    ]
  ])
})

describe("the addresses of static", () => {
  const ipam = (fields: object, bridge: object = {}) =>
    of({ type: "bridge", ...bridge, ipam: { type: "static", ...fields } })
  const at = "plugins[0].ipam"
  const none = [[`note static ${at}: no addresses, so each attachment must bring its own through IP= in CNI_ARGS`]]
  const attached = { attachments: [Host.attachment()] }
  const bare = { attachments: [Host.attachment({ result: Host.resultWith({ ips: [] }) })] }
  specify(addressing, [
    ["are right", ipam({ addresses: [{ address: "10.1.0.2/24", gateway: "10.1.0.1" }] }), []],
    ["need no gateway", ipam({ addresses: [{ address: "10.1.0.2/24" }] }), []],
    [
      "have a gateway elsewhere",
      ipam({ addresses: [{ address: "10.1.0.2/24" }, { address: "10.1.0.2/24", gateway: "10.2.0.1" }] }),
      [
        [`error static ${at}.addresses[1].gateway: 10.2.0.1 is not in the subnet 10.1.0.0/24`]
      ]
    ],
    ["are no addresses, which is told of the fields", ipam({ addresses: [{ address: "x", gateway: "10.2.0.1" }] }), []],
    ["are none", ipam({}), none],
    ["are none in an empty list", ipam({ addresses: [5] }), none],
    ["are brought by the runtime", ipam({}, { capabilities: { ips: true } }), []],
    ["are not brought by the runtime", ipam({}, { capabilities: { ips: false } }), none],
    ["are brought by arguments", ipam({}, { args: {} }), []],
    ["have been brought by an attachment", { ...ipam({}), ...attached }, []],
    ["have not been brought by an attachment", { ...ipam({}), ...bare }, none],
    [
      "have a route that goes elsewhere",
      ipam({ addresses: [{ address: "10.1.0.2/24" }], routes: [{ gw: "10.2.0.1" }] }),
      [
        [`error static ${at}.routes[0].gw: the gateway 10.2.0.1 is in no subnet of the network (10.1.0.0/24)`]
      ]
    ]
  ])

  it("are in subnets, as those of host-local are", () => {
    const subnets = (ipam: object) => {
      const plugin = of({ type: "bridge", ipam }).chain[1]
      return plugin === undefined ? [] : subnetsOf(plugin).map(Cidr.text)
    }
    assert.deepStrictEqual(
      subnets({ type: "host-local", subnet: "10.1.0.0/24", ranges: [[{ subnet: "fd00::/64" }]] }),
      [
        "10.1.0.0/24",
        "fd00::/64"
      ]
    )
    assert.deepStrictEqual(subnets({ type: "static", addresses: [{ address: "10.1.0.2/24" }, 5, { address: "x" }] }), [
      "10.1.0.0/24"
    ])
    assert.deepStrictEqual([subnets({ type: "static" }), subnets({ type: "dhcp", subnet: "10.1.0.0/24" })], [[], []])
  })
})

describe("the file of name servers of host-local", () => {
  const { host } = Host.facts({ host: { files: new Set(["/etc/resolv.conf"]) } })
  const withHost = (ipam: object) => ({
    ...of({ type: "bridge", ipam: { type: "host-local", subnet: "10.1.0.0/24", ...ipam } }),
    host
  })
  specify(addressing, [
    ["is there", withHost({ resolvConf: "/etc/resolv.conf" }), []],
    ["is not there", withHost({ resolvConf: "/none" }), [
      ["error host-local plugins[0].ipam.resolvConf: there is no file /none"]
    ]],
    ["is none", withHost({ resolvConf: "" }), []],
    [
      "is not looked for where the host was not",
      of({
        type: "bridge",
        ipam: { type: "host-local", subnet: "10.1.0.0/24", resolvConf: "/none" }
      }),
      []
    ]
  ])
})

describe("the order of a chain", () => {
  const first = (
    type: string,
    at = 0
  ) => [`error ${type} plugins[${at}].type: ${type} stands first, and works only on what a plugin before it has made`]
  const second = (
    type: string,
    maker: string,
    at = 1
  ) => [
    `error ${type} plugins[${at}].type: ${type} makes the interface that ${maker} has made already: ADD fails, or loses its result`
  ]
  const old = (cniVersion: string, plugin: object) => Facts.ofFile({ cniVersion, name: "n", plugins: [plugin] })
  const bare = (
    type: string,
    version: string
  ) => [
    `error ${type} plugins[0].type: ${type} without "ipam" has no address, and a result of version ${version} must have one`
  ]
  const device = [
    "error host-device plugins[0].type: host-device has no device: found none of device, hwaddr, kernelpath, pciBusID"
  ]
  specify(chainOrder, [
    ["is right", of("passthrough", { type: "bridge" }, { type: "portmap" }), []],
    ["begins with a plugin that follows", of({ type: "passthrough" }, { type: "portmap" }, { type: "bridge" }), [
      first("portmap", 1)
    ]],
    ["begins with a plugin that follows, on a result of its own", of({ type: "portmap", prevResult: {} }), []],
    ["begins with a plugin that follows, on what is no result", of({ type: "portmap", prevResult: "x" }), [
      first("portmap")
    ]],
    ["has two plugins that make the interface", of({ type: "bridge" }, { type: "acme" }, { type: "macvlan" }), [
      second("macvlan", "bridge", 2)
    ]],
    ["has three plugins that make the interface", of({ type: "bridge" }, { type: "dummy" }, { type: "tap" }), [
      second("dummy", "bridge"),
      second("tap", "bridge", 2)
    ]],
    ["has ptp without addresses", of({ type: "ptp" }), [
      ["error ptp plugins[0].ipam: ptp needs addresses, and there is no \"ipam\" with a type"]
    ]],
    ["has ptp with addresses", of({ type: "ptp", ipam: { type: "dhcp" } }), []],
    ["has ptp, and another has the addresses", of({ type: "ptp" }, { type: "acme", ipam: { type: "dhcp" } }), [
      ["error ptp plugins[0].ipam: ptp needs addresses, and there is no \"ipam\" with a type"]
    ]],
    ["has host-device without a device", of({ type: "host-device", device: "", hwaddr: 5 }), [device]],
    ["has host-device with a device of the runtime", of({ type: "host-device", capabilities: { deviceID: true } }), []],
    ["has host-device with no device of the runtime", of({ type: "host-device", capabilities: { deviceID: "true" } }), [
      device
    ]],
    ...["device", "hwaddr", "kernelpath", "pciBusID"].map((name) =>
      [`has host-device with ${name}`, of({ type: "host-device", [name]: "x" }), []] as const
    ),
    ...["bridge", "macvlan"].map((type) =>
      [`has ${type} without addresses in an old version`, old("0.2.0", { type }), [bare(type, "0.2.0")]] as const
    ),
    ["has host-device without addresses in an old version", old("0.1.0", { type: "host-device", device: "x" }), [
      bare("host-device", "0.1.0")
    ]],
    ["has bridge with addresses in an old version", old("0.2.0", { type: "bridge", ipam: { type: "dhcp" } }), []],
    ["has bridge without addresses", old("0.3.0", { type: "bridge" }), []],
    ["has bridge without addresses in a version that is none", old("0.0.1", { type: "bridge" }), []],
    ["has dummy without addresses in an old version", old("0.2.0", { type: "dummy" }), []]
  ])

  const burst = (fields: object, bridge: object = {}) =>
    of({ type: "bridge", ...bridge }, { type: "bandwidth", ...fields })
  const small = (key: string, bits: number, mtu = 1500) => [
    `warning bandwidth plugins[1].${key}: found ${bits} bits, less than one packet of ${mtu} bytes, so larger packets are dropped`
  ]
  specify(chainOrder, [
    ["has bandwidth with a small burst", burst({ ingressBurst: 11_999, egressBurst: 1 }), [
      small("ingressBurst", 11_999),
      small("egressBurst", 1)
    ]],
    ["has bandwidth with just enough", burst({ ingressBurst: 12_000 }), []],
    ["has bandwidth without a burst", burst({ ingressBurst: 0, egressBurst: "x" }), []],
    ["has bandwidth with too small a burst for the MTU", burst({ ingressBurst: 12_000 }, { mtu: 1501 }), [
      small("ingressBurst", 12_000, 1501)
    ]],
    ["has bandwidth with enough for the MTU", burst({ ingressBurst: 8000 }, { mtu: 1000 }), []],
    [
      "has bandwidth, where nothing makes the interface",
      of({ type: "acme" }, { type: "bandwidth", ingressBurst: 1 }),
      []
    ],
    ["has bandwidth as an IPAM plugin", of({ type: "bridge", ipam: { type: "bandwidth", ingressBurst: 1 } }), []]
  ])

  const hairpin = ["error bridge plugins[0].promiscMode: bridge refuses hairpinMode and promiscMode together"]
  const marks = ["error portmap plugins[1].markMasqBit: portmap refuses externalSetMarkChain and markMasqBit together"]
  const portmap = (fields: object) => of({ type: "bridge" }, { type: "portmap", ...fields })
  specify(chainOrder, [
    ["has a bridge with two modes", of({ type: "bridge", hairpinMode: true, promiscMode: true }), [hairpin]],
    ["has a bridge with one mode", of({ type: "bridge", hairpinMode: true, promiscMode: false }), []],
    ["has a bridge with the other mode", of({ type: "bridge", hairpinMode: false, promiscMode: true }), []],
    ["has another plugin with two modes", of({ type: "acme", hairpinMode: true, promiscMode: true }), []],
    ["has portmap with two marks", portmap({ externalSetMarkChain: "X", markMasqBit: 0 }), [marks]],
    ["has portmap with a chain", portmap({ externalSetMarkChain: "X" }), []],
    ["has portmap with a bit", portmap({ markMasqBit: 0 }), []],
    ["has another plugin with two marks", of({ type: "acme", externalSetMarkChain: "X", markMasqBit: 0 }), []]
  ])
})

describe("the gateways of a bridge", () => {
  const bridge = (fields: object, ipam: object) =>
    of({ type: "bridge", isGateway: true, ...fields, ipam: { type: "host-local", ...ipam } })
  const sets = (...subnets: ReadonlyArray<string>) => ({ ranges: subnets.map((subnet) => [{ subnet }]) })
  const none = "no bridge is configured as a gateway"
  const twice = [
    "error bridge plugins[0].ipam.routes[1]: isDefaultGateway adds a default route, and there is one without gw already: " +
    "ADD fails with \"file exists\""
  ]
  const routes = (...routes: ReadonlyArray<unknown>) => ({
    subnet: "10.1.0.0/24",
    routes: [{ dst: "10.0.0.0/8" }, ...routes]
  })
  specify(Gateways.bridgeGateways, [
    ["are one", bridge({}, sets("10.1.0.0/24", "fd00::/64", "fd01::/64")), []],
    ["are two of IPv4", bridge({}, sets("10.1.0.0/24", "10.2.0.0/24")), [[
      "error bridge plugins[0].ipam.ranges: found 2 gateways of IPv4, 10.1.0.1/24 and 10.2.0.1/24, and the plugin bridge " +
      "gives a bridge one: ADD fails"
    ]]],
    [
      "are one of two ranges",
      bridge({}, {
        ranges: [[{ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.9" }, { subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }]]
      }),
      []
    ],
    ["are none of a bridge that is no gateway", bridge({ isGateway: false }, sets("10.1.0.0/24")), none],
    ["are none of a bridge without addresses", of({ type: "bridge", isGateway: true }), none],
    ["are none without a bridge", of({ type: "ptp", ipam: { type: "host-local", ...sets("10.1.0.0/24") } }), none],
    [
      "are not known of another IPAM plugin",
      of({ type: "bridge", isGateway: true, ipam: { type: "dhcp", ...sets("10.1.0.0/24", "10.2.0.0/24") } }),
      []
    ],
    ["have two default routes", bridge({ isDefaultGateway: true }, routes({ dst: "0.0.0.0/0" })), [twice]],
    ["have two default routes of IPv6", bridge({ isDefaultGateway: true }, routes({ dst: "::/0", gw: "" })), [twice]],
    [
      "have a default route over another gateway",
      bridge({ isDefaultGateway: true }, routes({ dst: "0.0.0.0/0", gw: "10.1.0.9" })),
      []
    ],
    ["have other routes", bridge({ isDefaultGateway: true }, routes({ dst: "x" }, "0.0.0.0/0", {})), []],
    ["have a default route that they do not add", bridge({}, routes({ dst: "0.0.0.0/0" })), []],
    ["have no list of routes", bridge({ isDefaultGateway: true }, { subnet: "10.1.0.0/24", routes: {} }), []]
  ])
})

describe("a masquerade", () => {
  const warning = [
    "warning bridge plugins[0].ipMasq: ipMasq is set, but containers get no route out of their subnet, so there is " +
    "nothing to masquerade"
  ]
  const masquerading = (ipam: object, fields: object = {}) =>
    of({ type: "bridge", ipMasq: true, ...fields, ipam: { type: "host-local", ...ipam } })
  const subnet = { subnet: "10.1.0.0/24" }
  specify(Gateways.unusedMasquerade, [
    ["has nothing to do without a route", masquerading(subnet), [warning]],
    ["has nothing to do with an empty list of routes", masquerading({ ...subnet, routes: [] }), [warning]],
    ["has a route", masquerading({ ...subnet, routes: [{ dst: "10.0.0.0/8" }] }), []],
    ["has the default route of the bridge", masquerading(subnet, { isDefaultGateway: true }), []],
    ["may have routes of another IPAM plugin", of({ type: "bridge", ipMasq: true, ipam: { type: "dhcp" } }), []],
    [
      "may have routes of a plugin that nobody knows",
      of({ type: "bridge", ipMasq: true, ipam: { type: "host-local", ...subnet } }, { type: "route-override" }),
      []
    ],
    ["is not wanted", masquerading(subnet, { ipMasq: false }), "no plugin is to masquerade"]
  ])
})

describe("a capability", () => {
  const bridge = { type: "bridge", ipam: { type: "host-local", subnet: "10.1.0.0/24" } }
  const portmap = { type: "portmap" }
  const asked = (facts: FactsModule.Facts, capabilityArgs: object) => ({
    ...facts,
    capabilityArgs: capabilityArgs as never
  })
  const attached = (facts: FactsModule.Facts, ...args: ReadonlyArray<object>) => ({
    ...facts,
    attachments: args.map((capabilityArgs) => Host.attachment({ capabilityArgs: capabilityArgs as never }))
  })
  const lost = (who: string, name: string, value: unknown, place: string) => [
    `${place}no plugin of the chain declares the capability ${name}: what ${who} gives for it is lost`,
    JSON.stringify({ [name]: value })
  ]
  const flag = "--capability-args"
  const web = "the attachment of web"
  specify(capabilities, [
    ["is declared", asked(of(bridge, { ...portmap, capabilities: { portMappings: true } }), { portMappings: [1] }), []],
    [
      "is declared as off",
      asked(of(bridge, { ...portmap, capabilities: { portMappings: false } }), { portMappings: [1] }),
      [
        lost(flag, "portMappings", [1], "error portmap plugins[1]: ")
      ]
    ],
    ["is not declared by the plugin that takes it", asked(of(bridge, portmap), { portMappings: [1] }), [
      lost(flag, "portMappings", [1], "error portmap plugins[1]: ")
    ]],
    ["is not declared by the caller of the plugin that takes it", asked(of(bridge), { ipRanges: [1] }), [
      lost(flag, "ipRanges", [1], "error host-local plugins[0]: ")
    ]],
    ["of addresses is not declared by the caller of host-local", asked(of(bridge), { ips: ["x"] }), [
      lost(flag, "ips", ["x"], "error host-local plugins[0]: ")
    ]],
    ["of bandwidth is not declared", asked(of(bridge, { type: "bandwidth" }), { bandwidth: { a: 1 } }), [
      lost(flag, "bandwidth", { a: 1 }, "error bandwidth plugins[1]: ")
    ]],
    ["is taken by no plugin", asked(of(bridge), { mac: "x" }), [lost(flag, "mac", "x", "error - ")]],
    ["is not given", asked(of(bridge, portmap), { portMappings: [], bandwidth: {}, mac: null, ips: undefined }), []],
    ["is given by an attachment, and taken by no plugin", attached(of(bridge), { mac: "x" }), []],
    [
      "is given by an attachment, which a plugin would take",
      attached(of(bridge, { type: "bandwidth" }), { bandwidth: { a: 1 } }),
      [
        lost(web, "bandwidth", { a: 1 }, "error bandwidth plugins[1]: ")
      ]
    ],
    ["of ports is given by an attachment, and taken by no plugin", attached(of(bridge), { portMappings: [1] }), [
      lost(web, "portMappings", [1], "error - ")
    ]],
    [
      "of ports is given by an attachment, and a plugin may publish them itself",
      attached(of({ type: "cilium-cni" }), { portMappings: [1] }),
      []
    ],
    [
      "of ports is given by a flag, and a plugin may publish them itself",
      asked(of({ type: "cilium-cni" }), { portMappings: [1] }),
      [
        lost(flag, "portMappings", [1], "error - ")
      ]
    ],
    [
      "of ports is given by an attachment, and a plugin besides portmap may publish them",
      attached(of({ type: "cilium-cni" }, portmap), { portMappings: [1] }),
      [
        lost(web, "portMappings", [1], "error portmap plugins[1]: ")
      ]
    ],
    [
      "is lost once, for the first that gives it",
      attached(asked(of(bridge, portmap), { portMappings: [1] }), { portMappings: [2] }),
      [
        lost(flag, "portMappings", [1], "error portmap plugins[1]: ")
      ]
    ],
    ["is not known to be lost of a network that cannot be read", {
      ...asked(of(bridge, portmap), { portMappings: [1] }),
      network: undefined
    }, []],
    [
      "has a name that is nearly another",
      of({ ...bridge, capabilities: { portMapping: true, ipRanges: false, x: true } }),
      [
        ["warning bridge plugins[0].capabilities.portMapping: no runtime knows this capability: did you mean portMappings?"]
      ]
    ],
    ["is no object", asked(of({ ...bridge, capabilities: ["portMappings"] }), {}), []]
  ])

  it("is shown with 500 letters of what was given", () => {
    const said = Facts.said(capabilities, asked(of(bridge), { mac: "x".repeat(600) }))
    assert.strictEqual(said[0]?.[1]?.length, 500)
  })

  for (
    const name of [
      "portMappings",
      "ipRanges",
      "bandwidth",
      "dns",
      "ips",
      "mac",
      "infinibandGUID",
      "deviceID",
      "aliases",
      "cgroupPath"
    ]
  ) {
    it(`has the name ${name}`, () => {
      assert.deepStrictEqual(Facts.said(capabilities, of({ ...bridge, capabilities: { [name]: true } })), [])
      assert.deepStrictEqual(Facts.said(capabilities, of({ ...bridge, capabilities: { [`${name}x`]: true } })), [
        [`warning bridge plugins[0].capabilities.${name}x: no runtime knows this capability: did you mean ${name}?`]
      ])
    })
  }
})

describe("the folder of configurations", () => {
  const file = (name: string, text: string | object) =>
    ConfigFile.make(`/net.d/${name}`, typeof text === "string" ? text : JSON.stringify(text))
  const pods = file("10-pods.conflist", { ...list({ type: "bridge" }), name: "pods" })
  const bare = file("20-bare.conflist", {})
  const asked = (fields: Partial<FactsModule.Facts>) => ({
    ...Collect.ofFile(undefined, [pods, bare]),
    folder: "/net.d",
    ...fields
  })
  specify(NetworkFiles.networkFound, [
    ["has the network", asked({ file: pods, asked: "pods" }), []],
    ["is not asked about", asked({ folder: undefined, asked: "x" }), []],
    ["could not be looked at", asked({ unseen: ["x"], asked: "pod" }), "not everything could be looked at"],
    ["has none", asked({}), [["error - no network configuration in /net.d: runtimes find no network at all"]]],
    ["need have none where no runtime calls plugins", asked({ isWithoutPlugins: true }), [
      ["note - no network configuration in /net.d, and no runtime of this host needs one: there is nothing to look at"]
    ]],
    ["has one that is called nearly so", asked({ asked: "pod" }), [
      [
        "error - no network \"pod\" in /net.d: did you mean pods?",
        "/net.d/10-pods.conflist: pods",
        "/net.d/20-bare.conflist: no name"
      ]
    ]],
    ["has none that is called nearly so", asked({ asked: "web" }), [
      ["error - no network \"web\" in /net.d", "/net.d/10-pods.conflist: pods", "/net.d/20-bare.conflist: no name"]
    ]],
    ["need not have that of podman", asked({ asked: "podman" }), [
      ["note - podman has this network without a file, and nothing is attached to it: there is nothing to look at"]
    ]],
    ["need not have that of loopback links", asked({ asked: "cni-loopback" }), [
      [
        "note - cni-loopback is the loopback link of each container, which its runtime sets up without a file: there is " +
        "nothing to look at"
      ]
    ]]
  ])

  const broken = (name: string) => file(name, "{")
  const own = file("10-n.conflist", list({ type: "bridge" }))
  const again = file("20-n.conflist", list({ type: "bridge" }))
  const before = (name: string) => [
    `error - ${name} stands before 10-n.conflist and is not JSON: runtimes that look for the network stop there`,
    "the end of the file where \",\" or \"}\" should be"
  ]
  const shadowed = [
    "warning - the network \"n\" is in two files: 10-n.conflist is used, and 20-n.conflist is shadowed by it",
    "/net.d/10-n.conflist",
    "/net.d/20-n.conflist"
  ]
  specify(NetworkFiles.folderOrder, [
    ["has one file of the network", Collect.ofFile(own, [own, pods, bare]), []],
    [
      "has a file before it that stops runtimes",
      Collect.ofFile(own, [broken("05-x.conflist"), own, broken("15-y.conflist")]),
      [
        before("05-x.conflist")
      ]
    ],
    [
      "has several files before it that stop runtimes, which are one thing to mend",
      Collect.ofFile(own, [broken("04-w.conflist"), broken("05-x.conflist"), broken("06-z.conflist"), own]),
      [[
        "error - 04-w.conflist stands before 10-n.conflist and is not JSON, as 2 more do: " +
        "runtimes that look for the network stop there",
        ...before("04-w.conflist").slice(1),
        ...["05-x.conflist", "06-z.conflist"].map((name) => `${name}: ${before(name)[1]}`)
      ]]
    ],
    [
      "has many files of the network, of which one that is shadowed names itself",
      Collect.ofFile(again, [own, file("15-n.conflist", list({ type: "bridge" })), again]),
      [shadowed]
    ],
    ["has two files of the network", Collect.ofFile(own, [own, again]), [shadowed]],
    ["has two files of the network, and the second is looked at", Collect.ofFile(again, [own, again]), [shadowed]],
    ["is not that of the file", Collect.ofFile(own, [again]), []],
    ["has files without a name", Collect.ofFile(bare, [bare, file("30-bare.conflist", {})]), []],
    ["has no file to look at", Collect.ofFile(undefined, [own]), "there is no file"]
  ])

  it("is found once for all files, which are each read as often in a folder that is twice as large", () => {
    const reads = (size: number, nameOf: (index: number) => string, text: (name: string) => string) => {
      let count = 0
      const files = Array.from({ length: size }, (_, index) => {
        const { outcome, ...rest } = ConfigFile.make(`/net.d/${1000 + index}.conflist`, text(nameOf(index)))
        return Object.defineProperty(rest, "outcome", { enumerable: true, get: () => (count++, outcome) })
      }) as unknown as ReadonlyArray<ConfigFile.ConfigFile>
      for (const each of files) Check.examine(Checks.configuration, Collect.ofFile(each, files))
      return count / size
    }
    const valid = (name: string) => JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ type: "bridge" }] })
    assert.strictEqual(reads(80, String, valid), reads(40, String, valid))
    assert.isAtMost(reads(80, () => "n", valid), reads(40, () => "n", valid) + 1)
    assert.isAtMost(reads(80, String, () => "{"), reads(40, String, () => "{") + 5)
  })

  it("has a file that is told with its place", () => {
    const places = (facts: FactsModule.Facts) =>
      Check.examine([NetworkFiles.folderOrder], facts).findings.map(({ column, file, line }) => [file, line, column])
    assert.deepStrictEqual(places(Collect.ofFile(own, [broken("05-x.conflist"), own, again])), [
      ["/net.d/05-x.conflist", 1, 2],
      ["/net.d/20-n.conflist", 1, 30]
    ])
  })
})

describe("the text of a file", () => {
  specify(JsonSyntax.json, [
    ["is JSON", of(), []],
    ["is that of no file", Collect.ofFile(undefined, []), "there is no file"],
    ["has mistakes, each shown up to the end of its line", Facts.ofFile("{\"name\": \"n\", // x\n\"plugins\": [],}"), [
      ["error - a comment, which JSON does not have", "// x"],
      ["error - a trailing comma before \"}\"", ",}"]
    ]],
    ["has nothing", Facts.ofFile(""), [["error - the end of the file where a value should be"]]],
    [
      "has mistakes in files beside it",
      Collect.ofFile(ConfigFile.make("/n.conflist", "{}", [ConfigFile.make("/n/a.conf", "{,}")]), []),
      [
        ["error - \",\" where a value should be", ",}"]
      ]
    ]
  ])

  it("is shown with 200 letters of a mistake", () => {
    const said = Facts.said(JsonSyntax.json, Facts.ofFile(`{"a": x${"y".repeat(300)}}`))
    assert.strictEqual(said[0]?.[1]?.length, 200)
  })

  const twice = (line: number) => [`warning - the key "a" is there twice: what it says in line ${line} is lost`]
  specify(JsonSyntax.duplicateKeys, [
    ["has each key once", of(), []],
    ["has no file", Collect.ofFile(undefined, []), "there is no file"],
    ["has a key twice", Facts.ofFile("{\n\"a\": 1,\n\"b\": {\"a\": 1},\n\"a\": 2}"), [twice(2)]],
    [
      "has a key twice in a file beside it",
      Collect.ofFile(
        ConfigFile.make("/n.conflist", "{}", [
          ConfigFile.make("/n/a.conf", "{\"a\": 1, \"a\": 2}"),
          ConfigFile.make("/n/b.conf", "{")
        ]),
        []
      ),
      [twice(1)]
    ],
    ["is no JSON, which is told alone", Facts.ofFile("{\"a\": 1, \"a\": 2"), []]
  ])
})

describe("the name of a file", () => {
  const named = (name: string, text: string | object = list()) => Facts.ofFile(text, `/net.d/${name}`)
  const single = { name: "n", type: "bridge" }
  const notOne = ["error - found a list of plugins, expected one plugin, as the file is not called .conflist"]
  const notList = ["error - found one plugin, expected a list of plugins, as the file is called .conflist"]
  specify(Specification.fileName, [
    ["is that of a list", named("n.conflist"), []],
    ["is that of one plugin", named("n.conf", single), []],
    ["is that of one plugin too", named("n.json", single), []],
    ["is none that runtimes load", named("n.txt"), [[
      "error - runtimes load only files that end with .conflist, .conf or .json"
    ]]],
    ["is that of one plugin, for a list", named("n.conf"), [notOne]],
    ["is that of a list, for one plugin", named("n.conflist", single), [notList]],
    ["is that of a list, for what is none", named("n.conflist", { name: "n" }), []],
    ["is that of a list, for no object", named("n.conflist", "[]"), []],
    ["is that of one plugin, for no JSON", named("n.conf", "{"), []],
    ["is none", Collect.ofFile(undefined, []), "there is no file"],
    [
      "is none of what libcni keeps",
      { ...of(), file: { ...ConfigFile.make("/x", "{}"), isCached: true } },
      "there is no file"
    ]
  ])
})

describe("the specification", () => {
  specify(Specification.specification, [
    ["is kept", of({ type: "bridge" }), []],
    ["is not asked for without a file", Collect.ofFile(undefined, []), "there is no file that is JSON"],
    ["is not asked for without JSON", Facts.ofFile("{"), "there is no file that is JSON"],
    ["is not kept by a plugin, which is named", of({ type: "bridge", capabilities: 5 }), [
      ["error bridge plugins[0].capabilities: found 5, expected an object with true or false for each capability"]
    ]],
    [
      "knows fields that are nearly called so",
      Facts.ofFile({ ...list({ type: "bridge" }), disableGc: true, disablCheck: true, PLUGINS: 1, other: 1 }),
      [
        ["warning - disablCheck: runtimes do not know this field: did you mean disableCheck?"]
      ]
    ],
    [
      "knows fields that are nearly called so, unless the right one is there too",
      Facts.ofFile({ ...list({ type: "bridge" }), name: "n", nam: 1 }),
      []
    ],
    [
      "knows no fields of one plugin",
      Facts.ofFile({ cniVersion: "1.0.0", name: "n", type: "bridge", disablCheck: true }, "/n.conf"),
      []
    ],
    ["has a switch in quotes", Facts.ofFile({ ...list({ type: "bridge" }), disableCheck: "TRUE" }), [[
      "warning - disableCheck: found the string \"TRUE\", expected true without quotes: runtimes with libcni before 1.3 refuse the file"
    ]]],
    ["has at most 500 plugins", Facts.ofFile(list(...Array.from({ length: 501 }, () => ({ type: "bridge" })))), [
      ["error - plugins: found 501 plugins, expected at most 500: no others are looked at"]
    ]],
    ["has 500 plugins", Facts.ofFile(list(...Array.from({ length: 500 }, () => ({ type: "bridge" })))), []],
    [
      "is not kept by a file beside",
      Collect.ofFile(
        ConfigFile.make("/n.conflist", JSON.stringify(list({ type: "bridge" })), [
          ConfigFile.make("/n/a.conf", "{\"type\": \"x\", \"capabilities\": 5}"),
          ConfigFile.make("/n/b.conf", "{")
        ]),
        []
      ),
      [["error x capabilities: found 5, expected an object with true or false for each capability"]]
    ],
    [
      "asks nothing of delegates that are not there",
      of({ type: "multus", delegates: null }, { type: "flannel", delegate: null }),
      []
    ],
    ["asks for a name of a network of Multus", of({ type: "multus", clusterNetwork: "/net.d", delegates: [] }), []],
    ["asks for objects as delegates", of({ type: "multus", delegates: [{ type: "bridge" }, 5] }), [
      ["error multus plugins[0].delegates: found a list, expected a list of objects: configurations of plugins, or lists with plugins"]
    ]],
    [
      "asks nothing of fields of others called so",
      of({ type: "acme", delegate: 5, delegates: 5, clusterNetwork: 5 }),
      []
    ]
  ])
})

describe("a field of a list", () => {
  const fields = ["cniVersion", "name", "plugins", "disableCheck", "disableGC", "loadOnlyInlinedPlugins"]
  for (const name of fields) {
    it(`is ${name}, and is meant where it is spelt nearly so`, () => {
      const { [name]: _, ...others } = { ...list({ type: "bridge" }) } as { readonly [name: string]: unknown }
      const misspelt = `${name.slice(0, -2)}${name.at(-1)}`
      const said = Facts.said(Specification.specification, Facts.ofFile({ ...others, [misspelt]: 1 }))
      const messages = typeof said === "string" ? [] : said.map(([message]) => message)
      assert.include(messages, `warning - ${misspelt}: runtimes do not know this field: did you mean ${name}?`)
    })
  }
})

describe("the fields of plugins", () => {
  specify(Fields.fieldNames, [
    ["are known", of({ type: "bridge", isGateway: true, ISGATEWAY: true }), []],
    ["are nearly known", of({ type: "bridge", isGatway: true }), [
      ["warning bridge plugins[0].isGatway: the plugin does not know this field: did you mean isGateway?"]
    ]],
    ["are nearly known, but short", of({ type: "bridge", mtv: 1 }), []],
    ["are nearly known, but the right one is there too", of({ type: "bridge", isGateway: true, isGatway: true }), []],
    ["are those of a plugin that is not known", of({ type: "acme", isGatway: true }), []],
    [
      "are those of an IPAM plugin that may be changed",
      of({ type: "acme", ipam: { type: "host-local", rangeStrat: "x" } }),
      []
    ],
    ["are those of an IPAM plugin", of({ type: "bridge", ipam: { type: "host-local", rangeStrat: "x" } }), [
      ["warning host-local plugins[0].ipam.rangeStrat: the plugin does not know this field: did you mean rangeStart?"]
    ]]
  ])
  specify(Fields.pluginFields, [
    ["are right", of({ type: "bridge", mtu: 1400 }), []],
    ["are refused", of({ type: "bridge", mtu: "1400" }), [
      ["error bridge plugins[0].mtu: found \"1400\", expected a whole number from 0 to 2147483647, without quotes"]
    ]],
    ["are passed over", of({ type: "firewall", backend: "nftables" }), [
      ["warning firewall plugins[0].backend: found \"nftables\", expected \"iptables\" or \"firewalld\""]
    ]],
    ["are those of a delegate", of({ type: "multus", delegates: [{ type: "bridge", mtu: "1400" }] }), [
      ["error bridge plugins[0].delegates[0].mtu: found \"1400\", expected a whole number from 0 to 2147483647, without quotes"]
    ]]
  ])
})

describe("findings of one check", () => {
  const check = (count: number): Check.Check => ({
    id: "many",
    phase: "host",
    find: () =>
      Array.from(
        { length: count },
        (_, index) => ({ level: "note", message: `m${index}`, evidence: [], fix: "x" }) as never
      )
  })
  it("are a hundred at most, of which the last says how many more there are", () => {
    const found = (count: number) => {
      const { findings } = Check.examine([check(count)], of())
      return [findings.length, findings.at(-1)?.message]
    }
    assert.deepStrictEqual([found(99), found(100), found(101), found(150)], [
      [99, "m98"],
      [100, "m99"],
      [100, "m99; and 1 more of this kind"],
      [100, "m99; and 50 more of this kind"]
    ])
  })

  it("make it failed by the first that is no note", () => {
    const answering = (...levels: ReadonlyArray<string>): Check.Check => ({
      ...check(0),
      find: () => levels.map((level) => ({ level, message: level, evidence: [], fix: "x" }) as never)
    })
    const outcomes = (...checks: ReadonlyArray<Check.Check>) =>
      Check.examine(checks, of()).checks.map(({ reason, status }) => `${status}: ${reason}`)
    assert.deepStrictEqual(
      outcomes(answering(), answering("note"), answering("note", "warning", "error"), {
        ...check(0),
        find: () => Check.skipped("why")
      }),
      ["ok: ", "ok: ", "failed: warning", "skipped: why"]
    )
  })

  it("are told by their gravity, and those of equal gravity in their order", () => {
    const saying = (id: string, ...levels: ReadonlyArray<string>): Check.Check => ({
      id,
      phase: "host",
      find: () => levels.map((level) => ({ level, message: level, evidence: [], fix: "x" }) as never)
    })
    const { findings } = Check.examine([saying("a", "note", "warning"), saying("b", "error", "warning", "note")], of())
    assert.deepStrictEqual(findings.map(({ check, level }) => `${level} ${check}`), [
      "error b",
      "warning a",
      "warning b",
      "note a",
      "note b"
    ])
  })

  it("of several networks are told once, and a check is the gravest of all", () => {
    const report = (...statuses: ReadonlyArray<"ok" | "failed" | "skipped">): Check.Report => ({
      findings: [{ check: "a", level: "error", message: "m", evidence: [], fix: "x" } as never],
      checks: statuses.map((status, index) => ({ check: `c${index}`, status, reason: "" }))
    })
    const { checks, findings } = Check.merge([report("skipped", "ok", "ok"), report("ok", "failed", "skipped")])
    assert.deepStrictEqual([findings.length, checks.map(({ check, status }) => `${check} ${status}`)], [1, [
      "c0 ok",
      "c1 failed",
      "c2 ok"
    ]])
  })
})
