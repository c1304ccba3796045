/** What a fact is about, and what it is known by. */
import { assert, describe, it } from "@effect/vitest"
import * as Fact from "../../src/network/Fact.ts"
import * as Line from "../../src/network/Line.ts"

describe("the words of a fact", () => {
  it("are between its spaces, where a text in quotes is one word", () => {
    assert.deepStrictEqual(Line.wordsOf("a b c"), ["a", "b", "c"])
    assert.deepStrictEqual(Line.wordsOf(`a "b c" d`), ["a", `"b c"`, "d"])
    assert.deepStrictEqual(Line.wordsOf(`a "b \\" c" d`), ["a", `"b \\" c"`, "d"])
    assert.deepStrictEqual(Line.wordsOf(`a "b c`), ["a", `"b`, "c"])
    assert.deepStrictEqual(Line.wordsOf(`" `), [`"`])
    assert.deepStrictEqual(Line.wordsOf(""), [""])
  })

  it("have one after each but the last", () => {
    const words = ["dev", "eth0", "via"]
    assert.deepStrictEqual(["dev", "via", "metric"].map((word) => Line.after(words, word)), [
      "eth0",
      undefined,
      undefined
    ])
  })
})

describe("the identity of a fact", () => {
  const identities: { readonly [kind: string]: { readonly [text: string]: string } } = {
    links: { "eth0 veth up mtu 1500": "eth0" },
    addresses: { "eth0 10.0.0.1/8 brd 10.255.255.255": "eth0 10.0.0.1/8" },
    neighbours: { "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT": "10.0.0.1 dev eth0" },
    ipam: { "podman 10.88.0.2 id eth0": "podman 10.88.0.2" },
    routes: {
      "default via 10.0.0.1 dev eth0": "default table main metric 0",
      "10.0.0.0/8 dev eth0 table 9 metric 5": "10.0.0.0/8 table 9 metric 5",
      "local 10.0.0.1 dev lo table 9": "local 10.0.0.1 table 9 metric 0",
      "blackhole 10.0.0.0/8": "blackhole 10.0.0.0/8 table main metric 0",
      "unreachable 10.0.0.0/8": "unreachable 10.0.0.0/8 table main metric 0",
      "prohibit 10.0.0.0/8": "prohibit 10.0.0.0/8 table main metric 0",
      "throw 10.0.0.0/8 metric 7": "throw 10.0.0.0/8 table main metric 7",
      "nat 10.0.0.0/8": "nat table main metric 0"
    },
    rules: { "ip 100: from all lookup 5": "ip 100:" },
    bridge: {
      "fdb 02:00:00:00:00:07 dev eth0 master br0 static": "fdb 02:00:00:00:00:07 dev eth0",
      "fdb 02:00:00:00:00:07 dev vx0 vlan 5 dst 10.0.0.1 self permanent": "fdb 02:00:00:00:00:07 dev vx0 5 10.0.0.1",
      "vlan 10 dev eth0 pvid untagged": "vlan 10 dev eth0"
    },
    nftables: {
      "table inet fw flags dormant": "table inet fw",
      "chain inet fw in type filter hook input": "chain inet fw in",
      "set inet fw s type ipv4_addr": "set inet fw s",
      "ct helper inet fw h type \"ftp\"": "ct helper inet fw h",
      "element inet fw m 80 : jump a": "element inet fw m 80",
      "element inet fw s 10.0.0.1": "element inet fw s 10.0.0.1",
      "rule inet fw in tcp dport 1 accept": "rule inet fw in tcp dport 1 accept"
    },
    iptables: {
      "ip filter -P FORWARD DROP": "ip filter -P FORWARD",
      "legacy ip6 filter -P FORWARD DROP": "legacy ip6 filter -P FORWARD",
      "ip nat -A CNI-1 -j ACCEPT": "ip nat -A CNI-1 -j ACCEPT",
      "ip nat -A X --tag -P a b c": "ip nat -A X --tag -P a b c"
    },
    ipsets: {
      "create a hash:ip family inet": "create a",
      "add a 10.0.0.1 comment \"x\"": "add a 10.0.0.1"
    },
    sysctls: { "net.ipv4.ip_forward = 1": "net.ipv4.ip_forward", "net.ipv4.ip_forward": "net.ipv4.ip_forward" },
    weather: { "rain in the south": "rain in the south" }
  }
  for (const [kind, facts] of Object.entries(identities)) {
    it(`of ${kind} is what it is known by`, () => {
      const found = Object.keys(facts).map((text) => [text, Fact.identityOf({ kind, text })])
      assert.deepStrictEqual(Object.fromEntries(found), facts)
    })
  }
})

describe("the link of a fact", () => {
  it("is the one that it is about", () => {
    const cases: ReadonlyArray<readonly [kind: string, text: string, link: string | undefined]> = [
      ["links", "eth0 veth up master br0", "eth0"],
      ["addresses", "eth0 10.0.0.1/8", "eth0"],
      ["routes", "default via 10.0.0.1 dev eth0", "eth0"],
      ["routes", "blackhole 10.0.0.0/8", undefined],
      ["neighbours", "10.0.0.1 dev eth0 PERMANENT", "eth0"],
      ["bridge", "fdb 02:00:00:00:00:07 dev eth0 master br0", "eth0"],
      ["sysctls", "net.ipv4.conf.eth0/5.arp_filter = 1", "eth0.5"],
      ["sysctls", "net.ipv6.neigh.a/b/c.ucast_solicit = 1", "a.b.c"],
      ["sysctls", "net.ipv4.ip_forward = 1", undefined],
      ["sysctls", "net.ipv4.route.eth0.x = 1", undefined],
      ["sysctls", "x.net.ipv4.conf.eth0.arp_filter = 1", undefined],
      ["iptables", "ip nat -A X -o dev eth0", undefined],
      ["rules", "ip 1: from all dev eth0", undefined]
    ]
    for (const [kind, text, link] of cases) assert.strictEqual(Fact.linkOf({ kind, text }), link, text)
  })
})
