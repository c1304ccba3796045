/** Facts that came, went or changed, in words. */
import { assert, describe, it } from "@effect/vitest"
import * as Fact from "../../src/network/Fact.ts"
import * as Line from "../../src/network/Line.ts"

const host = (kind: string, text: string): Fact.Fact => ({ place: "host", kind, text })

describe("a fact that came or went", () => {
  const words: { readonly [kind: string]: { readonly [text: string]: string } } = {
    links: {
      "vetha446 veth up mtu 1500 mac 02:00:00:00:00:01 qlen 500 master cni0 noarp":
        "host link vetha446 (veth, up, master cni0, noarp)",
      "lo loopback down mtu 65536": "host link lo (loopback, down)",
      "eth0 veth up mtu 1400": "host link eth0 (veth, up, mtu 1400)",
      "eth0": "host link eth0 ()"
    },
    addresses: {
      "eth0 10.0.0.1/8 brd 10.255.255.255 scope link label eth0:1 dynamic": "host address 10.0.0.1/8 on eth0 dynamic"
    },
    routes: {
      "default via inet6 fe80::1 dev eth0 proto static metric 5":
        "host route default via inet6 fe80::1 dev eth0 metric 5",
      "10.50.0.0/24 nexthop via 10.9.9.9 dev eth0 nexthop via 10.9.9.8 dev eth0":
        "host route 10.50.0.0/24 nexthop via 10.9.9.9 dev eth0 nexthop via 10.9.9.8 dev eth0"
    },
    rules: { "ip 100: from all lookup 5": "host rule ip 100: from all lookup 5" },
    neighbours: {
      "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT":
        "host neighbour 10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT"
    },
    bridge: {
      "vlan 10 dev eth0 pvid untagged": "host bridge vlan 10 dev eth0 pvid untagged",
      "fdb 02:00:00:00:00:07 dev eth0 master br0 static": "host bridge fdb 02:00:00:00:00:07 dev eth0 master br0 static"
    },
    ipam: { "podman 10.88.0.2 id eth0": "ipam podman: 10.88.0.2 for id eth0" },
    ipsets: { "add a 10.0.0.1": "ipset a: 10.0.0.1" },
    sysctls: { "net.ipv4.ip_forward = 1": "host sysctl net.ipv4.ip_forward = 1" }
  }
  for (const [kind, facts] of Object.entries(words)) {
    it(`of ${kind} names the thing, and what is not usual about it`, () => {
      const found = Object.keys(facts).map((text) => [text, Fact.single(host(kind, text))])
      assert.deepStrictEqual(Object.fromEntries(found), facts)
    })
  }

  it("says where it is, for packet filters too if that is not the host", () => {
    const inside = (kind: string, text: string) => Fact.single({ place: "container", kind, text })
    assert.strictEqual(inside("links", "eth0 veth up"), "container link eth0 (veth, up)")
    assert.strictEqual(inside("iptables", "ip filter -P FORWARD DROP"), "container filter FORWARD: policy DROP")
    assert.strictEqual(Fact.single(host("iptables", "ip filter -P FORWARD DROP")), "filter FORWARD: policy DROP")
    assert.strictEqual(Fact.single(host("nftables", "rule inet cni c accept")), "nft inet cni c: accept")
  })
})

describe("a fact that changed", () => {
  const changes: ReadonlyArray<readonly [kind: string, before: string, now: string, words: string]> = [
    [
      "links",
      "eth0 veth up mtu 1500 master cni0",
      "eth0 veth down mtu 1400 alias \"x\" noarp",
      "host link eth0: up → down, mtu 1500 → 1400, no longer master cni0, now alias \"x\", now noarp"
    ],
    ["sysctls", "net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1", "host sysctl net.ipv4.ip_forward = 0 → 1"],
    [
      "rules",
      "ip 100: from all lookup 5",
      "ip 100: from all lookup 6",
      "host rule ip 100: from all lookup 5 → from all lookup 6"
    ],
    ["iptables", "ip filter -P FORWARD DROP", "ip filter -P FORWARD ACCEPT", "filter FORWARD: policy DROP → ACCEPT"],
    [
      "nftables",
      "element inet fw m 80 : jump a",
      "element inet fw m 80 : jump b",
      "nft inet fw m: 80 : jump a → jump b"
    ],
    ["ipam", "podman 10.88.0.2 a eth0", "podman 10.88.0.2 b eth0", "ipam podman: 10.88.0.2 for a eth0 → b eth0"],
    [
      "bridge",
      "vlan 10 dev eth0 pvid untagged",
      "vlan 10 dev eth0 untagged",
      "host bridge vlan 10 dev eth0: no longer pvid"
    ]
  ]
  for (const [kind, before, now, words] of changes) {
    it(`of ${kind} says what is other than before`, () => {
      assert.strictEqual(Fact.change(host(kind, before), host(kind, now)), words)
    })
  }
})

describe("the attributes in a line", () => {
  it("have a value each, but flags have none", () => {
    const found = Line.attributesOf("via 10.0.0.1 onlink dev eth0 metric".split(" "), "onlink pervasive")
    assert.deepStrictEqual([...found], [["via", "10.0.0.1"], ["onlink", ""], ["dev", "eth0"], ["metric", ""]])
  })

  it("may begin with any word, and end with the next hops", () => {
    const found = Line.attributesOf("onlink nexthop via 10.0.0.1 dev eth0".split(" "), "onlink")
    assert.deepStrictEqual([...found], [["onlink", ""], ["nexthop", "via 10.0.0.1 dev eth0"]])
  })
})
