/** Each member of what `ip` and `bridge` print, as a part of a fact. */
import { assert, describe, it } from "@effect/vitest"
import * as BridgePort from "../../src/network/BridgePort.ts"
import * as Link from "../../src/network/Link.ts"
import * as LinkAddress from "../../src/network/LinkAddress.ts"
import * as LinkInquiries from "../../src/network/LinkInquiries.ts"

type Item = { readonly [name: string]: unknown }

const mac = "02:00:00:00:00:01"
const dummy = {
  ifname: "eth0",
  flags: ["UP"],
  mtu: 1500,
  txqlen: 1000,
  address: mac,
  link_type: "ether",
  linkinfo: { info_kind: "dummy" }
}

describe("the fact of a link", () => {
  const start = `eth0 dummy up mtu 1500 mac ${mac}`
  const info = (more: Item) => ({ linkinfo: { info_kind: "dummy", ...more } })
  const cases: ReadonlyArray<readonly [name: string, members: Item, fact: string]> = [
    ["has its name, type, state, MTU and MAC", {}, start],
    ["has the type that the kernel gives hardware", { linkinfo: undefined }, `eth0 ether up mtu 1500 mac ${mac}`],
    ["is down without the flag UP", { flags: ["LOWER_UP"] }, `eth0 dummy down mtu 1500 mac ${mac}`],
    ["is down with no list of flags", { flags: "UP" }, `eth0 dummy down mtu 1500 mac ${mac}`],
    ["has no MTU of 0", { mtu: 0 }, `eth0 dummy up mac ${mac}`],
    ["has the length of its queue where that is not 1000", { txqlen: 0 }, `eth0 dummy up mtu 1500 qlen 0 mac ${mac}`],
    ["has no MAC of no bytes", { address: "" }, "eth0 dummy up mtu 1500"],
    ["has no MAC where it is the loopback", { linkinfo: {}, link_type: "loopback" }, "eth0 loopback up mtu 1500"],
    ["has the link below it", { link: "eth1" }, `${start} link eth1`],
    [
      "has no link below it where it is one end of a pair",
      { link: "eth1", linkinfo: { info_kind: "veth" } },
      `eth0 veth up mtu 1500 mac ${mac}`
    ],
    ["has its bridge", { master: "br0" }, `${start} master br0`],
    [
      "has what is set for its type",
      info({
        info_data: {
          stp_state: 1,
          vlan_filtering: 1,
          table: 10,
          port: 4789,
          group: "239.1.1.1",
          remote: "10.0.0.2",
          local: "10.0.0.1",
          id: 5,
          mode: "bridge",
          type: "tap",
          ageing_time: 30_000
        }
      }),
      `${start} type tap mode bridge id 5 local 10.0.0.1 remote 10.0.0.2 group 239.1.1.1 port 4789 table 10 ` +
      "vlan_filtering 1 stp_state 1"
    ],
    ["has nothing of that which is 0", info({ info_data: { id: 0, vlan_filtering: 0, stp_state: 0 } }), start],
    [
      "has what is not usual for the port of a bridge",
      info({
        info_slave_data: {
          hairpin: true,
          isolated: true,
          guard: true,
          neigh_suppress: true,
          learning: false,
          flood: false,
          mcast_flood: false
        }
      }),
      `${start} hairpin on isolated on guard on neigh_suppress on learning off flood off mcast_flood off`
    ],
    [
      "has nothing of what is usual for the port of a bridge",
      info({
        info_slave_data: {
          hairpin: false,
          isolated: false,
          guard: false,
          neigh_suppress: false,
          learning: true,
          flood: true,
          mcast_flood: true
        }
      }),
      start
    ],
    [
      "has flags that are not usual",
      { flags: ["PROMISC", "UP", "NOARP", "ALLMULTI"] },
      `${start} noarp allmulti promisc`
    ],
    ...["noop", "noqueue", "mq", "pfifo_fast", "fq_codel", "fq"].map((qdisc) =>
      [`has no ${qdisc}, which the kernel gives it`, { qdisc }, start] as const
    ),
    ...["tbf", "fq_pie", "noop_"].map((qdisc) => [`has ${qdisc}`, { qdisc }, `${start} qdisc ${qdisc}`] as const),
    ["has its alias as JSON", { ifalias: "a \"b\"" }, `${start} alias "a \\"b\\""`],
    ["has no alias without a text", { ifalias: "" }, start]
  ]
  for (const [name, members, fact] of cases) {
    it(name, () => assert.deepStrictEqual([Link.line({ ...dummy, ...members })], [fact]))
  }
})

describe("the fact of an address", () => {
  const facts = (...addresses: ReadonlyArray<unknown>) => LinkAddress.lines([{ ifname: "eth0", addr_info: addresses }])
  const own = { local: "10.0.0.1", prefixlen: 8, scope: "global" }
  const cases: ReadonlyArray<readonly [name: string, members: Item, fact: string]> = [
    ["has its link and its prefix", {}, "eth0 10.0.0.1/8"],
    ["has the other end", { address: "10.0.0.2" }, "eth0 10.0.0.1/8 peer 10.0.0.2"],
    ["has the broadcast address", { broadcast: "10.255.255.255" }, "eth0 10.0.0.1/8 brd 10.255.255.255"],
    ["has a scope that is not the usual one", { scope: "link" }, "eth0 10.0.0.1/8 scope link"],
    ["has the scope of a site", { scope: "site" }, "eth0 10.0.0.1/8 scope site"],
    ["has no scope of the host", { scope: "host" }, "eth0 10.0.0.1/8"],
    [
      "has its flags",
      {
        dadfailed: true,
        deprecated: true,
        dynamic: true,
        noprefixroute: true,
        nodad: true,
        home: true,
        mngtmpaddr: true,
        temporary: true,
        secondary: true
      },
      "eth0 10.0.0.1/8 secondary temporary mngtmpaddr home nodad noprefixroute dynamic deprecated dadfailed"
    ],
    ["has no flags that are off", { secondary: false, dynamic: "no" }, "eth0 10.0.0.1/8"],
    ["has a label", { label: "eth0:1" }, "eth0 10.0.0.1/8 label eth0:1"],
    ["has no label that is its link", { label: "eth0" }, "eth0 10.0.0.1/8"],
    ["has a metric", { metric: 100 }, "eth0 10.0.0.1/8 metric 100"],
    ["has no metric of 0", { metric: 0 }, "eth0 10.0.0.1/8"]
  ]
  for (const [name, members, fact] of cases) {
    it(name, () => assert.deepStrictEqual(facts({ ...own, ...members }), [fact]))
  }

  it("is left out where the kernel made it for the link", () => {
    const linkLocal = (local: string, prefixlen = 64, scope = "link") => facts({ local, prefixlen, scope })
    for (const local of ["fe80::ff:fe00:9", "fe80::1:2ff:fe03:405", "fe80::a:b:c:d"]) {
      assert.deepStrictEqual(linkLocal(local), [])
    }
    for (const local of ["fe80::1", "fe80::a:b:c", "fe81::ff:fe00:9", "fd00::ff:fe00:9"]) {
      assert.deepStrictEqual(linkLocal(local), [`eth0 ${local}/64 scope link`])
    }
    assert.deepStrictEqual(linkLocal("fe80::ff:fe00:9", 10), ["eth0 fe80::ff:fe00:9/10 scope link"])
  })

  it("is missing where a link has none", () => {
    assert.deepStrictEqual(facts(), [])
    assert.deepStrictEqual(facts(null, "10.0.0.1"), [])
    assert.deepStrictEqual(LinkAddress.lines([{ ifname: "eth0", addr_info: { 0: own } }, { ifname: "eth1" }]), [])
  })
})

describe("a line of ip -o", () => {
  const nothing = { rules: [], neighbours: [], routes: [] }
  const facts = (line: string, family = "ip") => LinkInquiries.routing(family, `${line}\n`)

  it("is a rule where it begins with a priority", () => {
    for (const family of ["ip", "ip6"]) {
      assert.deepStrictEqual(facts("10:\tfrom all \\  lookup main [detached]", family), {
        ...nothing,
        rules: [`${family} 10: from all lookup main`]
      })
    }
  })

  it("is a neighbour where it was set", () => {
    const cases = [
      [`10.0.0.1 dev eth0 lladdr ${mac} PERMANENT `, `10.0.0.1 dev eth0 lladdr ${mac} PERMANENT`],
      ["10.0.0.1 dev eth0 proxy", "10.0.0.1 dev eth0 proxy"],
      [`10.0.0.1 dev eth0 lladdr ${mac} extern_learn REACHABLE`, `10.0.0.1 dev eth0 lladdr ${mac} extern_learn`],
      [`10.0.0.1 dev eth0 lladdr ${mac} extern_learn`, `10.0.0.1 dev eth0 lladdr ${mac} extern_learn`]
    ] as const
    for (const [line, neighbour] of cases) {
      assert.deepStrictEqual(facts(line), { ...nothing, neighbours: [neighbour] })
    }
  })

  it("is nothing where the kernel learned it or looks for it", () => {
    for (const state of ["REACHABLE", "STALE", "DELAY", "PROBE", "NOARP", "INCOMPLETE", "FAILED", "NONE"]) {
      assert.deepStrictEqual(facts(`10.0.0.1 dev eth0 ${state}`), nothing)
      assert.deepStrictEqual(facts(`10.0.0.1 dev eth0 lladdr ${mac} router ${state} used 5`), nothing)
    }
  })

  it("is nothing where the kernel routes it", () => {
    const lines = [
      "broadcast 10.0.0.0 dev eth0",
      "multicast ff00::/8 dev eth0 table local metric 256",
      "anycast fd00:: dev eth0 table local",
      "local 10.0.0.1 dev eth0 table local proto kernel scope host",
      "fe80::/64 dev eth0 proto kernel metric 256",
      "10.0.0.0/8 dev if12 scope link",
      "10.0.0.0/8 dev if12",
      " \t"
    ]
    for (const line of lines) assert.deepStrictEqual(facts(line), nothing, line)
  })

  it("is a route otherwise, whatever it looks like", () => {
    const lines = [
      "local 10.0.0.1 dev eth0 table local proto static",
      "fe80::/64 dev eth0 proto static",
      "fe80::/10 dev eth0 proto kernel metric 256",
      "10.0.0.0/8 dev if12x",
      "10.0.0.0/8 dev PERMANENT scope link",
      "10.0.0.0/8 via 10.0.0.1 STALEx dev NONE",
      "10.0.0.0/8 nexthop via 10.1.0.1 dev eth0 weight 10",
      "10.0.0.0/8 dev eth0 pref high",
      "10.0.0.0/8 dev eth0 weight 12 rto_min 1"
    ]
    for (const line of lines) assert.deepStrictEqual(facts(line), { ...nothing, routes: [line] })
  })

  it("is without what changes by itself, or tells nothing", () => {
    const words = ["[detached]", "expires 12sec", "error -113", "error 5", "pref medium", "nhid 17", "weight 1"]
    for (const word of [...words, "linkdown", "dead", "offload", "trap", "rt_offload", "rt_trap"]) {
      for (const line of [`10.0.0.0/8 dev eth0 ${word}`, `10.0.0.0/8 ${word} dev eth0`]) {
        assert.deepStrictEqual(facts(line), { ...nothing, routes: ["10.0.0.0/8 dev eth0"] })
      }
    }
  })

  it("has the destination of all of IPv6 in the form of the others", () => {
    const routes = (line: string, family: string) => facts(line, family).routes
    assert.deepStrictEqual(routes("default via fe80::1 dev eth0", "ip6"), ["::/0 via fe80::1 dev eth0"])
    assert.deepStrictEqual(routes("unreachable default", "ip6"), ["unreachable ::/0"])
    assert.deepStrictEqual(routes("defaults dev eth0", "ip6"), ["defaults dev eth0"])
    assert.deepStrictEqual(routes("fd00::/8 dev eth0 x default", "ip6"), ["fd00::/8 dev eth0 x default"])
    assert.deepStrictEqual(routes("default via 10.0.0.1 dev eth0", "ip"), ["default via 10.0.0.1 dev eth0"])
  })
})

describe("what a bridge forwards", () => {
  const links = [{ ifname: "br0", address: "02:00:00:00:00:b0" }, { ifname: "eth0", address: mac }]
  const other = "02:00:00:00:00:07"
  const port = { ifname: "eth0", mac: other, master: "br0", state: "static", flags: [] }
  const cases: ReadonlyArray<readonly [name: string, members: Item, facts: ReadonlyArray<string>]> = [
    ["is set for a port", {}, [`fdb ${other} dev eth0 master br0 static`]],
    ["is set for good", { state: "permanent" }, [`fdb ${other} dev eth0 master br0 permanent`]],
    ["is learned elsewhere", { state: "", flags: ["extern_learn"] }, [`fdb ${other} dev eth0 master br0 extern_learn`]],
    ["is learned by itself", { state: "" }, []],
    ["has no state", { state: undefined }, []],
    ["is a link", { mac, state: "permanent" }, []],
    ["is of a link that has come since", { ifname: "new" }, []],
    ["is the own address of a device", { master: undefined, flags: ["self"] }, []],
    [
      "leads through a tunnel, and is told with all of that",
      { master: undefined, mac, flags: ["self"], dst: "10.0.0.2", vlan: 5, port: 4789, vni: 7, via: "eth1" },
      [`fdb ${mac} dev eth0 vlan 5 dst 10.0.0.2 port 4789 vni 7 via eth1 self static`]
    ],
    ["is of multicast of IPv6", { mac: "33:33:00:00:00:01" }, []],
    ["is of multicast of IPv4", { mac: "01:00:5e:00:00:01" }, []],
    ["is of a protocol of bridges", { mac: "01:80:c2:00:00:01" }, []],
    ["looks like multicast", { mac: "33:32:00:00:00:01" }, ["fdb 33:32:00:00:00:01 dev eth0 master br0 static"]]
  ]
  for (const [name, members, facts] of cases) {
    it(name, () => assert.deepStrictEqual(BridgePort.forwarding([{ ...port, ...members }], links), facts))
  }
})

describe("the VLANs of a bridge", () => {
  const bridge = (name: string, filtering: unknown) => ({
    ifname: name,
    linkinfo: { info_data: { vlan_filtering: filtering } }
  })
  const links = [bridge("br0", 1), bridge("br1", 0), { ifname: "in0", master: "br0" }, { ifname: "in1", master: "br1" }]

  it("are those of the ports of a bridge that looks at them, and of itself", () => {
    const vlans = [{ vlan: 1 }]
    assert.deepStrictEqual(
      BridgePort.vlans(["br0", "br1", "in0", "in1", "new"].map((ifname) => ({ ifname, vlans })), links),
      ["vlan 1 dev br0", "vlan 1 dev in0"]
    )
  })

  it("are told with their range and how they leave and enter", () => {
    const vlans = [
      { vlan: 1, flags: ["PVID"] },
      { vlan: 2, flags: ["Egress Untagged"] },
      { vlan: 3, vlanEnd: 5, flags: ["Egress Untagged", "PVID"] }
    ]
    assert.deepStrictEqual(BridgePort.vlans([{ ifname: "in0", vlans }, { ifname: "br0" }], links), [
      "vlan 1 dev in0 pvid",
      "vlan 2 dev in0 untagged",
      "vlan 3-5 dev in0 pvid untagged"
    ])
  })
})
