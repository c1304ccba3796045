/** Addresses: who has them, and whether another has them too. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import * as AddressReservations from "../../src/doctor/checks/AddressReservations.ts"
import { cacheEntries } from "../../src/doctor/checks/CacheEntries.ts"
import * as Gateways from "../../src/doctor/checks/Gateways.ts"
import * as Namespaces from "../../src/doctor/checks/Namespaces.ts"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import type { Store } from "../../src/doctor/facts/HostLocalStore.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const [uplink, cni0, veth1] = Host.outside.links
const [, eth0] = Host.inside.links
if (uplink === undefined || cni0 === undefined || veth1 === undefined || eth0 === undefined) {
  throw new Error("the healthy host has no links")
}

type Case = readonly [what: string, change: Host.Change, said: string | ReadonlyArray<ReadonlyArray<string>>]

const specify = (check: Check, cases: ReadonlyArray<Case>) => {
  for (const [what, change, said] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.said(check, Host.facts(change)), said))
  }
}

const reservation = (address: string, fields: Partial<Store["reservations"][number]> = {}) => ({
  file: `/networks/n/${address}`,
  address,
  containerId: `c${address.split(".").at(-1)}`,
  ifname: "eth0",
  isGone: false,
  reason: "why",
  ...fields
})
const store = (fields: Partial<Store>): Host.Change => ({
  facts: {
    store: { folder: "/networks/n", reservations: [], unread: [], problem: undefined, unwritable: undefined, ...fields }
  }
})
const reserved = (...reservations: Store["reservations"]) => store({ reservations })
const noStore = { facts: { store: undefined } }
const skipped = "the network has no store of host-local"

describe("the store of host-local", () => {
  specify(AddressReservations.storeUsable, [
    ["is right", {}, []],
    ["is none", noStore, skipped],
    ["cannot be read", store({ problem: "not a directory", unwritable: { at: "/", reason: "x" } }), [
      ["error host-local the store /networks/n cannot be read: not a directory"]
    ]],
    ["cannot be written", store({ unwritable: { at: "/var", reason: "no space left on device" } }), [
      ["error host-local the store /networks/n cannot be written: no space left on device: the next ADD fails"]
    ]]
  ])
})

describe("a range", () => {
  const small = (...reservations: Store["reservations"]): Host.Change => ({
    bridge: { ipam: { type: "host-local", subnet: "10.99.0.0/29" } },
    ...reserved(...reservations)
  })
  const [two, three, four, five, six] = [2, 3, 4, 5, 6].map((last) => reservation(`10.99.0.${last}`)) as [
    Store["reservations"][number],
    Store["reservations"][number],
    Store["reservations"][number],
    Store["reservations"][number],
    Store["reservations"][number]
  ]
  const gone = (each: Store["reservations"][number]) => ({ ...each, isGone: true })
  const message =
    "error host-local plugins[0].ipam: all 5 addresses of 10.99.0.1-10.99.0.6 (10.99.0.1 is the gateway) are taken"
  specify(AddressReservations.rangeExhausted, [
    ["has room", {}, []],
    ["has one address left", small(two, three, four, five), []],
    ["has none left", small(two, three, four, five, six), [[
      `${message}: the next ADD fails`,
      "10.99.0.2: c2 eth0 (why)",
      "10.99.0.3: c3 eth0 (why)",
      "10.99.0.4: c4 eth0 (why)",
      "10.99.0.5: c5 eth0 (why)",
      "10.99.0.6: c6 eth0 (why)"
    ]]],
    [
      "has none left but for those that are gone, which are told first",
      small(two, three, gone(four), five, gone(six)),
      [[
        `${message}, 2 of them by containers that are gone: the next ADD fails`,
        "10.99.0.4: c4 eth0 (why)",
        "10.99.0.6: c6 eth0 (why)",
        "10.99.0.2: c2 eth0 (why)",
        "10.99.0.3: c3 eth0 (why)",
        "10.99.0.5: c5 eth0 (why)"
      ]]
    ],
    [
      "has none left, and one is kept by a process alone, which is told first",
      small(two, three, four, { ...five, process: Host.process() }, six),
      [[
        `${message}: the next ADD fails`,
        "10.99.0.5: c5 eth0 (why)",
        "10.99.0.2: c2 eth0 (why)",
        "10.99.0.3: c3 eth0 (why)",
        "10.99.0.4: c4 eth0 (why)",
        "10.99.0.6: c6 eth0 (why)"
      ]]
    ],
    ["of two ranges has none left, each with its gateway", {
      bridge: {
        ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/30" }, { subnet: "10.98.0.0/30" }]] }
      },
      ...reserved(two, reservation("10.98.0.2"))
    }, [[
      "error host-local plugins[0].ipam.ranges[0][0]: all 2 addresses of 10.99.0.1-10.99.0.2, 10.98.0.1-10.98.0.2 " +
      "(10.99.0.1, 10.98.0.1 are gateways) are taken: the next ADD fails",
      "10.99.0.2: c2 eth0 (why)",
      "10.98.0.2: c2 eth0 (why)"
    ]]],
    ["of which the gateway is no part has none left", {
      bridge: {
        ipam: { type: "host-local", subnet: "10.99.0.0/24", rangeStart: "10.99.0.2", rangeEnd: "10.99.0.2" }
      },
      ...reserved(two)
    }, [[
      "error host-local plugins[0].ipam: the only address of 10.99.0.2-10.99.0.2 is taken: the next ADD fails",
      "10.99.0.2: c2 eth0 (why)"
    ]]],
    [
      "has room where others have addresses that it does not give",
      small(
        two,
        three,
        four,
        five,
        reservation("10.99.0.1"),
        reservation("10.99.0.9"),
        reservation("web")
      ),
      []
    ],
    ["is none without host-local", { ...small(two), bridge: { ipam: { type: "static" } } }, skipped],
    ["is none without a store", noStore, skipped],
    ["of no addresses has none to take", {
      bridge: { ipam: { type: "host-local", subnet: "10.99.0.0/32" } },
      ...reserved()
    }, []],
    ["of one address has the only one taken, by one that has no link", {
      bridge: { ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/30" }]] } },
      ...reserved({ ...two, ifname: "" })
    }, [[
      "error host-local plugins[0].ipam.ranges[0][0]: the only address of 10.99.0.1-10.99.0.2 (10.99.0.1 is the gateway) is taken: the next ADD fails",
      "10.99.0.2: c2 (why)"
    ]]]
  ])
})

describe("addresses of containers that are gone", () => {
  const gone = (last: number) => reservation(`10.99.0.${last}`, { isGone: true })
  specify(AddressReservations.staleReservations, [
    ["are none", reserved(reservation("10.99.0.2")), []],
    ["are not known", noStore, skipped],
    ["are one", reserved(reservation("10.99.0.2"), gone(3)), [
      ["warning host-local the address 10.99.0.3 is reserved for c3, which is gone", "10.99.0.3: c3 eth0 (why)"]
    ]],
    ["are two", reserved(gone(3), gone(4)), [[
      "warning host-local 2 addresses are reserved for containers that are gone",
      "10.99.0.3: c3 eth0 (why)",
      "10.99.0.4: c4 eth0 (why)"
    ]]]
  ])

  it("are told twenty at most, and how many more there are", () => {
    const found = (count: number) => {
      const reservations = Array.from({ length: count }, (_, index) => gone(index + 2))
      const [[, ...evidence] = []] = Facts.said(
        AddressReservations.staleReservations,
        Host.facts(reserved(...reservations))
      )
      return [evidence.length, evidence.at(-1)]
    }
    assert.deepStrictEqual([found(20), found(21), found(23)], [
      [20, "10.99.0.21: c21 eth0 (why)"],
      [21, "and 1 more"],
      [21, "and 3 more"]
    ])
  })
})

describe("the subnet of a network", () => {
  const withRoute = (...args: Parameters<typeof Host.route>): Host.Change => ({
    outside: { routes: [...Host.outside.routes, Host.route(...args)] }
  })
  const overlaps = (level: string, to: string, ...evidence: ReadonlyArray<string>) => [[
    `${level} host-local plugins[0].ipam: 10.99.0.0/24 overlaps with ${to}, which the host has on uplink`,
    `route ${to} dev uplink`,
    ...evidence
  ]]
  specify(AddressReservations.overlappingSubnets, [
    ["is its own", {}, []],
    ["is none without an IPAM plugin", { bridge: { ipam: {} } }, "the network has no subnet of its own"],
    ["is none without a file", { facts: { file: undefined } }, "the network has no subnet of its own"],
    ["is the host's too", withRoute("10.99.0.0/24", "uplink"), overlaps("error", "10.99.0.0/24")],
    [
      "has a part that the host has, with an address of a container",
      withRoute("10.99.0.0/25", "uplink"),
      overlaps("error", "10.99.0.0/25")
    ],
    [
      "has a part that the host has, without one",
      withRoute("10.99.0.128/25", "uplink"),
      overlaps("warning", "10.99.0.128/25")
    ],
    ["is a part of what the host has itself", withRoute("10.99.0.0/16", "uplink"), overlaps("warning", "10.99.0.0/16")],
    [
      "is a part of what the host reaches over a router",
      withRoute("10.99.0.0/16", "uplink", { protocol: "static" }),
      []
    ],
    ["is the host's too, with an address", {
      outside: {
        links: [Host.link("uplink", {}, "192.0.2.2/24", "10.99.0.77/24"), cni0, veth1],
        routes: [...Host.outside.routes, Host.route("10.99.0.0/24", "uplink")]
      }
    }, overlaps("error", "10.99.0.0/24", "uplink has 10.99.0.77/24")],
    ["is not that of another table", withRoute("10.99.0.0/24", "uplink", { table: "7" }), []],
    ["is not one that leads nowhere", withRoute("10.99.0.0/24", "uplink", { type: "blackhole" }), []],
    ["is not one that leads over no link", withRoute("10.99.0.0/24", "uplink", { device: undefined }), []],
    ["is not that to everywhere", withRoute("0.0.0.0/0", "uplink"), []],
    ["is not that of the other end of a container", withRoute("10.99.0.2/32", "veth1"), []],
    ["is not that of its VLAN", { ...withRoute("10.99.0.0/24", "cni0.100"), bridge: { vlan: 100 } }, []],
    ["is that of another VLAN", { ...withRoute("10.99.0.0/24", "cni0.200"), bridge: { vlan: 100 } }, [[
      "error host-local plugins[0].ipam: 10.99.0.0/24 overlaps with 10.99.0.0/24, which the host has on cni0.200",
      "route 10.99.0.0/24 dev cni0.200"
    ]]],
    ["is that of the host on purpose with macvlan", {
      ...withRoute("10.99.0.0/24", "uplink"),
      bridge: { type: "macvlan" }
    }, []],
    ["is not known where the links of the host are not", { host: { network: Result.fail("no ip") } }, []],
    ["is not known where the host is not", { facts: { host: undefined } }, []]
  ])

  const ptpRoutes = (kind: string, to = "10.99.0.7/32", type = "ptp"): Host.Change => ({
    bridge: { type },
    outside: { links: [...Host.outside.links, Host.link("vethX", { kind })], routes: [Host.route(to, "vethX")] }
  })
  const ofPtp = (to: string) => [[
    `warning host-local plugins[0].ipam: 10.99.0.0/24 overlaps with ${to}, which the host has on vethX`,
    `route ${to} dev vethX`
  ]]
  specify(AddressReservations.overlappingSubnets, [
    ["of ptp has a route for each container", ptpRoutes("veth"), []],
    ["of ptp is another's, which has more than one address", ptpRoutes("veth", "10.99.0.8/31"), ofPtp("10.99.0.8/31")],
    ["of ptp is another's, whose link is no pair", ptpRoutes("dummy"), ofPtp("10.99.0.7/32")],
    ["of a bridge is another's, which is a pair", ptpRoutes("veth", "10.99.0.7/32", "bridge"), ofPtp("10.99.0.7/32")]
  ])

  /** The same network beside another one with this plugin. */
  const beside = (plugin: object, change: Host.Change = {}, name = "m"): Host.Change => {
    const facts = Host.facts(change)
    const other = ConfigFile.make(
      "/etc/cni/net.d/20-m.conflist",
      JSON.stringify({ cniVersion: "1.0.0", name, plugins: [plugin] })
    )
    return { ...change, facts: { files: [...facts.file === undefined ? [] : [facts.file], other] } }
  }
  const hostLocal = (...ranges: ReadonlyArray<object>) => ({ type: "host-local", ranges: [ranges] })
  const clash = (own: string, other: string, plugin = "host-local") => [[
    `warning ${plugin} plugins[0].ipam: ${own} overlaps with ${other} of the network m`,
    "/etc/cni/net.d/20-m.conflist"
  ]]
  const low = { bridge: { ipam: hostLocal({ subnet: "10.99.0.0/24", rangeEnd: "10.99.0.99" }) } }
  const high = hostLocal({ subnet: "10.99.0.0/24", rangeStart: "10.99.0.100" })
  specify(AddressReservations.overlappingSubnets, [
    [
      "is another network's too",
      beside({ type: "bridge", bridge: "br1", ipam: hostLocal({ subnet: "10.99.0.0/16" }) }),
      clash("10.99.0.0/24", "10.99.0.0/16")
    ],
    [
      "is another network's too, on the same bridge",
      beside({ type: "bridge", ipam: hostLocal({ subnet: "10.99.0.0/24" }) }),
      clash("10.99.0.0/24", "10.99.0.0/24")
    ],
    ["is shared with another network on the same bridge", beside({ type: "bridge", ipam: high }, low), []],
    [
      "is shared with another network on another bridge",
      beside({ type: "bridge", bridge: "br1", ipam: high }, low),
      clash("10.99.0.0/24", "10.99.0.0/24")
    ],
    [
      "is shared with static addresses of another network",
      beside({ type: "bridge", bridge: "br1", ipam: { type: "static", addresses: [{ address: "10.99.0.7/24" }] } }),
      clash("10.99.0.0/24", "10.99.0.0/24")
    ],
    ["is another than another network's", beside({ type: "bridge", ipam: hostLocal({ subnet: "10.98.0.0/24" }) }), []],
    ["is another than that of a network without one", beside({ type: "bridge" }), []],
    [
      "is that of the same network in another file",
      beside({ type: "bridge", ipam: hostLocal({ subnet: "10.99.0.0/24" }) }, {}, "n"),
      []
    ],
    [
      "is that of another network, both on the network of the host",
      beside({ type: "ipvlan", ipam: hostLocal({ subnet: "10.99.0.0/24" }) }, { bridge: { type: "macvlan" } }),
      []
    ],
    [
      "is that of another network, of which one is on the network of the host",
      beside({ type: "bridge", ipam: hostLocal({ subnet: "10.99.0.0/24" }) }, { bridge: { type: "macvlan" } }),
      clash("10.99.0.0/24", "10.99.0.0/24")
    ]
  ])
})

describe("an address of a container", () => {
  const api = (address: string, fields: Parameters<typeof Host.attachment>[0] = {}) =>
    Host.attachment({ file: "/results/api", containerId: "api", netns: "/run/netns/api", ...fields }, {
      ...Host.inside,
      links: [Host.link("lo", {}, "127.0.0.1/8"), Host.link("eth0", {}, address)]
    })
  const both = (address = "10.99.0.2/24", plugin = "host-local") => [[
    `error ${plugin} web and api both have the address ${address}`,
    `/run/netns/web: ${address}`,
    `/run/netns/api: ${address}`
  ]]
  specify(AddressReservations.duplicateAddress, [
    ["is its own", { others: [api("10.99.0.3/24")] }, []],
    ["is not asked for without attachments", { facts: { attachments: [] } }, "there is no attachment"],
    ["is another's too", { others: [api("10.99.0.2/24")] }, both()],
    ["is another's too, with another length", { others: [api("10.99.0.2/16")] }, both()],
    [
      "is another's too, of a network without an IPAM plugin",
      { bridge: { ipam: {} }, others: [api("10.99.0.2/24")] },
      both("10.99.0.2/24", "-")
    ],
    ["is that of its own container", { others: [api("10.99.0.2/24", { containerId: "web" })] }, []],
    ["is that of its own namespace", { others: [api("10.99.0.2/24", { netns: "/run/netns/web" })] }, []],
    ["is that of one that is gone", { others: [api("10.99.0.2/24", { sight: { _tag: "Missing" } })] }, []],
    ["is that of one that cannot be seen", { others: [api("10.99.0.2/24", { sight: undefined as never })] }, []],
    ["of the link alone is many containers'", {
      inside: { links: [Host.link("eth0", {}, "fe80::1/64")] },
      others: [api("fe80::1/64")]
    }, []],
    ["of a network in the container is its own", {
      inside: { links: [eth0, Host.link("docker0", {}, "172.17.0.1/16")] },
      others: [api("172.17.0.1/16")]
    }, []],
    ["of the bridge that has its link is its own, and another's too", {
      inside: { links: [Host.link("eth0", { master: "br0" }), Host.link("br0", { kind: "bridge" }, "10.99.0.2/24")] },
      others: [api("10.99.0.2/24")]
    }, both()],
    ["is not looked for in the namespace of the host", {
      attachment: { sight: { _tag: "There", network: Host.inside, isHost: true } },
      others: [api("10.99.0.2/24")]
    }, []],
    ["is not looked for in a namespace that is gone", {
      attachment: { sight: { _tag: "Missing" } },
      others: [api("10.99.0.2/24")]
    }, []]
  ])

  const onHost = (name: string): Host.Change => ({ outside: { links: [uplink, Host.link(name, {}, "10.99.0.2/16")] } })
  specify(AddressReservations.duplicateAddress, [
    ["is the host's too", onHost("cni7"), [[
      "error host-local web has the address 10.99.0.2/16, which the host has on cni7",
      "/run/netns/web: 10.99.0.2/16",
      "host: cni7 10.99.0.2/16"
    ]]],
    ["is that of the host for itself alone", onHost("lo"), []],
    ["is not known where the links of the host are not", { host: { network: Result.fail("no ip") } }, []],
    ["is not known where the host is not", { facts: { host: undefined } }, []]
  ])
})

describe("the address that the plugin bridge gives its bridge", () => {
  const withAddresses = (...addresses: ReadonlyArray<string>): Host.Change => ({
    outside: { links: [uplink, Host.link("cni0", { kind: "bridge" }, ...addresses), veth1] }
  })
  const message = (has: string) =>
    `error bridge the bridge cni0 has the address ${has}, expected 10.99.0.1/24: the next ADD fails with "already has ` +
    "an IP address different from\""
  const none = "no bridge is configured as a gateway"
  specify(Gateways.bridgeAddress, [
    ["is there", {}, []],
    ["is to be made", withAddresses(), []],
    ["is to be made beside one of IPv6", withAddresses("fd00::1/64"), []],
    ["is another", withAddresses("fd00::1/64", "10.99.0.9/24", "10.98.0.1/24"), [
      [message("10.99.0.9/24"), "cni0 has 10.99.0.9/24", "cni0 has 10.98.0.1/24"]
    ]],
    ["has another length", withAddresses("10.99.0.1/16"), [[message("10.99.0.1/16"), "cni0 has 10.99.0.1/16"]]],
    ["is another, which is to be taken away", { ...withAddresses("10.99.0.9/24"), bridge: { forceAddress: true } }, []],
    ["is none of a bridge that is not there", { outside: { links: [uplink] } }, []],
    ["is none of another link", { outside: { links: [Host.link("cni0", { kind: "dummy" }, "10.99.0.9/24")] } }, []],
    ["is none where there is no gateway of IPv4", {
      ...withAddresses("10.99.0.9/24"),
      bridge: { ipam: { type: "host-local", subnet: "fd00::/64" } }
    }, []],
    [
      "is not known of another IPAM plugin",
      { ...withAddresses("10.99.0.9/24"), bridge: { ipam: { type: "dhcp" } } },
      []
    ],
    ["is none where the bridge is no gateway", { bridge: { isGateway: false } }, none],
    ["is none without a bridge", { bridge: { type: "ptp" } }, none],
    ["is none without an IPAM plugin", { bridge: { ipam: {} } }, none],
    [
      "is not known where the links of the host are not",
      { host: { network: Result.fail("no ip") } },
      "the links of the host are not known"
    ],
    ["is not known where the host is not", { facts: { host: undefined } }, "the links of the host are not known"]
  ])
})

describe("the attachment that is asked about", () => {
  const asked = (facts: Host.Change["facts"] = {}): Host.Change => ({
    facts: { attachments: [], selected: { words: "the pod shop/wep", value: "shop/wep" }, ...facts }
  })
  const operation = (fields: object) =>
    ({
      history: {
        operations: [{ verb: "ADD", end: "well", time: "T1", ...fields }],
        gone: new Set(),
        logs: []
      }
    }) as never
  const message = "error - libcni's cache has no attachment of the pod shop/wep to n: "
  const there = "attached: eth0 of web, /run/netns/web"
  specify(Namespaces.attachmentKnown, [
    ["is none", {}, "no single attachment was selected"],
    ["is there", { facts: { selected: { words: "the pod web", value: "web" } } }, []],
    [
      "is not known where not everything could be looked at",
      asked({ unseen: ["x"] }),
      "not everything could be looked at"
    ],
    ["is not there, and no name is like it", asked(), [
      [`${message}it was never attached, or is detached already`, there]
    ]],
    [
      "is not there, and a container is called nearly so",
      asked({ selected: { words: "the pod shop/wep", value: "wep" } }),
      [
        [`${message}did you mean --container-id web?`, there]
      ]
    ],
    ["is not there, and a pod is called nearly so", {
      ...asked({ all: [Host.attachment({ pod: "shop/web" })] })
    }, [[`${message}did you mean --pod shop/web?`, "attached: eth0 of shop/web (web), /run/netns/web"]]],
    ["is not there, and a pod of another network is called nearly so", {
      ...asked({ all: [Host.attachment({ pod: "shop/web", network: "m" })] })
    }, [[`${message}it was never attached, or is detached already`]]],
    ["is not there, and logs tell what was last", asked(operation({ verb: "DEL", end: "badly" })), [
      [`${message}its last operation in the logs is a DEL at T1, which failed`, there]
    ]],
    [
      "is not there, and logs tell that its ADD failed",
      asked(operation({ end: "badly" })),
      "the logs tell what became of it"
    ],
    [
      "is there in another network",
      asked({
        elsewhere: ["m", "l"],
        all: [Host.attachment({ network: "m" }), Host.attachment(), Host.attachment({ network: "l", file: "/l" })]
      }),
      [
        [`${message}it is attached to m, l`, "/var/lib/cni/results/n-web-eth0", "/l"]
      ]
    ],
    ["is there in a network whose file is not", asked({ network: undefined, elsewhere: ["m"] }), [
      ["error - libcni's cache has no attachment of the pod shop/wep to the network: it is attached to m"]
    ]],
    ["is not there in a network whose file is not", asked({ network: undefined }), [
      [
        "error - libcni's cache has no attachment of the pod shop/wep to the network: it was never attached, or is detached already"
      ]
    ]]
  ])

  it("is not there, and twenty others are told at most", () => {
    const found = (count: number, network: string) => {
      const all = Array.from({ length: count }, (_, index) => Host.attachment({ network, containerId: `c${index}` }))
      const elsewhere = network === "n" ? [] : [network]
      const [[, ...evidence] = []] = Facts.said(Namespaces.attachmentKnown, Host.facts(asked({ all, elsewhere })))
      return [evidence.length, evidence.at(-1)]
    }
    assert.deepStrictEqual([found(20, "n"), found(22, "n"), found(22, "m")], [
      [20, "attached: eth0 of c19, /run/netns/web"],
      [21, "and 2 more"],
      [20, "/var/lib/cni/results/n-web-eth0"]
    ])
  })
})

describe("the namespace of an attachment", () => {
  const sight = (sight: object): Host.Change => ({ attachment: { sight: sight as never } })
  const missing = "eth0 of web: its network namespace /run/netns/web is gone, and it was never detached"
  specify(Namespaces.namespace, [
    ["is there", {}, []],
    ["is not asked for without attachments", { facts: { attachments: [] } }, "there is no attachment"],
    ["is gone", sight({ _tag: "Missing" }), [[`warning - ${missing}`, "/var/lib/cni/results/n-web-eth0"]]],
    ["is gone of the one that is asked about", {
      ...sight({ _tag: "Missing" }),
      facts: { selected: { words: "the pod web", value: "web" } }
    }, [[`error - ${missing}`, "/var/lib/cni/results/n-web-eth0"]]],
    ["is another file", sight({ _tag: "Foreign", reason: "Invalid argument" }), [
      ["error - eth0 of web: /run/netns/web is there, and is not a network namespace", "Invalid argument"]
    ]],
    ["is that of the host", sight({ _tag: "There", network: Host.inside, isHost: true }), [
      ["error - eth0 of web: /run/netns/web is the namespace of the host itself"]
    ]],
    ["is not known", sight({ _tag: "Unseen", reason: "x" }), []]
  ])

  specify(Namespaces.cachedResult, [
    ["has a result", {}, []],
    ["is not asked for without attachments", { facts: { attachments: [] } }, "there is no attachment"],
    ["has a result that cannot be used", { attachment: { result: Result.fail("it is empty") } }, [
      ["warning - eth0 of web: the result of its ADD cannot be used: it is empty", "/var/lib/cni/results/n-web-eth0"]
    ]]
  ])

  specify(cacheEntries, [
    ["has a file in the cache that cannot be read", { facts: { damaged: [{ file: "/r", reason: "it is empty" }] } }, [
      ["error - runtimes cannot read /r: it is empty, so each DEL of this attachment fails"]
    ]]
  ])
})
