/** What the host has for a container: the bridge, the other end of its link, the gateway, the way back. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import * as HostSide from "../../src/doctor/checks/HostSide.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const [uplink, cni0, veth1] = Host.outside.links
const [, eth0] = Host.inside.links
if (uplink === undefined || cni0 === undefined || veth1 === undefined || eth0 === undefined) {
  throw new Error("the healthy host has no links")
}
const [byDefault, ofUplink] = Host.outside.routes
if (byDefault === undefined || ofUplink === undefined) throw new Error("the healthy host has no routes")

type Case = readonly [what: string, change: Host.Change, said: string | ReadonlyArray<ReadonlyArray<string>>]

const specify = (check: Check, cases: ReadonlyArray<Case>) => {
  for (const [what, change, said] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.said(check, Host.facts(change)), said))
  }
}

const gone = { attachment: { sight: { _tag: "Missing" } } } as const
const unknown = { host: { network: Result.fail("no ip") } }
const unseen = "there is no attachment whose namespace could be looked into"
const text = {
  uplink: "uplink: up, state UP, mtu 1500, 02:00:00:00:00:01",
  cni0: "cni0: up, state UP, mtu 1500, 02:00:00:00:00:01, bridge",
  veth1: "veth1: up, state UP, mtu 1500, 02:00:00:00:00:01, veth, port of cni0",
  eth0: "eth0: up, state UP, mtu 1500, 02:00:00:00:00:01, veth"
}
const withLinks = (...links: ReadonlyArray<typeof cni0>): Host.Change => ({ outside: { links } })

describe("the bridge of a network", () => {
  specify(HostSide.bridge, [
    ["is right", {}, []],
    ["is none of a network without one", { bridge: { type: "ptp" } }, "the network has no bridge"],
    ["is not known where the links of the host are not", unknown, "the links of the host are not known"],
    ["is not known where the host is not", { facts: { host: undefined } }, "the links of the host are not known"],
    ["is not there", withLinks(uplink, veth1), [
      ["error bridge the host has no bridge cni0, which its attachments are ports of", text.uplink, text.veth1]
    ]],
    ["need not be there without attachments", { ...withLinks(uplink, veth1), ...gone }, []],
    ["is another link", withLinks({ ...cni0, kind: "dummy" }), [
      [
        "error bridge the link cni0 of the host is not a bridge but of kind dummy",
        "cni0: up, state UP, mtu 1500, 02:00:00:00:00:01, dummy"
      ]
    ]],
    ["is a device", { ...withLinks({ ...cni0, kind: "" }), ...gone }, [
      ["error bridge the link cni0 of the host is not a bridge", "cni0: up, state UP, mtu 1500, 02:00:00:00:00:01"]
    ]],
    ["is down", withLinks({ ...cni0, isUp: false }), [
      ["error bridge the bridge cni0 is down", "cni0: down, state UP, mtu 1500, 02:00:00:00:00:01, bridge"]
    ]],
    ["may be down without attachments", { ...withLinks({ ...cni0, isUp: false }), ...gone }, []]
  ])

  it("is missed with twenty links of the host at most", () => {
    const links = Array.from({ length: 21 }, (_, index) => Host.link(`link${index}`))
    const [first = []] = Facts.said(HostSide.bridge, Host.facts({ outside: { links } }))
    assert.lengthOf(first, 21)
  })
})

describe("the address of a bridge", () => {
  const without = withLinks(uplink, { ...cni0, addresses: Host.link("", {}, "10.99.0.9/24").addresses }, veth1)
  const missing = [[
    "error bridge the bridge cni0 does not have the address 10.99.0.1/24, which is the gateway of its containers",
    "cni0 has 10.99.0.9/24"
  ]]
  specify(HostSide.gatewayAddress, [
    ["is right", {}, []],
    [
      "is right with another length",
      withLinks({ ...cni0, addresses: Host.link("", {}, "10.99.0.1/16").addresses }),
      []
    ],
    ["is none where the bridge is not there", withLinks(uplink), "the network has no bridge that is there"],
    ["is none of another link", withLinks({ ...cni0, kind: "dummy" }), "the network has no bridge that is there"],
    ["is not known where the links of the host are not", unknown, "the network has no bridge that is there"],
    ["is missing", without, missing],
    ["is missing once, though two containers need it", {
      ...without,
      facts: { attachments: [Host.attachment(), Host.attachment({ containerId: "api" })] }
    }, missing],
    ["is missing where the VLAN is none", { ...without, bridge: { vlan: 0 } }, missing],
    ["is that of a link of its own with a VLAN", { ...without, bridge: { vlan: 100 } }, []],
    ["need not be there where the host is no gateway", { ...without, bridge: { isGateway: false } }, []],
    ["need not be there without attachments", { ...without, ...gone }, []],
    ["is not known of results that say none", {
      ...without,
      attachment: {
        result: Host.resultWith({ ips: [{ address: "10.99.0.2/24" }, { gateway: "10.99.0.1" }, null] })
      }
    }, []],
    ["is none where results have no addresses", {
      ...without,
      attachment: { result: Host.emptyResult }
    }, []],
    ["has the length of the container's subnet, and its shortest form", {
      attachment: { result: Host.resultWith({ ips: [{ address: "fd00::2/80", gateway: "fd00:0::1" }] }) }
    }, [[
      "error bridge the bridge cni0 does not have the address fd00::1/80, which is the gateway of its containers",
      "cni0 has 10.99.0.1/24"
    ]]]
  ])
})

describe("the other end of a container's link", () => {
  const links = (end: Partial<typeof veth1>, bridge: Partial<typeof cni0> = {}) =>
    withLinks(uplink, { ...cni0, ...bridge }, { ...veth1, ...end })
  const down = "veth1: down, state UP, mtu 1500, 02:00:00:00:00:01, veth, port of cni0"
  specify(HostSide.hostEnd, [
    ["is right", {}, []],
    ["is not asked for without attachments", gone, unseen],
    ["is none of a plugin that makes no pair", { ...withLinks(uplink), bridge: { type: "macvlan" } }, []],
    ["is none where the container has no link", { ...withLinks(uplink), inside: { links: [] } }, []],
    ["is not known where the links of the host are not", unknown, []],
    ["is not there", withLinks(uplink, cni0), [
      ["error bridge eth0 of web: the host does not have the other end of its link, veth1", text.eth0]
    ]],
    ["is that of another link", links({ index: 13 }), [
      ["error bridge eth0 of web: veth1 is the other end of another link than eth0", text.eth0, text.veth1]
    ]],
    ["may have any number where the container's link has no pair", {
      ...links({ index: 13 }),
      inside: { links: [{ ...eth0, peer: undefined }] }
    }, []],
    ["may have any number where the container's link is of another kind", {
      ...links({ index: 13 }),
      inside: { links: [{ ...eth0, kind: "macvlan" }] }
    }, []],
    ["is down", links({ isUp: false }), [
      ["error bridge eth0 of web: the other end of its link, veth1, is down", text.eth0, down]
    ]],
    ["is no port", links({ master: undefined }), [
      [
        "error bridge eth0 of web: veth1 is not a port of any bridge, expected cni0",
        text.eth0,
        "veth1: up, state UP, mtu 1500, 02:00:00:00:00:01, veth"
      ]
    ]],
    ["is a port of another bridge", links({ master: "docker0" }), [
      [
        "error bridge eth0 of web: veth1 is a port of docker0, expected cni0",
        text.eth0,
        "veth1: up, state UP, mtu 1500, 02:00:00:00:00:01, veth, port of docker0"
      ]
    ]],
    ["need not be a port where there is no bridge", links({ master: undefined }, { kind: "dummy" }), []],
    ["need not be a port where the bridge is not there", withLinks(uplink, { ...veth1, master: undefined }), []],
    ["has a port that does not forward", links({ portState: "disabled" }), [
      [
        "error bridge eth0 of web: the bridge cni0 does not forward to veth1: its port is disabled",
        text.eth0,
        text.veth1
      ]
    ]],
    ["has a port that is off with the bridge", links({ portState: "disabled" }, { isUp: false }), []],
    ["has a port whose state is not known", links({ portState: undefined }), []],
    ["has a port that learns", links({ portState: "learning" }), []],
    ["has a port that listens", links({ portState: "listening" }), []],
    ["has a port that is off with the container's link", {
      ...links({ portState: "disabled" }),
      inside: { links: [{ ...eth0, isUp: false }] }
    }, []]
  ])

  const ptp = { bridge: { type: "ptp" }, attachment: { result: Host.resultWith({ interfaces: [{ name: "veth1" }] }) } }
  specify(HostSide.hostEnd, [
    ["is no port of ptp", { ...ptp, ...links({ master: undefined, portState: "disabled" }) }, []],
    ["is one of ptp that is down", { ...ptp, ...links({ isUp: false }) }, [
      ["error ptp eth0 of web: the other end of its link, veth1, is down", text.eth0, down]
    ]]
  ])
})

describe("the way back to a container", () => {
  const withRoutes = (...routes: ReadonlyArray<typeof byDefault>): Host.Change => ({ outside: { routes } })
  const none = [["error bridge eth0 of web: the host has no route to 10.99.0.2 over cni0"]]
  const byOther = [[
    "error bridge eth0 of web: the host has no route to 10.99.0.2 over cni0",
    "route 0.0.0.0/0 dev uplink"
  ]]
  const astray = "error bridge eth0 of web: the host sends what is for 10.99.0.2 to uplink, expected cni0"
  const more = Host.route("10.99.0.2/32", "uplink")
  specify(HostSide.wayBack, [
    ["is right", {}, []],
    [
      "is not that of the host where it is no gateway",
      { bridge: { isGateway: false } },
      "the host is not the gateway of the network"
    ],
    ["is not asked for without attachments", gone, unseen],
    ["is not there", withRoutes(), none],
    ["is that to everywhere", withRoutes(byDefault, ofUplink), byOther],
    ["leads nowhere", withRoutes({ ...more, device: undefined, type: "blackhole" }), [
      ["error bridge eth0 of web: the host has no route to 10.99.0.2 over cni0", "route 10.99.0.2/32 dev nothing"]
    ]],
    ["leads elsewhere", withRoutes(...Host.outside.routes, more), [[astray, "route 10.99.0.2/32 dev uplink"]]],
    ["is a rule's", {
      ...withRoutes(Host.route("10.99.0.0/24", "cni0", { table: "7" })),
      host: { policies: Host.policies("{\"priority\":9,\"src\":\"all\",\"table\":\"7\"}") }
    }, []],
    ["leads to a link that is not up", {
      outside: { routes: [], links: [uplink, { ...cni0, isUp: false }, veth1] }
    }, []],
    ["leads to a link that is not there", { outside: { routes: [], links: [uplink, veth1] } }, []],
    ["leads to a link of its own with a VLAN", { ...withRoutes(), bridge: { vlan: 100 } }, []],
    ["is missing where the VLAN is none", { ...withRoutes(), bridge: { vlan: 0 } }, none],
    ["needs a gateway that the bridge has", {
      outside: { routes: [], links: [uplink, { ...cni0, addresses: [] }, veth1] }
    }, []],
    ["is not known where the links of the host are not", unknown, []]
  ])

  for (const setting of ["cni0", "all"]) {
    const sysctls = (value: string) => ({ host: { sysctls: new Map([[`net.ipv4.conf.${setting}.rp_filter`, value]]) } })
    const change = withRoutes(...Host.outside.routes, more)
    specify(HostSide.wayBack, [
      [
        `that leads elsewhere stops what comes too, where rp_filter of ${setting} is 1`,
        { ...change, ...sysctls("1") },
        [
          [astray, "route 10.99.0.2/32 dev uplink", "rp_filter is 1: what comes from 10.99.0.2 is dropped, too"]
        ]
      ],
      [`that leads elsewhere stops nothing, where rp_filter of ${setting} is 2`, { ...change, ...sysctls("2") }, [
        [astray, "route 10.99.0.2/32 dev uplink"]
      ]]
    ])
  }

  const ptp = {
    bridge: { type: "ptp" },
    attachment: {
      result: Host.resultWith({
        interfaces: [{ name: "veth1" }, { name: "eth0", sandbox: "/run/netns/web" }],
        ips: [{ address: "10.99.0.2/24", interface: 1 }]
      })
    }
  }
  specify(HostSide.wayBack, [
    ["of ptp leads to the other end", { ...ptp, ...withRoutes(Host.route("10.99.0.2/32", "veth1")) }, []],
    ["of ptp is not there", { ...ptp, ...withRoutes(byDefault) }, [
      ["error ptp eth0 of web: the host has no route to 10.99.0.2 over veth1", "route 0.0.0.0/0 dev uplink"]
    ]]
  ])
})

describe("a gateway", () => {
  const probe = (hasAnswered: boolean | undefined, address = "10.99.0.1") => ({
    attachment: { probes: [{ address, device: "eth0", hasAnswered }] }
  })
  const silent = probe(false)
  const asked = "asked on eth0 of the namespace, by ARP or neighbour discovery"
  const found = [["error bridge eth0 of web: the gateway 10.99.0.1 does not answer from inside", asked]]
  const links = (end: Partial<typeof veth1>, bridge: Partial<typeof cni0> = {}): Host.Change => ({
    ...silent,
    ...withLinks(uplink, { ...cni0, ...bridge }, { ...veth1, ...end })
  })
  specify(HostSide.gatewayAnswers, [
    ["that answers is right", {}, []],
    ["of which nothing is known is right", probe(undefined), []],
    ["is not asked for without attachments", gone, unseen],
    ["is none where no route needs one", { attachment: { probes: [] } }, "no route of a container needs a gateway"],
    ["does not answer", silent, found],
    ["does not answer, but its cause is told: no link", { ...silent, inside: { links: [] } }, []],
    ["does not answer, but its cause is told: a link that is down", {
      ...silent,
      inside: { links: [{ ...eth0, isUp: false }] }
    }, []],
    ["does not answer, but its cause is told: no other end", { ...silent, ...withLinks(uplink, cni0) }, []],
    ["does not answer, but its cause is told: an end that is down", links({ isUp: false }), []],
    ["does not answer, but its cause is told: an end that is no port", links({ master: undefined }), []],
    ["does not answer, but its cause is told: a bridge that is down", links({}, { isUp: false }), []],
    ["does not answer, but its cause is told: no bridge", { ...silent, ...withLinks(uplink, veth1) }, []],
    ["does not answer, but its cause is told: no address", links({}, { addresses: [] }), []],
    [
      "does not answer yet, while its address is looked at",
      links({}, {
        addresses: cni0.addresses.map((each) => ({ ...each, isTentative: true }))
      }),
      []
    ],
    ["that is not the host's does not answer", { ...probe(false, "10.99.0.254"), bridge: { isGateway: false } }, [[
      "error bridge eth0 of web: the gateway 10.99.0.254 does not answer from inside, and the bridge is not to be the " +
      "gateway: isGateway is not set",
      asked
    ]]],
    ["that the host has anyway does not answer", { ...silent, bridge: { isGateway: false } }, found],
    ["of macvlan does not answer", { ...probe(false, "10.99.0.254"), bridge: { type: "macvlan" } }, [
      ["error macvlan eth0 of web: the gateway 10.99.0.254 does not answer from inside", asked]
    ]]
  ])
})
