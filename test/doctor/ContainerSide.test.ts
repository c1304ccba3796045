/** What a container has: its link, addresses, routes, name servers. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import * as ContainerSide from "../../src/doctor/checks/ContainerSide.ts"
import * as Filters from "../../src/doctor/checks/Filters.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const [uplink, cni0, veth1] = Host.outside.links
const [lo, eth0] = Host.inside.links
if (
  uplink === undefined || cni0 === undefined || veth1 === undefined || lo === undefined || eth0 === undefined
) {
  throw new Error("the healthy host has no links")
}

type Case = readonly [what: string, change: Host.Change, said: string | ReadonlyArray<ReadonlyArray<string>>]

const specify = (check: Check, cases: ReadonlyArray<Case>) => {
  for (const [what, change, said] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.said(check, Host.facts(change)), said))
  }
}

const gone = { attachment: { sight: { _tag: "Missing" } } } as const
const unseen = "there is no attachment whose namespace could be looked into"
const withLink = (fields: Partial<typeof eth0>): Host.Change => ({ inside: { links: [lo, { ...eth0, ...fields }] } })
/** A container that has made its link a port of a bridge, as virtual machines do; or of another link. */
const handedOn = (fields: Partial<typeof eth0>, kind = "bridge"): Host.Change => ({
  inside: { links: [{ ...eth0, master: "br0", ...fields }, Host.link("br0", { kind })] }
})
const withResult = (members: object): Host.Change => ({ attachment: { result: Host.resultWith(members) } })
const loText = "lo: up, state UP, mtu 1500, 02:00:00:00:00:01"

describe("the link of a container", () => {
  specify(ContainerSide.link, [
    ["is right", {}, []],
    ["is not asked for without attachments", gone, unseen],
    ["is not there", { inside: { links: [lo] } }, [
      ["error bridge eth0 of web: the namespace /run/netns/web has no such link", loText]
    ]],
    ["is none of a result that speaks of none", {
      inside: { links: [lo] },
      attachment: { result: Host.emptyResult }
    }, []],
    ["is not there, though the result speaks of an address alone", {
      inside: { links: [] },
      ...withResult({ interfaces: [], ips: [{ address: "10.99.0.2/24" }] })
    }, [["error bridge eth0 of web: the namespace /run/netns/web has no such link"]]]
  ])

  specify(ContainerSide.linkUp, [
    ["is up", {}, []],
    ["is not up", withLink({ isUp: false }), [
      ["error bridge eth0 of web is down", "eth0: down, state UP, mtu 1500, 02:00:00:00:00:01, veth"]
    ]],
    ["that is not there is not down", { inside: { links: [lo] } }, []]
  ])

  const mac = (mac: string) => withResult({ interfaces: [{ name: "eth0", sandbox: "/run/netns/web", mac }] })
  const other = [
    "warning bridge eth0 of web has the MAC 02:00:00:00:00:01, expected 02:00:00:00:00:0A, which its ADD gave it",
    "eth0: up, state UP, mtu 1500, 02:00:00:00:00:01, veth"
  ]
  specify(ContainerSide.mac, [
    ["has its MAC", {}, []],
    ["has its MAC in another case", { ...mac("02:00:00:00:00:0A"), ...withLink({ mac: "02:00:00:00:00:0a" }) }, []],
    ["has another MAC", mac("02:00:00:00:00:0A"), [other]],
    ["has any MAC where its result names none", mac(""), []],
    ["has any MAC where its result has no such link", withResult({ interfaces: [] }), []],
    [
      "has any MAC where only the host has a link of its name",
      withResult({
        interfaces: [{ name: "eth0", sandbox: "", mac: "02:00:00:00:00:0A" }]
      }),
      []
    ],
    [
      "has any MAC where only another link has one",
      withResult({
        interfaces: [{ name: "net1", sandbox: "/run/netns/web", mac: "02:00:00:00:00:0A" }]
      }),
      []
    ],
    ["has handed its MAC on", { ...mac("02:00:00:00:00:0A"), ...handedOn({}) }, []],
    ["has another MAC, and has handed on nothing", { ...mac("02:00:00:00:00:0A"), ...handedOn({}, "bond") }, [
      [other[0] ?? "", "eth0: up, state UP, mtu 1500, 02:00:00:00:00:01, veth, port of br0"]
    ]]
  ])
})

describe("the addresses of a container", () => {
  const addresses = (...texts: ReadonlyArray<string>) => ({ addresses: Host.link("", {}, ...texts).addresses })
  const missing = "error bridge eth0 of web has no address 10.99.0.2/24, which its ADD gave it"
  const duplicate = { addresses: eth0.addresses.map((each) => ({ ...each, isDuplicate: true })) }
  const taken = "eth0 of web: another host of the link has 10.99.0.2/24 too, so that it is not used"
  specify(ContainerSide.addresses, [
    ["are right", {}, []],
    ["may be more", withLink(addresses("10.98.0.1/24", "10.99.0.2/24")), []],
    ["are not there", withLink(addresses()), [[missing]]],
    ["are others", withLink(addresses("10.99.0.3/24", "fd00::2/64")), [
      [missing, "eth0 has 10.99.0.3/24", "eth0 has fd00::2/64"]
    ]],
    ["have another length", withLink(addresses("10.99.0.2/32")), [
      [
        "error bridge eth0 of web has 10.99.0.2/32, expected 10.99.0.2/24, which its ADD gave it",
        "eth0 has 10.99.0.2/32"
      ]
    ]],
    ["are another's too", withLink(duplicate), [[`error host-local ${taken}`, "eth0 has 10.99.0.2/24"]]],
    ["are another's too, of a network without an IPAM plugin", { ...withLink(duplicate), bridge: { ipam: {} } }, [
      [`error bridge ${taken}`, "eth0 has 10.99.0.2/24"]
    ]],
    ["have been handed on", handedOn(addresses()), []],
    ["are not there, and have not been handed on", handedOn(addresses(), "bond"), [[missing]]],
    ["are none where the link is not there", { inside: { links: [lo] } }, []]
  ])
})

describe("the routes of a container", () => {
  const [byDefault, own] = Host.inside.routes
  if (byDefault === undefined || own === undefined) throw new Error("the healthy host has no routes")
  const withRoutes = (...routes: ReadonlyArray<typeof own>): Host.Change => ({ inside: { routes } })
  const shown = ["default via 10.99.0.1 dev eth0", "10.99.0.0/24 dev eth0"]
  const missing = "error bridge eth0 of web: the namespace has no default route via 10.99.0.1, which its ADD gave it"
  const wants = (...routes: ReadonlyArray<unknown>) => withResult({ routes })
  specify(ContainerSide.routes, [
    ["are right", {}, []],
    ["are not asked for without attachments", gone, unseen],
    ["are not there", withRoutes(own), [[missing, "10.99.0.0/24 dev eth0"]]],
    ["lead nowhere", withRoutes(own, { ...byDefault, type: "unreachable" }), [[missing, "10.99.0.0/24 dev eth0"]]],
    ["of a subnet are not there", wants({ dst: "10.1.0.9/16" }), [
      [
        "error bridge eth0 of web: the namespace has no route to 10.1.0.0/16 via 10.99.0.1, which its ADD gave it",
        ...shown
      ]
    ]],
    ["of another length are not the same", withRoutes(own, { ...byDefault, to: Host.cidr("0.0.0.0/1") }), [
      [missing, "10.99.0.0/24 dev eth0", "0.0.0.0/1 via 10.99.0.1 dev eth0"]
    ]],
    ["of the other family are not the same", wants({ dst: "::/0" }), [
      ["error bridge eth0 of web: the namespace has no default route, which its ADD gave it", ...shown]
    ]],
    ["go via another gateway", withRoutes({ ...byDefault, gateway: "10.99.0.9" }), [
      [
        "error bridge eth0 of web: the default route goes via 10.99.0.9, expected via 10.99.0.1",
        "default via 10.99.0.9 dev eth0"
      ]
    ]],
    ["go via the gateway that they name", {
      ...wants({ dst: "0.0.0.0/0", gw: "10.99.0.9" }),
      ...withRoutes({ ...byDefault, gateway: "10.99.0.9" })
    }, []],
    ["go via another gateway than they name", wants({ dst: "0.0.0.0/0", gw: "10.99.0.9" }), [
      ["error bridge eth0 of web: the default route goes via 10.99.0.1, expected via 10.99.0.9", ...shown]
    ]],
    ["go via any of several gateways", withRoutes({ ...byDefault, gateway: "10.99.0.9" }, byDefault), []],
    [
      "go over another link, which another plugin made",
      withRoutes({ ...byDefault, device: "net1", gateway: "10.98.0.1" }),
      []
    ],
    ["go over the link itself", withRoutes({ ...byDefault, gateway: undefined }), []],
    ["go via any gateway where the result names none", {
      ...withResult({ ips: [{ address: "10.99.0.2/24" }] }),
      ...withRoutes({ ...byDefault, gateway: "10.99.0.9" })
    }, []],
    ["are none where what the result says is no subnet", wants({ dst: "web" }, {}, null), []],
    [
      "are none where the result has none",
      { attachment: { result: Host.emptyResult } },
      []
    ],
    ["have gone with the link", { inside: { links: [{ ...eth0, isUp: false }], routes: [] } }, []],
    ["have been handed on", { inside: { ...handedOn({}).inside, routes: [] } }, []]
  ])

  it("are shown as far as they lead anywhere, twenty at most, with their tables", () => {
    const routes = [
      Host.route("127.0.0.0/8", "lo", { table: "local" }),
      Host.route("10.5.0.0/16", "eth0", { type: "blackhole" }),
      Host.route("10.6.0.0/16", "eth0", { table: "7" }),
      ...Array.from({ length: 20 }, (_, index) => Host.route(`10.7.${index}.0/24`, "eth0"))
    ]
    const [[, ...shown] = []] = Facts.said(ContainerSide.routes, Host.facts({ inside: { routes } }))
    assert.lengthOf(shown, 20)
    assert.deepStrictEqual(shown.slice(0, 2), ["10.6.0.0/16 dev eth0 table 7", "10.7.0.0/24 dev eth0"])
  })
})

describe("the name servers of a container", () => {
  const servers = (...nameservers: ReadonlyArray<unknown>) => withResult({ dns: { nameservers } })
  const ways = ["default via 10.99.0.1 dev eth0", "10.99.0.0/24 dev eth0"]
  const self = (server: string) => [
    `warning bridge eth0 of web: the name server ${server} is the container itself, and not the host`,
    `nameserver ${server}`
  ]
  specify(ContainerSide.nameServers, [
    ["are reached", {}, []],
    ["are none", withResult({ dns: {} }), []],
    ["are none where the result does not speak of any", withResult({ dns: undefined }), []],
    ["are no address, which is told once", servers("dns.example", "dns.example"), [
      ["error bridge eth0 of web: the name server \"dns.example\" is not an IP address", "nameserver dns.example"]
    ]],
    ["are the container itself", servers("127.0.0.53", "::1"), [self("127.0.0.53"), self("::1")]],
    ["are not reached", servers("fd00::53"), [
      [
        "error bridge eth0 of web: no route from inside leads to the name server fd00::53",
        "nameserver fd00::53",
        ...ways
      ]
    ]]
  ])
})

describe("the MTU of a container", () => {
  const at = (of: { readonly inside?: number; readonly end?: number; readonly bridge?: number }): Host.Change => ({
    inside: { links: [{ ...eth0, mtu: of.inside ?? 1500 }] },
    outside: { links: [uplink, { ...cni0, mtu: of.bridge ?? 1500 }, { ...veth1, mtu: of.end ?? 1500 }] }
  })
  const texts = (inside = 1500, end = 1500, bridge = 1500) => [
    `eth0: up, state UP, mtu ${inside}, 02:00:00:00:00:01, veth`,
    `veth1: up, state UP, mtu ${end}, 02:00:00:00:00:01, veth, port of cni0`,
    `cni0: up, state UP, mtu ${bridge}, 02:00:00:00:00:01, bridge`
  ]
  const lost = "larger packets are lost"
  specify(ContainerSide.mtu, [
    ["is right", {}, []],
    ["is not asked for without attachments", gone, unseen],
    ["is the one that the plugin is to set", {
      ...at({ inside: 1400, end: 1400, bridge: 1400 }),
      bridge: { mtu: 1400 }
    }, []],
    ["is another than the plugin is to set", { bridge: { mtu: 1400 } }, [
      [`warning bridge eth0 of web: its MTU is 1500, expected 1400, which bridge is to set: ${lost}`, ...texts()]
    ]],
    ["is another than tuning is to set, which comes last", {
      bridge: { mtu: 1400 },
      plugins: [{ type: "tuning", mtu: 1300 }]
    }, [[`warning tuning eth0 of web: its MTU is 1500, expected 1300, which tuning is to set: ${lost}`, ...texts()]]],
    ["is any that is none, or in quotes", { bridge: { mtu: 0 }, plugins: [{ type: "tuning", mtu: "1400" }] }, []],
    ["is any that another plugin names", { plugins: [{ type: "acme", mtu: 1400 }] }, []],
    ["is another than that of the other end", at({ inside: 1400 }), [
      [`warning bridge eth0 of web: its MTU is 1400, and that of its other end veth1 is 1500: ${lost}`, ...texts(1400)]
    ]],
    ["is another than that of the other end, where the plugin is to set it", {
      ...at({ end: 1400 }),
      bridge: { mtu: 1500 }
    }, [[
      `warning bridge eth0 of web: its MTU is 1500, and that of its other end veth1 is 1400: ${lost}`,
      ...texts(1500, 1400)
    ]]],
    ["is another than that of the other end, where tuning sets it inside alone", {
      ...at({ inside: 1400 }),
      plugins: [{ type: "tuning", mtu: 1400 }]
    }, []],
    ["is another than that of the bridge", at({ bridge: 1280 }), [
      [
        `warning bridge eth0 of web: its MTU is 1500, and that of the bridge cni0 is 1280: ${lost}`,
        ...texts(1500, 1500, 1280)
      ]
    ]],
    ["is another than that of the bridge, where tuning sets it", {
      ...at({ bridge: 1280 }),
      plugins: [{ type: "tuning", mtu: 1500 }]
    }, []],
    ["is not compared with links that are not there", { outside: { links: [uplink, { ...cni0, mtu: 1280 }] } }, []],
    ["of ptp is not compared with a bridge", {
      ...at({ bridge: 1280 }),
      bridge: { type: "ptp" },
      attachment: { result: Host.resultWith({ interfaces: [{ name: "veth1" }] }) }
    }, []],
    ["is told of plugins that are not known", { ...at({ bridge: 1280 }), facts: { chain: [] } }, []]
  ])
})

describe("the rules in a container", () => {
  const rules = (text: string, backend?: "legacy") =>
    Host.rules(`*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n${text}\nCOMMIT`, backend)
  const filter = (...filter: ReadonlyArray<ReturnType<typeof rules>>): Host.Change => ({ attachment: { filter } })
  const sent = "error - what eth0 of web sends is dropped in its own namespace, by a rule of OUTPUT"
  const answers = "error - what answers eth0 of web is dropped in its own namespace, by a rule of INPUT"
  specify(Filters.insideRules, [
    ["are right", {}, []],
    ["are not asked for without attachments", gone, unseen],
    ["are not asked for without the link", { inside: { links: [lo] } }, unseen],
    ["drop what it sends", filter(rules("-A OUTPUT -o eth0 -s 10.99.0.2 -m conntrack --ctstate NEW -j DROP")), [[
      sent,
      "iptables in /run/netns/web: -A OUTPUT -o eth0 -s 10.99.0.2 -m conntrack --ctstate NEW -j DROP"
    ]]],
    [
      "drop what answers",
      filter(rules("-A INPUT -i eth0 -d 10.99.0.2 -m conntrack --ctstate ESTABLISHED -j DROP", "legacy")),
      [[
        answers,
        "iptables-legacy in /run/netns/web: -A INPUT -i eth0 -d 10.99.0.2 -m conntrack --ctstate ESTABLISHED -j DROP"
      ]]
    ],
    ["drop by their policy", filter(Host.rules("*filter\n:OUTPUT DROP\nCOMMIT")), [[
      "error - what eth0 of web sends is dropped in its own namespace, by the policy of OUTPUT",
      "iptables in /run/netns/web: -P OUTPUT DROP"
    ]]],
    ["are told once", { ...filter(rules("-A OUTPUT -j DROP"), rules("-A OUTPUT -j DROP", "legacy")) }, [
      [sent, "iptables in /run/netns/web: -A OUTPUT -j DROP"]
    ]],
    [
      "drop what goes to another link, or to others alone",
      filter(rules("-A OUTPUT -o lo -j DROP\n-A OUTPUT -d 10.0.0.0/8 -j DROP\n-A INPUT -s 10.0.0.0/8 -j DROP")),
      []
    ],
    ["of IPv6 are not about addresses of IPv4", filter({ ...rules("-A OUTPUT -j DROP"), family: 6 }), []]
  ])
})

describe("the rules before the host as a name server", () => {
  const asked = (server: string): Host.Change => withResult({ dns: { nameservers: [server] } })
  const drops = (rule: string) => ({
    host: {
      rules: Result.succeed({
        rulesets: [Host.rules(Host.save.replace("*filter", `*filter\n:INPUT ACCEPT\n${rule}`))],
        nft: []
      })
    }
  })
  const rule = "-A INPUT -i cni0 -s 10.99.0.2 -d 10.99.0.1 -p udp --dport 53 -m addrtype --dst-type LOCAL -j DROP"
  const none = "no attachment has a way out through the host"
  specify(Filters.inputRules, [
    ["are right", asked("10.99.0.1"), []],
    ["are not asked for without a way out", { ...asked("10.99.0.1"), bridge: { isGateway: false } }, none],
    ["are not asked for where the host is not known", { ...asked("10.99.0.1"), facts: { host: undefined } }, none],
    ["are not known", { ...asked("10.99.0.1"), host: { rules: Result.fail("no rights") } }, "no rights"],
    ["drop what it is asked", { ...asked("10.99.0.1"), ...drops(rule) }, [[
      "warning - eth0 of web: what it asks the name server 10.99.0.1, which is the host, is dropped by a rule of INPUT",
      `iptables (nf_tables): ${rule}`
    ]]],
    ["drop it by their policy", {
      ...asked("10.99.0.1"),
      host: { rules: Result.succeed({ rulesets: [Host.rules("*filter\n:INPUT DROP\nCOMMIT")], nft: [] }) }
    }, [[
      "warning - eth0 of web: what it asks the name server 10.99.0.1, which is the host, is dropped by the policy of INPUT",
      "iptables (nf_tables): -P INPUT DROP"
    ]]],
    ["are told once", {
      ...withResult({ dns: { nameservers: ["10.99.0.1", "192.0.2.2"] } }),
      ...drops("-A INPUT -j DROP")
    }, [[
      "warning - eth0 of web: what it asks the name server 10.99.0.1, which is the host, is dropped by a rule of INPUT",
      "iptables (nf_tables): -A INPUT -j DROP"
    ]]],
    ["drop nothing that another server is asked", { ...asked("192.0.2.53"), ...drops("-A INPUT -j DROP") }, []],
    ["drop nothing that the container itself is asked", {
      ...asked("127.0.0.1"),
      ...drops("-A INPUT -j DROP"),
      outside: { links: [...Host.outside.links, lo] }
    }, []],
    ["drop nothing that is no address", { ...asked("dns.example"), ...drops("-A INPUT -j DROP") }, []],
    ["are of the family of the address", {
      ...asked("fd00::1"),
      ...drops("-A INPUT -j DROP"),
      outside: { links: [...Host.outside.links, Host.link("x", {}, "fd00::1/64")] }
    }, []],
    ["drop nothing where it asks none", { ...withResult({ dns: undefined }), ...drops("-A INPUT -j DROP") }, []]
  ])
})
