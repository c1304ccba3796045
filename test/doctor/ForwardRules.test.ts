/** The way of packets through the host: forwarding, rules, masquerading, mapped ports. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import * as ForwardingSysctls from "../../src/doctor/checks/ForwardingSysctls.ts"
import * as ForwardRules from "../../src/doctor/checks/ForwardRules.ts"
import { kernelTables } from "../../src/doctor/checks/FullKernelTables.ts"
import * as Masquerade from "../../src/doctor/checks/Masquerade.ts"
import { policyRules } from "../../src/doctor/checks/PolicyRouting.ts"
import * as PortMappings from "../../src/doctor/checks/PortMappings.ts"
import { everythingSeen } from "../../src/doctor/checks/Unseen.ts"
import type { Flow } from "../../src/doctor/flow/Flow.ts"
import type * as IptablesRule from "../../src/network/IptablesRule.ts"
import type * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

type Case = readonly [what: string, change: Host.Change, said: string | ReadonlyArray<ReadonlyArray<string>>]

const specify = (check: Check, cases: ReadonlyArray<Case>) => {
  for (const [what, change, said] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.said(check, Host.facts(change)), said))
  }
}

const none = "no attachment has a way out through the host"
const noHost = { facts: { host: undefined } }
const noWay = { bridge: { isGateway: false } }
const noRules = { host: { rules: Result.fail("no rights") } }
const rulesets = (...rulesets: ReadonlyArray<IptablesRule.Ruleset>): Host.Change => ({
  host: { rules: Result.succeed({ rulesets, nft: [] }) }
})
const table = (name: string, text: string) => Host.rules(`*${name}\n${text}\nCOMMIT`)
const sysctls = (values: { readonly [name: string]: string }): Host.Change => ({
  host: { sysctls: new Map(Object.entries(values)) }
})

/** A container with an address of IPv6 beside its own, and a way out for both. */
const dual: Host.Change = {
  inside: {
    links: [
      ...Host.inside.links.slice(0, 1),
      Host.link("eth0", { kind: "veth", index: 3, peer: 12 }, "10.99.0.2/24", "fd99::2/64")
    ],
    routes: [...Host.inside.routes, Host.route("::/0", "eth0", { gateway: "fd99::1" })]
  },
  attachment: {
    result: Host.resultWith({
      ips: [{ address: "10.99.0.2/24", gateway: "10.99.0.1", interface: 2 }, { address: "fd99::2/64", interface: 2 }]
    })
  }
}

describe("forwarding", () => {
  const v4 = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.cni0.forwarding": "1",
    "net.ipv4.conf.uplink.forwarding": "1"
  }
  const [byDefault, ...others] = Host.outside.routes
  if (byDefault === undefined) throw new Error("the healthy host has no routes")
  const two = { outside: { routes: [byDefault, { ...byDefault, device: "uplink2" }, ...others] } }
  specify(ForwardingSysctls.ipForward, [
    ["is right", sysctls(v4), []],
    ["is not asked for without a way out", noWay, none],
    ["is not asked for where the host is not known", noHost, none],
    ["is right where nothing is known of it", sysctls({}), []],
    ["is off", sysctls({ ...v4, "net.ipv4.ip_forward": "0" }), [[
      "error - the host does not forward IPv4: net.ipv4.ip_forward is 0, expected 1",
      "net.ipv4.ip_forward = 0",
      "net.ipv4.conf.cni0.forwarding = 1",
      "net.ipv4.conf.uplink.forwarding = 1"
    ]]],
    ["is off for the only uplink", sysctls({ "net.ipv4.conf.uplink.forwarding": "0" }), [[
      "error - the host does not forward IPv4: net.ipv4.conf.uplink.forwarding is 0, expected 1",
      "net.ipv4.ip_forward = not there",
      "net.ipv4.conf.cni0.forwarding = not there",
      "net.ipv4.conf.uplink.forwarding = 0"
    ]]],
    ["may be off for one of several uplinks", { ...sysctls({ "net.ipv4.conf.uplink.forwarding": "0" }), ...two }, []],
    ["of IPv6 may be off for containers of IPv4", sysctls({ ...v4, "net.ipv6.conf.all.forwarding": "0" }), []],
    ["of IPv6 is off", { ...sysctls({ ...v4, "net.ipv6.conf.all.forwarding": "0" }), ...dual }, [[
      "error - the host does not forward IPv6: net.ipv6.conf.all.forwarding is 0, expected 1",
      "net.ipv6.conf.all.forwarding = 0"
    ]]]
  ])
})

describe("rules for packets between ports of a bridge", () => {
  const snat = { type: "portmap", snat: false, capabilities: { portMappings: true } }
  const value = (value: string) => sysctls({ "net.bridge.bridge-nf-call-iptables": value })
  const warning = (value: string) => [
    `warning portmap bridge-nf-call-iptables is ${value}, and portmap has "snat": false: containers of the bridge do ` +
    "not reach each other by mapped ports",
    `net.bridge.bridge-nf-call-iptables = ${value}`
  ]
  const skipped = "no ports are mapped to a bridge"
  specify(ForwardingSysctls.bridgeNetfilter, [
    ["are not needed where portmap changes the source", value("0"), []],
    ["are there", { ...value("1"), plugins: [snat] }, []],
    ["are off", { ...value("0"), plugins: [snat] }, [warning("0")]],
    ["are not there", { plugins: [snat] }, [warning("not there")]],
    ["are not needed without mapped ports", { plugins: [snat], attachment: { portMappings: [] } }, []],
    ["are not needed where nothing says so", { plugins: [{ ...snat, snat: "false" }] }, []],
    ["are not asked for without portmap", { plugins: [] }, skipped],
    ["are not asked for without a bridge", { plugins: [snat], bridge: { type: "ptp" } }, skipped],
    ["are not asked for where the host is not known", { plugins: [snat], ...noHost }, skipped]
  ])
})

describe("the reverse path of packets", () => {
  const strict = (all: string, own: string) =>
    sysctls({ "net.ipv4.conf.all.rp_filter": all, "net.ipv4.conf.cni0.rp_filter": own })
  const astray = { outside: { routes: [...Host.outside.routes, Host.route("10.99.0.2/32", "uplink")] } }
  const found = (all: number, own: number) => [[
    "error - rp_filter of cni0 is 1, and the host would send what is for 10.99.0.2 to uplink: what the container sends " +
    "is dropped",
    `net.ipv4.conf.all.rp_filter = ${all}`,
    `net.ipv4.conf.cni0.rp_filter = ${own}`
  ]]
  specify(ForwardingSysctls.reversePath, [
    ["is the same", strict("1", "1"), []],
    ["is another, of all links", { ...strict("1", "0"), ...astray }, found(1, 0)],
    ["is another, of this link", { ...strict("0", "1"), ...astray }, found(0, 1)],
    ["is another, which is loosely looked at", { ...strict("1", "2"), ...astray }, []],
    ["is another, which is not looked at", { ...strict("0", "0"), ...astray }, []],
    ["is another, of which nothing is known", { ...sysctls({}), ...astray }, []],
    [
      "is another of a VLAN",
      { ...strict("1", "0"), ...astray, bridge: { vlan: 100 } },
      "a separate link leads to the VLAN of the bridge"
    ],
    ["is another where the VLAN is none", { ...strict("1", "0"), ...astray, bridge: { vlan: 0 } }, found(1, 0)],
    ["is none", { ...strict("1", "0"), outside: { routes: [] } }, []],
    ["is that of another table", {
      ...strict("1", "0"),
      outside: { routes: [...Host.outside.routes, Host.route("10.99.0.2/32", "uplink", { table: "7" })] }
    }, []],
    ["is that of a rule", {
      host: {
        ...strict("1", "0").host,
        policies: Host.policies("{\"priority\":9,\"src\":\"all\",\"table\":\"7\"}")
      },
      outside: { routes: [...astray.outside.routes, Host.route("10.99.0.0/24", "cni0", { table: "7" })] }
    }, []],
    ["is not asked for without a way out", { ...strict("1", "0"), ...noWay }, none],
    ["is not asked for where the host is not known", noHost, none],
    ["is not known where the links of the host are not", {
      host: { ...strict("1", "0").host, network: Result.fail("no ip") }
    }, []]
  ])
})

describe("both backends of iptables", () => {
  const message = (legacy: number, modern: number) =>
    `warning - iptables has rules in both its backends, ${legacy} in legacy and ${modern} in nf_tables: a packet has to ` +
    "get through both, and no tool shows both"
  const old = (text: string) => Host.rules(`*filter\n${text}\nCOMMIT`, "legacy")
  specify(ForwardingSysctls.backends, [
    ["have no rules but in one", {}, []],
    ["are not known", noRules, "the rules of the host are not known"],
    ["are not known where the host is not", noHost, "the rules of the host are not known"],
    ["have chains but no rules", rulesets(Host.rules(Host.save), old(":FORWARD ACCEPT\n:MINE -")), []],
    [
      "have a policy that drops",
      rulesets(table("filter", ":FORWARD ACCEPT\n-A FORWARD -j ACCEPT"), old(":FORWARD DROP")),
      [[
        message(1, 1),
        "legacy: filter: -P FORWARD DROP",
        "nf_tables: filter: -A FORWARD -j ACCEPT"
      ]]
    ]
  ])

  it("are shown with five rules of each", () => {
    const many = (target: string) =>
      `:C ACCEPT\n${Array.from({ length: 6 }, (_, index) => `-A C -p ${index} -j ${target}`).join("\n")}`
    const change = rulesets(table("filter", many("ACCEPT")), old(many("DROP")))
    const [[first, ...shown] = []] = Facts.said(ForwardingSysctls.backends, Host.facts(change))
    assert.strictEqual(first, message(6, 6))
    assert.deepStrictEqual(shown, [
      ...[0, 1, 2, 3, 4].map((index) => `legacy: filter: -A C -p ${index} -j DROP`),
      ...[0, 1, 2, 3, 4].map((index) => `nf_tables: filter: -A C -p ${index} -j ACCEPT`)
    ])
  })
})

describe("what containers send and get", () => {
  const sent = "what eth0 of web sends is dropped by"
  const answers = "answers to eth0 of web are dropped by"
  const peer = "93.184.216.34"
  const forward = (...rules: ReadonlyArray<string>) =>
    rulesets(table("filter", [":FORWARD ACCEPT", ...rules].join("\n")))
  const filter = (rule: string) => `iptables (nf_tables): ${rule}`
  specify(ForwardRules.forwardRules, [
    ["comes through", {}, []],
    ["is not asked for without a way out", noWay, none],
    ["is not asked for where the host is not known", noHost, none],
    ["is not known", noRules, "no rights"],
    [
      "is dropped by a rule",
      forward(`-A FORWARD -i cni0 -o uplink -s 10.99.0.2 -d ${peer} -m conntrack --ctstate NEW -j DROP`),
      [[
        `error - ${sent} a rule of FORWARD`,
        filter(`-A FORWARD -i cni0 -o uplink -s 10.99.0.2 -d ${peer} -m conntrack --ctstate NEW -j DROP`)
      ]]
    ],
    [
      "is answered, and the answer is dropped by a rule",
      forward(`-A FORWARD -i uplink -o cni0 -s ${peer} -d 10.99.0.2 -m conntrack --ctstate ESTABLISHED -j DROP`),
      [[
        `error - ${answers} a rule of FORWARD`,
        filter(`-A FORWARD -i uplink -o cni0 -s ${peer} -d 10.99.0.2 -m conntrack --ctstate ESTABLISHED -j DROP`)
      ]]
    ],
    ["is dropped by one rule in both directions, which is told once", forward("-A FORWARD -j DROP"), [
      [`error - ${sent} a rule of FORWARD`, filter("-A FORWARD -j DROP")]
    ]],
    ["is dropped by the policy", rulesets(table("filter", ":FORWARD DROP")), [
      [`error - ${sent} the policy of FORWARD`, filter("-P FORWARD DROP")]
    ]],
    ["is dropped by the policy, where the rules of firewall are gone", {
      ...rulesets(table("filter", ":FORWARD DROP")),
      plugins: [{ type: "firewall" }]
    }, [[
      `error firewall ${sent} the policy of FORWARD: the rules of the plugin firewall are not there`,
      filter("-P FORWARD DROP")
    ]]],
    ["is dropped by a rule, which firewall has nothing to do with", {
      ...forward("-A FORWARD -j DROP"),
      plugins: [{ type: "firewall" }]
    }, [[`error - ${sent} a rule of FORWARD`, filter("-A FORWARD -j DROP")]]],
    ["is dropped by the policy of another table, which firewall has nothing to do with", {
      ...rulesets(table("mangle", ":FORWARD DROP")),
      plugins: [{ type: "firewall" }]
    }, [[`error - ${sent} the policy of FORWARD in the table mangle`, filter("-P FORWARD DROP")]]],
    ["is dropped, as packets within the bridge are", {
      host: { ...forward("-A FORWARD -j DROP").host, ...sysctls({ "net.bridge.bridge-nf-call-iptables": "1" }).host }
    }, [[
      `error - ${sent} a rule of FORWARD`,
      filter("-A FORWARD -j DROP"),
      "bridge-nf-call-iptables is 1: packets between containers of the bridge meet these rules too"
    ]]],
    ["is dropped in IPv6", { ...rulesets({ ...table("filter", ":FORWARD DROP"), family: 6 }), ...dual }, [
      [`error - ${sent} the policy of FORWARD`, "ip6tables (nf_tables): -P FORWARD DROP"]
    ]]
  ])

  const places: ReadonlyArray<readonly [table: string, chain: string, links: string, where: string]> = [
    ["raw", "PREROUTING", "-i cni0 -s 10.99.0.2", "a rule of PREROUTING in the table raw"],
    ["mangle", "PREROUTING", "-i cni0 -s 10.99.0.2", "a rule of PREROUTING in the table mangle"],
    ["mangle", "FORWARD", "-i cni0 -o uplink", "a rule of FORWARD in the table mangle"],
    ["security", "FORWARD", "-i cni0 -o uplink", "a rule of FORWARD in the table security"],
    ["mangle", "POSTROUTING", "-o uplink -s 10.99.0.2", "a rule of POSTROUTING in the table mangle"]
  ]
  for (const [name, chain, links, where] of places) {
    const rule = `-A ${chain} ${links} -j DROP`
    specify(ForwardRules.forwardRules, [
      [`is dropped by ${where}`, rulesets(table(name, `:${chain} ACCEPT\n${rule}`)), [[
        `error - ${sent} ${where}`,
        filter(rule)
      ]]]
    ])
  }

  const answered: ReadonlyArray<readonly [table: string, chain: string, links: string, where: string]> = [
    ["raw", "PREROUTING", `-i uplink -s ${peer}`, "a rule of PREROUTING in the table raw"],
    ["mangle", "POSTROUTING", "-o cni0 -d 10.99.0.2", "a rule of POSTROUTING in the table mangle"]
  ]
  for (const [name, chain, links, where] of answered) {
    const rule = `-A ${chain} ${links} -j DROP`
    specify(ForwardRules.forwardRules, [
      [`is answered, which ends at ${where}`, rulesets(table(name, `:${chain} ACCEPT\n${rule}`)), [
        [`error - ${answers} ${where}`, filter(rule)]
      ]]
    ])
  }
  specify(ForwardRules.forwardRules, [
    [
      "is masqueraded, so that its answers are not for it before nat",
      rulesets(table("raw", ":PREROUTING ACCEPT\n-A PREROUTING -i uplink -d 10.99.0.2 -j DROP")),
      []
    ]
  ])

  const chain = (hook: string, fields: object = {}): NftablesRuleset.NftChain => ({
    family: "inet",
    table: "fw",
    name: "c",
    hook,
    type: "filter",
    policy: "drop",
    priority: 0,
    device: undefined,
    rules: [],
    ...fields
  })
  const nft = (...chains: ReadonlyArray<NftablesRuleset.NftChain>): Host.Change => ({
    host: { rules: Result.succeed({ rulesets: [], nft: chains }) }
  })
  const byChain = `error - ${sent} the chain c of the nftables table inet fw`
  specify(ForwardRules.forwardRules, [
    ["is dropped by a chain of nftables, which is told once", nft(chain("forward")), [
      [byChain, "hook forward, policy drop, 0 rules"]
    ]],
    ["is dropped before it is routed", nft(chain("prerouting")), [[byChain, "hook prerouting, policy drop, 0 rules"]]],
    ["is dropped after it is routed", nft(chain("postrouting")), [[byChain, "hook postrouting, policy drop, 0 rules"]]],
    ["is dropped by a rule of nftables", nft(chain("forward", { policy: undefined, rules: [[{ drop: null }]] })), [
      [byChain, "hook forward, policy accept, 1 rules"]
    ]],
    ["that the host answers is dropped before it", nft(chain("input"), chain("output")), [[
      "warning - what port 8080/tcp of eth0 of web answers the host is dropped by the chain c of the nftables table inet fw",
      "hook input, policy drop, 0 rules"
    ]]],
    ["is dropped by none of the host itself", {
      ...nft(chain("input"), chain("output")),
      attachment: { portMappings: [] }
    }, []]
  ])
})

describe("masquerading", () => {
  const lost = (plugin: string, ...rules: ReadonlyArray<string>) => [[
    `error ${plugin} eth0 of web: no rule masquerades 10.99.0.2, which ipMasq asks for: answers from outside do not come back`,
    ...rules
  ]]
  const nat = (...rules: ReadonlyArray<string>) =>
    rulesets(table("nat", [":POSTROUTING ACCEPT", ":CNI-1 -", ...rules].join("\n")))
  const policy = "-P POSTROUTING ACCEPT"
  specify(Masquerade.masquerade, [
    ["is right", {}, []],
    ["is not asked for", { bridge: { ipMasq: false } }, "no plugin is to masquerade"],
    ["is not asked for in quotes", { bridge: { ipMasq: "true" } }, "no plugin is to masquerade"],
    ["is not asked for where the host is not known", noHost, "no plugin is to masquerade"],
    ["is not asked for without a way out", noWay, none],
    ["is not known", noRules, "no rights"],
    ["is done by SNAT too", nat("-A POSTROUTING -s 10.99.0.0/24 -o uplink -j SNAT --to-source 192.0.2.2"), []],
    ["is not there", nat(), lost("bridge", policy)],
    ["is not there, as the table is not", rulesets(), lost("bridge", "the table nat has no rules")],
    ["is that of another way out", nat("-A POSTROUTING -o eth9 -j MASQUERADE"), lost("bridge", policy)],
    ["is that of another peer", nat("-A POSTROUTING -d 10.0.0.0/8 -j MASQUERADE"), lost("bridge", policy)],
    ["is no DNAT", nat("-A POSTROUTING -j DNAT"), lost("bridge", "-A POSTROUTING -j DNAT")],
    [
      "comes after a rule of the host that accepts",
      nat("-A POSTROUTING -s 10.0.0.0/8 -j ACCEPT", "-A POSTROUTING -j MASQUERADE"),
      lost("-", "-A POSTROUTING -s 10.0.0.0/8 -j ACCEPT")
    ],
    [
      "comes after a rule of the plugin that accepts",
      nat("-A POSTROUTING -j CNI-1", "-A CNI-1 -j ACCEPT"),
      lost("bridge", "-A CNI-1 -j ACCEPT")
    ],
    [
      "is not known where a rule is not understood",
      nat("-A POSTROUTING -m recent --rcheck -j MASQUERADE"),
      "rules that cannot be understood decide whether 10.99.0.2 is masqueraded"
    ],
    ["is by a mark that nothing gives", nat("-A POSTROUTING -m mark --mark 0x1 -j MASQUERADE"), lost("bridge", policy)]
  ])

  const nft = (...rules: ReadonlyArray<ReadonlyArray<object>>): Host.Change => ({
    host: {
      rules: Result.succeed({
        rulesets: [],
        nft: [{
          family: "inet",
          table: "cni",
          name: "masq",
          hook: "postrouting",
          type: "nat",
          policy: "accept",
          priority: 0,
          device: undefined,
          rules: rules as NftablesRuleset.NftChain["rules"]
        }]
      })
    }
  })
  specify(Masquerade.masquerade, [
    ["is done by nftables, which names the address", nft([{ match: { right: "10.99.0.2" } }]), []],
    [
      "may be done by nftables",
      nft([{ xt: {} }, { masquerade: null }]),
      "rules that cannot be understood decide whether 10.99.0.2 is masqueraded"
    ],
    ["is done by nftables, for all", nft([{ masquerade: null }]), []],
    ["is not done by nftables", nft([{ accept: null }]), [[
      "error - eth0 of web: no rule masquerades 10.99.0.2, which ipMasq asks for: answers from outside do not come back",
      "the table nat has no rules",
      "nftables: the chain masq of the table inet cni accepts it before"
    ]]]
  ])
})

describe("rules that choose a table for packets", () => {
  const main = "{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}"
  const rule = (fields: object) => JSON.stringify({ priority: 9, src: "all", ...fields })
  const asking = (fields: object, ...routes: ReadonlyArray<ReturnType<typeof Host.route>>): Host.Change => ({
    host: { policies: Host.policies(rule(fields), main) },
    outside: { routes: [...Host.outside.routes, ...routes] }
  })
  const dead = (words: string, action = "blackhole") => [[
    `error - what eth0 of web sends ends in ${action}: a rule of the host sends it there`,
    `ip rule: ${words}`
  ]]
  const astray = (words: string) => [[
    "error - answers to eth0 of web go to uplink, expected cni0: a rule of the host sends them there",
    `ip rule: ${words}`
  ]]
  const to7 = Host.route("0.0.0.0/0", "uplink", { table: "7" })
  specify(policyRules, [
    ["are right", {}, []],
    ["are not asked for without a way out", noWay, none],
    ["are not asked for where the host is not known", noHost, none],
    ["are not known where the links of the host are not", { host: { network: Result.fail("no ip") } }, []],
    [
      "throw away what is sent",
      asking({ src: "10.99.0.0", srclen: 24, action: "blackhole" }),
      dead("pref 9 from 10.99.0.0/24 blackhole")
    ],
    [
      "throw away what comes in by the bridge",
      asking({ iif: "cni0", action: "unreachable" }),
      dead("pref 9 iif cni0 unreachable", "unreachable")
    ],
    [
      "throw away what is for the peer",
      asking({ dst: "93.184.0.0", dstlen: 16, action: "prohibit" }),
      dead("pref 9 to 93.184.0.0/16 prohibit", "prohibit")
    ],
    ["throw away answers", asking({ dst: "10.99.0.2", iif: "uplink", action: "blackhole" }), [[
      "error - answers to eth0 of web end in blackhole: a rule of the host sends it there",
      "ip rule: pref 9 to 10.99.0.2/32 iif uplink blackhole"
    ]]],
    ["throw away all, which is told once", asking({ action: "blackhole" }), dead("pref 9 blackhole")],
    ["are about others", asking({ src: "10.98.0.0", srclen: 24, action: "blackhole" }), []],
    ["are about another link", asking({ iif: "eth9", action: "blackhole" }), []],
    ["are about another peer", asking({ dst: "10.98.0.0", dstlen: 24, action: "blackhole" }), []],
    ["ask for a mark", asking({ fwmark: "0x1", action: "blackhole" }), []],
    ["say something that leads on", asking({ action: "nop" }), []],
    [
      "lead answers elsewhere",
      asking({ dst: "10.99.0.0", dstlen: 24, table: "7" }, to7),
      astray("pref 9 to 10.99.0.0/24 lookup 7")
    ],
    [
      "lead answers to the bridge",
      asking({ dst: "10.99.0.0", dstlen: 24, table: "7" }, Host.route("10.99.0.0/24", "cni0", { table: "7" }), to7),
      []
    ],
    ["lead to a table without a way, and so to the next", asking({ table: "7" }), []],
    ["lead to a table that throws, and so to the next", asking({ table: "7" }, { ...to7, type: "throw" }), []],
    ["lead to a table whose way is passed over", asking({ table: "7", suppress_prefixlength: 0 }, to7), []],
    ["lead to a table whose way is too short", asking({ table: "7", suppress_prefixlen: 0 }, to7), []],
    [
      "lead to a table whose way is to others",
      asking({ table: "7" }, Host.route("10.98.0.0/16", "uplink", { table: "7" })),
      []
    ],
    [
      "lead to a dead end",
      asking({ src: "10.99.0.2", table: "7" }, { ...to7, device: undefined, type: "unreachable" }),
      dead("pref 9 from 10.99.0.2/32 lookup 7", "unreachable")
    ],
    ["lead what is sent anywhere", asking({ iif: "cni0", table: "7" }, { ...to7, device: "vpn" }), []]
  ])

  const [, ...others] = Host.outside.routes
  const deadEnd = (type: string): Host.Change => ({
    outside: { routes: [...others, Host.route("0.0.0.0/0", "", { device: undefined, type })] }
  })
  specify(policyRules, [
    ["lead to a dead end of the host itself", deadEnd("unreachable"), [[
      "error - what eth0 of web sends ends in unreachable: the host has no other route to where everybody is",
      "ip route: unreachable 0.0.0.0/0"
    ]]],
    ["lead to a way of the host that is none of these", deadEnd("local"), []],
    ["lead answers astray by the host's own routes, which is told of these", {
      outside: { routes: [...Host.outside.routes, Host.route("10.99.0.2/32", "uplink")] }
    }, []],
    ["of IPv6 lead to a dead end where the host has no way out", {
      ...dual,
      host: { policies: Host.policies(main).map((rule) => ({ ...rule, family: 6 }) as const) },
      outside: { routes: [...Host.outside.routes, Host.route("::/0", "lo", { type: "unreachable" })] }
    }, []]
  ])
})

describe("ports of the host that are mapped", () => {
  const dnat = (rule: string) => rulesets(table("nat", `:PREROUTING ACCEPT\n-A PREROUTING ${rule}`))
  const noPorts = "no attachment has mapped ports"
  const lost = (port: string, target: string, ...rules: ReadonlyArray<string>) => [
    `error portmap eth0 of web: no rule leads from port ${port} of the host to ${target}`,
    ...rules
  ]
  const policy = "-P PREROUTING ACCEPT"
  const publish = (fields: object): Host.Change => ({
    attachment: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "", ...fields }] }
  })
  specify(PortMappings.portMappings, [
    ["lead to the container", {}, []],
    ["are none", { attachment: { portMappings: [] } }, noPorts],
    ["are not asked for without portmap", { plugins: [] }, noPorts],
    ["are not asked for where portmap does not declare them", { plugins: [{ type: "portmap" }] }, noPorts],
    ["are not asked for where portmap declares them otherwise", {
      plugins: [{ type: "portmap", capabilities: { portMappings: "true" } }]
    }, noPorts],
    ["are not asked for where the host is not known", noHost, noPorts],
    ["are not known", noRules, "no rights"],
    ["lead nowhere", dnat("-p tcp --dport 8081 -j DNAT --to-destination 10.99.0.2:80"), [
      lost("8080/tcp", "10.99.0.2:80", policy)
    ]],
    ["lead nowhere, as the table is not there", rulesets(), [
      lost("8080/tcp", "10.99.0.2:80", "the table nat has no rules")
    ]],
    ["of another protocol lead nowhere", dnat("-p udp --dport 8080 -j DNAT --to-destination 10.99.0.2:80"), [
      lost("8080/tcp", "10.99.0.2:80", policy)
    ]],
    ["lead to another container", dnat("-p tcp --dport 8080 -j DNAT --to-destination 10.99.0.3:80"), [[
      "error portmap eth0 of web: port 8080/tcp of the host goes to 10.99.0.3:80, expected 10.99.0.2:80",
      "-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.99.0.3:80"
    ]]],
    ["of an address lead from it alone", {
      ...publish({ hostIP: "192.0.2.2" }),
      ...dnat("-d 192.0.2.3 -j DNAT --to-destination 10.99.0.2:80")
    }, [lost("192.0.2.2:8080/tcp", "10.99.0.2:80", policy)]],
    ["of an address lead from it", {
      ...publish({ hostIP: "192.0.2.2" }),
      ...dnat("-d 192.0.2.2 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.99.0.2:80")
    }, []],
    ["of any address are so called", { ...publish({ hostIP: "0.0.0.0" }), ...dnat("-j ACCEPT") }, [
      lost("8080/tcp", "10.99.0.2:80", "-A PREROUTING -j ACCEPT")
    ]],
    ["of an address of the other family lead nowhere, as portmap makes no rule", {
      ...publish({ hostIP: "fd00::1" }),
      ...dnat("-j ACCEPT")
    }, []],
    [
      "of any address of the other family lead to the container",
      { ...publish({ hostIP: "::" }), ...dnat("-j ACCEPT") },
      [
        lost(":::8080/tcp", "10.99.0.2:80", "-A PREROUTING -j ACCEPT")
      ]
    ],
    [
      "lead where a rule says that is not understood",
      dnat("-m recent --rcheck -j DNAT --to-destination 10.99.0.3:80"),
      []
    ],
    ["lead to the first address of each family alone", {
      ...rulesets(),
      attachment: {
        result: Host.resultWith({
          ips: ["10.99.0.2/24", "10.99.0.3/24", "fd99::2/64", "fd99::3/64"].map((address) => ({
            address,
            interface: 2
          }))
        })
      }
    }, [
      lost("8080/tcp", "10.99.0.2:80", "the table nat has no rules"),
      lost("8080/tcp", "[fd99::2]:80", "the table nat has no rules")
    ]],
    ["are led by nftables, which names the address", {
      host: {
        rules: Result.succeed({
          rulesets: [],
          nft: [{
            family: "ip",
            table: "cni",
            name: "dnat",
            hook: undefined,
            type: undefined,
            policy: undefined,
            priority: 0,
            device: undefined,
            rules: [[{ dnat: { addr: "10.99.0.2" } }]]
          }]
        })
      }
    }, []]
  ])

  const api = (fields: Parameters<typeof Host.attachment>[0]): Host.Change => ({
    others: [Host.attachment({ containerId: "api", file: "/results/api", ...fields })]
  })
  const mapping = Host.attachment().portMappings
  const twice = [[
    "error portmap port 8080/tcp of the host is mapped to two containers, web and api: one of them gets nothing",
    "/var/lib/cni/results/n-web-eth0",
    "/results/api"
  ]]
  const other = (fields: object) => api({ portMappings: mapping.map((each) => ({ ...each, ...fields })) })
  specify(PortMappings.portsTaken, [
    ["are free", {}, []],
    ["are none", { attachment: { portMappings: [] } }, noPorts],
    ["are not asked for without portmap", { plugins: [] }, noPorts],
    ["are not asked for where the host is not known", noHost, noPorts],
    ["are another container's too", other({}), twice],
    ["are another container's too, of which nothing more is known", api({ sight: undefined as never }), twice],
    ["are those of one that is gone", { others: [Host.attachment({ file: "/x", sight: { _tag: "Missing" } })] }, []],
    ["are other ports", other({ hostPort: 8081 }), []],
    ["are of another protocol", other({ protocol: "udp" }), []],
    ["are of another address than all", other({ hostIP: "192.0.2.2" }), twice],
    ["are of another address", { ...publish({ hostIP: "192.0.2.3" }), ...other({ hostIP: "192.0.2.2" }) }, []],
    ["are of the same address", { ...publish({ hostIP: "192.0.2.2" }), ...other({ hostIP: "192.0.2.2" }) }, [[
      "error portmap port 192.0.2.2:8080/tcp of the host is mapped to two containers, web and api: one of them gets nothing",
      "/var/lib/cni/results/n-web-eth0",
      "/results/api"
    ]]],
    ["are of any address of IPv4", { ...publish({ hostIP: "192.0.2.2" }), ...other({ hostIP: "0.0.0.0" }) }, [[
      "error portmap port 192.0.2.2:8080/tcp of the host is mapped to two containers, web and api: one of them gets nothing",
      "/var/lib/cni/results/n-web-eth0",
      "/results/api"
    ]]],
    ["are of any address of IPv6", { ...publish({ hostIP: "192.0.2.2" }), ...other({ hostIP: "::" }) }, [[
      "error portmap port 192.0.2.2:8080/tcp of the host is mapped to two containers, web and api: one of them gets nothing",
      "/var/lib/cni/results/n-web-eth0",
      "/results/api"
    ]]]
  ])

  const listening = (name: string | undefined, fields: object = {}): Host.Change => ({
    host: {
      listeners: Result.succeed([{
        protocol: "tcp" as const,
        port: 8080,
        owner: name === undefined ? undefined : { name, pid: 7 },
        ...fields
      }])
    }
  })
  specify(PortMappings.portsTaken, [
    ["are a program's", listening("nginx"), [[
      "warning portmap port 8080/tcp of the host is mapped to web, and nginx (process 7) listens on it: nothing reaches " +
      "it from outside any more",
      "tcp port 8080: nginx (process 7)"
    ]]],
    ["are those of a program that is not known", listening(undefined), []],
    ["are others than a program's", listening("nginx", { port: 8081 }), []],
    ["are of another protocol than a program's", listening("nginx", { protocol: "udp" }), []],
    ["are not known", { host: { listeners: Result.fail("no rights") } }, []],
    ["are a program's whose name ends like that of a runtime", listening("xconmon"), [[
      "warning portmap port 8080/tcp of the host is mapped to web, and xconmon (process 7) listens on it: nothing " +
      "reaches it from outside any more",
      "tcp port 8080: xconmon (process 7)"
    ]]],
    ...[
      "conmon",
      "podman",
      "rootlessport",
      "docker-proxy",
      "containerd-shim-runc-v2",
      "crio",
      "netavark",
      "slirp4netns",
      "pasta"
    ]
      .map((name) => [`are kept by ${name}`, listening(name), []] as const)
  ])
})

describe("a table of the kernel", () => {
  const used = (used: number): Host.Change => ({
    host: { tables: [{ name: "connections", used, limit: 1000, setting: "net.netfilter.nf_conntrack_max" }] }
  })
  const setting = "net.netfilter.nf_conntrack_max = 1000"
  specify(kernelTables, [
    ["is not known", noHost, "nothing is known of the host"],
    ["has room", used(899), []],
    ["is nearly full", used(900), [[
      "warning - the kernel's table of connections is nearly full, with 900 of 1000: beyond that packets are dropped",
      setting
    ]]],
    ["is nearly full up to its last place", used(999), [[
      "warning - the kernel's table of connections is nearly full, with 999 of 1000: beyond that packets are dropped",
      setting
    ]]],
    ["is full", used(1000), [[
      "error - the kernel's table of connections is full, with 1000 of 1000: packets of others are dropped",
      setting
    ]]]
  ])
})

describe("what could not be looked at", () => {
  const note = "note - some checks could not run, so problems there would be missed"
  const unseen = { _tag: "Unseen", reason: "no rights" } as const
  const trial = { calls: [], innermost: new Map(), left: [] }
  specify(everythingSeen, [
    ["is nothing", {}, []],
    ["is nothing where the host was not asked for", noHost, []],
    ["is each that is known", {
      host: { network: Result.fail("no ip"), rules: Result.fail("no iptables") },
      attachment: { sight: unseen },
      facts: { unseen: ["no folder"] }
    }, [[note, "no folder", "no ip", "no iptables", "the namespace of eth0 of web: no rights"]]],
    ["is that packets of a trial were not sent, where flows would show it", {
      facts: { trial: { ...trial, sent: { flows: [{} as Flow], findings: [], problem: "nft is missing" } } }
    }, [[note, "whether the flows of the trial arrive: packets were not sent over all of them: nft is missing"]]],
    ["is not told of packets where nothing was attached", {
      facts: { trial: { ...trial, sent: { flows: [], findings: [], problem: "no namespace was attached" } } }
    }, []],
    ["is which containers are gone, once for all addresses", {
      facts: {
        store: {
          folder: "/networks/n",
          reservations: ["10.99.0.2", "10.99.0.3"].map((address) => ({
            file: `/networks/n/${address}`,
            address,
            containerId: "c",
            ifname: "eth0",
            isGone: false,
            reason: "x",
            unknown: "no rights"
          })),
          unread: [],
          problem: undefined,
          unwritable: undefined
        }
      }
    }, [[note, "which addresses are reserved for containers that are gone: no rights"]]],
    ["is not a namespace of which nothing is known at all", { attachment: { netns: "", sight: unseen } }, []]
  ])
})
