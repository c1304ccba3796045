/** What a plugin changed, in a person's words. */
import { assert, describe, it } from "@effect/vitest"
import type { AttachmentIdentity } from "../../src/operations/AttachmentIdentity.ts"
import * as StateChanges from "../../src/operations/StateChanges.ts"

const id = "ba87c1e4f5d5c7a0f1f9e5b2ba87c1e4f5d5c7a0f1f9e5b2ba87c1e4f5d5c7a0"
const hash = "c202bc1cc2d590156ca8bdde"

const marks: AttachmentIdentity = {
  containerId: id,
  netns: "/run/netns/demo",
  chains: new Set([hash]),
  addresses: new Set(["10.88.0.2", "fd99::2"]),
  gateways: new Set(["10.88.0.1", "fd99::1"]),
  hostLinks: new Set(["cni0", "vetha446"]),
  sharedLinks: new Set(["cni0"]),
  macs: new Set(["02:00:00:00:00:02"])
}

const signs = { added: "+", removed: "-", changed: "~" }

/** Sentences about facts of one kind. */
const told = (
  kind: string,
  added: ReadonlyArray<string>,
  removed: ReadonlyArray<string> = [],
  place: "host" | "container" = "host"
) =>
  StateChanges.describe({ changes: { [place]: { [kind]: { added, removed } } } }, marks)
    .map(({ kind, what }) => `${signs[kind]} ${what}`)

/** Facts that came, and what is said about each. */
const facts: { readonly [kind: string]: { readonly [fact: string]: string } } = {
  links: {
    "vetha446 veth up mtu 1500 mac 62:ed:32:65:d8:0f master cni0": "link vetha446 (veth, up, master cni0)",
    "mv0 macvlan down mtu 1400 mac 12:c3:b6:e2:06:d5 link br0 mode bridge":
      "link mv0 (macvlan, down, mtu 1400, link br0, mode bridge)",
    "ifb0 ifb up mtu 1500 qlen 32 mac aa:94:e2:11:1e:8a noarp qdisc tbf": "link ifb0 (ifb, up, noarp, qdisc tbf)",
    "lo loopback up mtu 65536": "link lo (loopback, up)"
  },
  addresses: {
    "eth0 10.88.0.2/16 brd 10.88.255.255": "address 10.88.0.2/16 on eth0",
    "eth0 10.88.0.2/32 peer 10.88.0.1 nodad": "address 10.88.0.2/32 on eth0 peer 10.88.0.1 nodad"
  },
  routes: {
    "default via 10.88.0.1 dev eth0": "route default via 10.88.0.1 dev eth0",
    "10.9.0.0/16 via inet6 fe80::1 dev eth0 onlink": "route 10.9.0.0/16 via inet6 fe80::1 dev eth0 onlink",
    "10.88.0.0/16 dev eth0 proto kernel scope link src 10.88.0.2": "route 10.88.0.0/16 dev eth0 src 10.88.0.2",
    "::/0 metric 1024 nexthop via fd00::1 dev eth0 nexthop via fd00::3 dev eth0 weight 2":
      "route ::/0 metric 1024 nexthop via fd00::1 dev eth0 nexthop via fd00::3 dev eth0 weight 2",
    "blackhole 10.1.0.0/24 proto static": "route blackhole 10.1.0.0/24"
  },
  rules: { "ip 32765: from 10.88.0.2 lookup 100": "rule ip 32765: from 10.88.0.2 lookup 100" },
  neighbours: {
    "10.88.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT":
      "neighbour 10.88.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT"
  },
  bridge: {
    "fdb 02:00:00:00:00:07 dev vethab vlan 1 master cni0 static":
      "bridge fdb 02:00:00:00:00:07 dev vethab vlan 1 master cni0 static",
    "vlan 10 dev vethab pvid untagged": "bridge vlan 10 dev vethab pvid untagged"
  },
  sysctls: { "net.core.somaxconn = 500": "sysctl net.core.somaxconn = 500" }
}

describe("a fact that came, in a person's words", () => {
  for (const [kind, lines] of Object.entries(facts)) {
    for (const [fact, words] of Object.entries(lines)) {
      it(`is ${JSON.stringify(words)}`, () => {
        assert.deepStrictEqual(told(kind, [fact], [], "container"), [`+ container ${words}`])
      })
    }
  }

  it("says of the host only where that is not to be expected", () => {
    assert.deepStrictEqual(told("links", ["cni0 bridge up mtu 1500"]), ["+ host link cni0 (bridge, up)"])
    const rule = "ip nat -A POSTROUTING -j MASQUERADE"
    assert.deepStrictEqual(told("iptables", [rule]), ["+ nat POSTROUTING: masquerade"])
    assert.deepStrictEqual(told("iptables", [rule], [], "container"), ["+ container nat POSTROUTING: masquerade"])
  })

  it("of nftables, an ipset or host-local is told with what it is in", () => {
    assert.deepStrictEqual(
      told("nftables", [
        "chain inet fw in type filter hook input priority filter; policy accept;",
        "ct helper inet fw h type \"ftp\" protocol tcp; l3proto inet",
        "element inet fw big 10.0.0.1 . 80 comment \"a, b\"",
        "rule inet fw in iifname \"eth0\" jump foo",
        "set inet fw s type ipv4_addr; timeout 1h",
        "table inet fw"
      ]),
      [
        "+ nft chain inet fw in (type filter hook input priority filter; policy accept;)",
        "+ nft ct helper inet fw h type \"ftp\" protocol tcp; l3proto inet",
        "+ nft inet fw big: 10.0.0.1 . 80 comment \"a, b\"",
        "+ nft inet fw in: iifname \"eth0\" jump foo",
        "+ nft set inet fw s (type ipv4_addr; timeout 1h)",
        "+ nft table inet fw"
      ]
    )
    assert.deepStrictEqual(told("ipsets", ["add a 10.1.1.1 comment \"hi x\"", "create a hash:ip family inet"]), [
      "+ ipset a: 10.1.1.1 comment \"hi x\"",
      "+ ipset a (hash:ip family inet)"
    ])
    assert.deepStrictEqual(told("ipam", [`podman 10.88.0.2 ${id} eth0`]), [`+ ipam podman: 10.88.0.2 for ${id} eth0`])
  })

  it("of a kind that nobody knows is told as it stands", () => {
    assert.deepStrictEqual(told("weather", ["rain"]), ["+ host weather: rain"])
  })
})

describe("words that stand for themselves", () => {
  const flags: { readonly [kind: string]: readonly [start: string, flags: string, name: string] } = {
    addresses: [
      "eth0 10.88.0.2/16",
      "secondary temporary mngtmpaddr home nodad noprefixroute dynamic deprecated dadfailed",
      "address 10.88.0.2/16 on eth0"
    ],
    routes: ["default dev eth0", "onlink pervasive", "route default dev eth0"],
    neighbours: ["10.0.0.1 dev eth0", "PERMANENT extern_learn proxy", "neighbour 10.0.0.1 dev eth0"],
    bridge: ["vlan 1 dev eth0", "self static permanent extern_learn pvid untagged", "bridge vlan 1 dev eth0"]
  }
  for (const [kind, [start, words, name]] of Object.entries(flags)) {
    it(`do not take the next one of ${kind} as their value`, () => {
      for (const flag of words.split(" ")) {
        // Who made it is not told, as it would be where it were the value of the flag.
        assert.deepStrictEqual(told(kind, [`${start} ${flag} proto static`]), [`+ host ${name} ${flag}`])
      }
      assert.deepStrictEqual(told(kind, [`${start} other proto static`]), [`+ host ${name} other proto static`])
    })
  }

  it("do not take the next one of links as their value", () => {
    assert.deepStrictEqual(told("links", ["a veth up noarp allmulti promisc master b"]), [
      "+ host link a (veth, up, noarp, allmulti, promisc, master b)"
    ])
  })

  it("and values that all things have are not told", () => {
    assert.deepStrictEqual(told("links", ["a veth up mtu 1501 qlen 5 mac x", "b veth up mtu 65536"]), [
      "+ host link a (veth, up, mtu 1501)",
      "+ host link b (veth, up)"
    ])
    assert.deepStrictEqual(told("routes", ["default dev a brd b proto c scope d label e src f via g"]), [
      "+ host route default dev a src f via g"
    ])
    assert.deepStrictEqual(told("addresses", ["a 10.0.0.1/8 scope link label a:1 metric 5"]), [
      "+ host address 10.0.0.1/8 on a metric 5"
    ])
    assert.deepStrictEqual(told("ipam", ["podman 10.88.0.2"], [], "container"), ["+ container ipam podman: 10.88.0.2"])
  })
})

describe("facts that are not what they should be", () => {
  it("are told all the same, however odd and long they are", () => {
    const odd = ["", " ", "x", "\"", "a b c d e f g h", "ip nat -A", "rule", `${"\"\\".repeat(2000)}`, "-".repeat(4096)]
    const kinds = [...Object.keys(facts), "nftables", "iptables", "ipsets", "ipam", "weather", "__proto__"]
    for (const kind of kinds) {
      assert.isAtLeast(told(kind, odd).length, odd.length - 1, kind)
      assert.isAtLeast(told(kind, odd.slice(0, 4), odd.slice(4)).length, 4, kind)
    }
  })

  it("are paired however many there are", () => {
    const many = (end: string) => Array.from({ length: 5000 }, (_, index) => `10.0.0.0/8 dev x${index} ${end}`)
    assert.lengthOf(told("routes", many("mtu 1"), many("mtu 2")), 5000)
  })
})

describe("facts of the same identity that came and went", () => {
  it("are one change, with what is said differently", () => {
    assert.deepStrictEqual(
      told(
        "links",
        ["eth0 veth up mtu 1450 mac 02:00:00:00:00:03 promisc"],
        ["eth0 veth down mtu 1500 mac 02:00:00:00:00:02 master cni0"],
        "container"
      ),
      [
        "~ container link eth0: down → up, mtu 1500 → 1450, mac 02:00:00:00:00:02 → 02:00:00:00:00:03, " +
        "no longer master cni0, now promisc"
      ]
    )
    assert.deepStrictEqual(
      told("addresses", ["eth0 10.88.0.2/16 label eth0:1"], ["eth0 10.88.0.2/16"]),
      ["~ host address 10.88.0.2/16 on eth0: now label eth0:1"]
    )
    assert.deepStrictEqual(
      told("sysctls", ["net.ipv4.ip_forward = 1"], ["net.ipv4.ip_forward = 0"]),
      ["~ host sysctl net.ipv4.ip_forward = 0 → 1"]
    )
    assert.deepStrictEqual(
      told("rules", ["ip 32765: from all lookup 101"], ["ip 32765: from all lookup 100"]),
      ["~ host rule ip 32765: from all lookup 100 → from all lookup 101"]
    )
    assert.deepStrictEqual(
      told("nftables", ["element inet fw m 80 : jump bar"], ["element inet fw m 80 : jump foo"]),
      ["~ nft inet fw m: 80 : jump foo → jump bar"]
    )
  })

  it("of neighbours, bridges, sets, chains and reservations are changes of these", () => {
    assert.deepStrictEqual(
      told("neighbours", ["10.0.0.1 dev eth0 lladdr 02:00:00:00:00:02 PERMANENT"], [
        "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 extern_learn"
      ]),
      [
        "~ host neighbour 10.0.0.1 dev eth0: lladdr 02:00:00:00:00:01 → 02:00:00:00:00:02, " +
        "no longer extern_learn, now PERMANENT"
      ]
    )
    assert.deepStrictEqual(told("bridge", ["vlan 10 dev eth0 untagged"], ["vlan 10 dev eth0 pvid"]), [
      "~ host bridge vlan 10 dev eth0: no longer pvid, now untagged"
    ])
    assert.deepStrictEqual(told("ipsets", ["create a hash:ip timeout 5"], ["create a hash:ip"]), [
      "~ ipset a (hash:ip) → hash:ip timeout 5"
    ])
    assert.deepStrictEqual(told("nftables", ["chain inet x c type nat"], ["chain inet x c type filter"], "container"), [
      "~ container nft chain inet x c (type filter) → type nat"
    ])
    assert.deepStrictEqual(told("ipam", ["podman 10.88.0.2 b eth0"], ["podman 10.88.0.2 a eth0"]), [
      "~ ipam podman: 10.88.0.2 for a eth0 → b eth0"
    ])
    assert.deepStrictEqual(told("iptables", ["ip filter -P INPUT DROP"], ["ip filter -P INPUT REJECT"]), [
      "~ filter INPUT: policy REJECT → DROP"
    ])
    assert.deepStrictEqual(told("links", ["eth0 macvlan up mtu 1500"], ["eth0 veth up mtu 1500"]), [
      "~ host link eth0: type veth → macvlan"
    ])
  })

  it("are policies too, of which ACCEPT is no fact", () => {
    const drop = "ip filter -P FORWARD DROP"
    assert.deepStrictEqual(told("iptables", [drop]), ["~ filter FORWARD: policy ACCEPT → DROP"])
    assert.deepStrictEqual(told("iptables", [], [drop]), ["~ filter FORWARD: policy DROP → ACCEPT"])
  })

  it("are routes of one destination, told apart by their links where there are several", () => {
    assert.deepStrictEqual(told("routes", ["default via 10.0.0.9 dev eth0"], ["default via 10.0.0.1 dev eth0"]), [
      "~ host route default: via 10.0.0.1 → 10.0.0.9"
    ])
    assert.deepStrictEqual(
      told("routes", ["10.0.0.0/8 dev a mtu 1400", "10.0.0.0/8 dev c"], ["10.0.0.0/8 dev a", "10.0.0.0/8 dev b"]),
      ["~ host route 10.0.0.0/8: now mtu 1400", "~ host route 10.0.0.0/8: dev b → c"]
    )
    assert.deepStrictEqual(
      told("routes", ["default via 10.0.0.1 metric 5", "default via 10.0.0.1 table 9"], ["default via 10.0.0.1"]),
      [
        "+ host route default via 10.0.0.1 metric 5",
        "+ host route default via 10.0.0.1 table 9",
        "- host route default via 10.0.0.1"
      ]
        .sort((left, right) => Number(right.startsWith("-")) - Number(left.startsWith("-")))
    )
  })

  it("are not rules, which are what they say", () => {
    assert.deepStrictEqual(told("iptables", ["ip nat -A X -j ACCEPT"], ["ip nat -A X -j DROP"]), [
      "- nat X: drop",
      "+ nat X: accept"
    ])
  })
})

describe("rules of iptables", () => {
  it("tell of their chain, where that comes with them", () => {
    assert.deepStrictEqual(
      told("iptables", [
        "ip nat -A CNI-DN-ba87 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80",
        "ip nat -N CNI-DN-ba87",
        "ip nat -N CNI-ADMIN"
      ]),
      ["+ nat CNI-DN-ba87: tcp dport 8080 → 10.88.0.2:80", "+ nat chain CNI-ADMIN"]
    )
  })

  it("are told once where they are the same in both families", () => {
    const of = (family: string) => `${family} nat -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT`
    const words = "nat PREROUTING: to local addresses jump CNI-HOSTPORT-DNAT"
    assert.deepStrictEqual(told("iptables", [of("ip"), of("ip6")]), [`+ ip and ip6 ${words}`])
    assert.deepStrictEqual(told("iptables", [of("ip6")]), [`+ ip6 ${words}`])
    assert.deepStrictEqual(told("iptables", [of("legacy ip")]), [`+ legacy ip ${words}`])
    assert.deepStrictEqual(told("iptables", [of("ip"), `${of("ip")} #2`]), [`+ ${words}`, `+ ${words} #2`])
  })
})

describe("whose a change is", () => {
  const whose = (kind: string, ...added: ReadonlyArray<string>) =>
    StateChanges.describe({ changes: { host: { [kind]: { added, removed: [] } } } }, marks).map(({ whose }) => whose)
  const comment = (id: string) => `-m comment --comment "name: \\"podman\\" id: \\"${id}\\""`

  it("is the attachment's where it bears its container ID, an address, a chain or a veth of it", () => {
    assert.deepStrictEqual(whose("iptables", `ip nat -A POSTROUTING ${comment(id)} -j ACCEPT`), ["attachment"])
    assert.deepStrictEqual(whose("iptables", "ip filter -A CNI-FORWARD -s 10.88.0.2/32 -j ACCEPT"), ["attachment"])
    assert.deepStrictEqual(whose("iptables", "ip6 nat -A X -j DNAT --to-destination [fd99::2]:80"), ["attachment"])
    assert.deepStrictEqual(whose("iptables", `ip nat -N CNI-${hash}`), ["attachment"])
    assert.deepStrictEqual(whose("iptables", `ip nat -N CNI-DN-${hash.slice(0, 21)}`), ["attachment"])
    assert.deepStrictEqual(whose("nftables", "rule ip x y ip saddr 10.88.0.2 accept"), ["attachment"])
    const masquerade = `goto z comment "6fd4, net: podman, if: eth0, id: ${id.slice(0, 40)}"`
    assert.deepStrictEqual(whose("nftables", `rule inet x y ${masquerade}`), ["attachment"])
    assert.deepStrictEqual(whose("links", "vetha446 veth up mtu 1500 master cni0"), ["attachment"])
    assert.deepStrictEqual(whose("routes", "10.88.0.2 dev vetha446 scope link"), ["attachment"])
    assert.deepStrictEqual(whose("bridge", "fdb 02:00:00:00:00:02 dev x master cni0 static"), ["attachment"])
    assert.deepStrictEqual(whose("ipam", `podman 10.88.0.2 ${id} eth0`), ["attachment"])
  })

  it("is that of others where it bears those of another attachment", () => {
    const other = id.replace("ba87", "dead")
    assert.deepStrictEqual(whose("iptables", `ip nat -A POSTROUTING ${comment(other)} -j ACCEPT`), ["others"])
    assert.deepStrictEqual(whose("iptables", "ip nat -N CNI-DN-0123456789abcdef01234"), ["others"])
    assert.deepStrictEqual(whose("iptables", "ip filter -A CNI-FORWARD -s 10.88.0.22/32 -j ACCEPT"), ["others"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A X -p tcp -j DNAT --to-destination 10.88.0.3:80"), ["others"])
    assert.deepStrictEqual(whose("nftables", "rule ip x y ip daddr 10.88.0.3 accept"), ["others"])
    assert.deepStrictEqual(whose("nftables", "rule inet x y goto z comment \"6fd4, net: n, if: eth0, id: dead\""), [
      "others"
    ])
    assert.deepStrictEqual(whose("nftables", `rule inet x y tcp dport 80 comment "${other}"`), ["others"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A KUBE-SERVICES -d 10.96.0.0/12 -j KUBE-SVC-X"), ["others"])
    assert.deepStrictEqual(whose("iptables", "ip filter -N DOCKER-ISOLATION-STAGE-1"), ["others"])
    // Networks may have the same addresses.
    assert.deepStrictEqual(whose("iptables", `ip nat -A X -s 10.88.0.2/32 ${comment(other)} -j Y`), ["others"])
    assert.deepStrictEqual(whose("ipam", `docker 10.88.0.2 ${other} eth0`), ["others"])
    assert.deepStrictEqual(whose("links", "vethb123 veth up mtu 1500 master cni0"), ["others"])
    assert.deepStrictEqual(whose("routes", "10.88.0.3 dev vethb123 scope link"), ["others"])
    assert.deepStrictEqual(whose("ipam", `podman 10.88.0.3 ${other} eth0`), ["others"])
  })

  it("is shared where it bears nothing of anybody: the plugin may have made it for all", () => {
    assert.deepStrictEqual(whose("links", "cni0 bridge up mtu 1500"), ["shared"])
    assert.deepStrictEqual(whose("addresses", "cni0 10.88.0.1/16 brd 10.88.255.255"), ["shared"])
    assert.deepStrictEqual(whose("iptables", "ip nat -N CNI-HOSTPORT-DNAT"), ["shared"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A CNI-HOSTPORT-SETMARK -j KUBE-MARK-MASQ"), ["shared"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A X -s 127.0.0.1/32 -j ACCEPT"), ["shared"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A X -d 10.88.0.1/32 -j ACCEPT"), ["shared"])
    assert.deepStrictEqual(whose("nftables", "rule ip6 x y ip6 daddr fd99::1 accept"), ["shared"])
    assert.deepStrictEqual(whose("iptables", "ip nat -A X -d 10.89.0.0/16 -j ACCEPT"), ["shared"])
    assert.deepStrictEqual(whose("sysctls", "net.ipv4.ip_forward = 1"), ["shared"])
  })

  it("is the attachment's wherever it is in its own namespace", () => {
    const [change] = StateChanges.describe({
      changes: { container: { links: { added: ["eth0 veth up mtu 1500"], removed: [] } } }
    }, marks)
    assert.strictEqual(change?.whose, "attachment")
  })
})
