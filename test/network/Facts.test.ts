/** What tools print, as facts. What they print here, real ones printed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { captured, factsOf } from "./tools.ts"

const ipsetModule = "/sys/module/ip_set/parameters/max_sets"

const ip = { "ip -j": captured("ip-links") }

describe("facts", () => {
  it.effect("of links", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf("links", ip), [
        "lo loopback up mtu 65536",
        "vethab veth up mtu 1500 mac 62:ed:32:65:d8:0f master br0 hairpin on",
        "vx0 vxlan down mtu 1500 mac be:aa:58:19:a3:46 id 5 local 10.88.0.1 port 4789",
        "tap0 tun down mtu 1500 mac 0a:04:71:46:b5:71 type tap",
        "ifb0 ifb down mtu 1500 qlen 32 mac aa:94:e2:11:1e:8a noarp",
        "br0 bridge up mtu 1500 mac 62:ed:32:65:d8:0f",
        "mv0 macvlan down mtu 1500 mac 12:c3:b6:e2:06:d5 link br0 mode bridge",
        "mt0 macvtap down mtu 1500 qlen 500 mac 1e:ea:2e:c4:42:5f link br0 mode vepa"
      ])
    }))

  it.effect("of addresses, without those that links get by themselves", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf("addresses", ip), [
        "lo 127.0.0.1/8",
        "lo ::1/128",
        "br0 10.88.0.1/16 brd 10.88.255.255"
      ])
      const set = `[{"ifname":"eth0","addr_info":[{"local":"fe80::1","prefixlen":64,"scope":"link"},` +
        `{"local":"fe80::ff:fe00:9","prefixlen":64,"scope":"link"},` +
        `{"local":"fd00::2","prefixlen":64,"scope":"global","tentative":true,"valid_life_time":77,"dynamic":true}]}]`
      assert.deepStrictEqual(yield* factsOf("addresses", { "ip -j": set }), [
        "eth0 fe80::1/64 scope link",
        "eth0 fd00::2/64 dynamic"
      ])
    }))

  const routing = { "ip -o -4": captured("ip-routing-4"), "ip -o -6": captured("ip-routing-6") }

  it.effect("of routes, without those of the kernel to itself", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf("routes", routing), [
        "local default dev lo table 100 scope host",
        "10.9.0.0/16 via 10.88.0.1 dev eth0 table 100 metric 5 mtu 1400",
        "default via 10.88.0.1 dev eth0",
        "10.50.0.0/24 nexthop via 10.9.9.9 dev eth0 onlink nexthop via 10.9.9.8 dev eth0 weight 3 onlink",
        "10.51.0.2 dev eth0 proto kernel scope link src 10.51.0.1",
        "10.77.0.0/16 via inet6 fe80::1 dev eth0",
        "10.78.0.0/16 tos 0x10 via 10.88.0.7 dev eth0 src 10.88.0.2 onlink initcwnd 10 features ecn quickack 1",
        "10.79.0.0/16 encap ip id 5 src 0.0.0.0 dst 10.88.0.9 ttl 0 tos 0 via 10.88.0.7 dev eth0",
        "10.80.0.0/16 via 10.88.0.7 dev eth0",
        "blackhole 10.81.0.0/16",
        "10.88.0.0/16 dev eth0 proto kernel scope link src 10.88.0.2",
        "fd78::/64 dev eth0 table 200 metric 1024",
        "fd00::/64 dev eth0 proto kernel metric 256",
        "fd52::1 dev eth0 proto kernel metric 256",
        "blackhole fd77::/64 dev lo metric 1024",
        "fd79::/64 via fe80::9 dev eth0 proto static metric 7",
        "::/0 metric 1024 nexthop via fd00::1 dev eth0 nexthop via fd00::3 dev eth0"
      ])
      const learned =
        "default via fe80::1 dev eth0 proto ra metric 1024 expires 1797sec hoplimit 64 linkdown pref medium"
      assert.deepStrictEqual(yield* factsOf("routes", { "ip -o -6": learned }), [
        "::/0 via fe80::1 dev eth0 proto ra metric 1024 hoplimit 64"
      ])
    }))

  it.effect("of rules of both families", () =>
    Effect.gen(function*() {
      const facts = yield* factsOf("rules", routing)
      assert.includeMembers(facts, [
        "ip 100: not from 10.1.1.1 uidrange 0-5 sport 10-20 goto 32766",
        "ip 32764: from all to 10.0.0.0/8 fwmark 0x1/0xf iif eth0 ipproto tcp dport 80 lookup 100",
        "ip6 32766: from all lookup main"
      ])
      assert.lengthOf(facts, 13)
    }))

  it.effect("of neighbours that somebody set", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf("neighbours", { "ip -o -4": captured("ip-neighbours") }), [
        "10.88.0.3 dev br0 lladdr 02:00:00:00:00:33 PERMANENT",
        "10.88.0.6 dev br0 lladdr 02:00:00:00:00:36 extern_learn",
        "10.88.0.7 dev br0 proxy"
      ])
    }))

  it.effect("of what bridges forward, without what they learned and what comes with links", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf("bridge", { ...ip, bridge: captured("bridge-fdb") }), [
        "fdb 02:00:00:00:00:07 dev vethab master br0 static",
        "fdb 00:00:00:00:00:00 dev vx0 dst 10.1.1.2 self permanent",
        "fdb 02:00:00:00:00:08 dev vx0 dst 10.1.1.1 self permanent"
      ])
    }))

  it.effect("of VLANs, where a bridge looks at them", () =>
    Effect.gen(function*() {
      const filtering = captured("ip-links").replace(`"vlan_filtering":0`, `"vlan_filtering":1`)
      const vlans = `[{"ifname":"vethab","vlans":[{"vlan":10,"flags":["PVID","Egress Untagged"]},` +
        `{"vlan":20,"vlanEnd":29}]},{"ifname":"br0","vlans":[{"vlan":1}]}]`
      assert.deepStrictEqual(yield* factsOf("bridge", { "ip -j": filtering, "bridge -j -d vlan": vlans }), [
        "vlan 10 dev vethab pvid untagged",
        "vlan 20-29 dev vethab",
        "vlan 1 dev br0"
      ])
      assert.deepStrictEqual(yield* factsOf("bridge", { ...ip, "bridge -j -d vlan": vlans }), [])
    }))

  it.effect("of nftables, without the elements that packets add", () =>
    Effect.gen(function*() {
      const tools = { "nft list chains": "table inet fw {\n}\n", "nft -s list table inet fw": captured("nft-table") }
      assert.deepStrictEqual(yield* factsOf("nftables", tools), [
        `table inet fw comment "hi"`,
        "counter inet fw c1",
        "quota inet fw q1 over 10 mbytes",
        `ct helper inet fw h type "ftp" protocol tcp; l3proto inet`,
        "ct timeout inet fw ct1 protocol tcp; l3proto inet; policy = { established : 100, close : 4 }",
        "limit inet fw li rate 10/second",
        "set inet fw s type ipv4_addr; timeout 1h",
        "element inet fw s 10.0.0.1 timeout 10m",
        "element inet fw s 10.0.0.2",
        "set inet fw dyn type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1h",
        "set inet fw big type ipv4_addr . inet_service",
        `element inet fw big 10.0.0.1 . 80 comment "a, b"`,
        "element inet fw big 10.0.0.2 . 90",
        "element inet fw big 10.0.0.3 . 91",
        "element inet fw big 10.0.0.4 . 92",
        "element inet fw big 10.0.0.5 . 93",
        "set inet fw iv type ipv4_addr; flags interval; counter; auto-merge",
        "element inet fw iv 10.0.0.0/8 counter",
        "element inet fw iv 11.0.0.1-11.0.0.5 counter",
        "map inet fw m type inet_service : verdict",
        "element inet fw m 80 : jump foo",
        "element inet fw m 90 : drop",
        "chain inet fw foo",
        "rule inet fw foo ip saddr @s counter accept",
        `rule inet fw foo tcp dport { 80, 443 } counter name "c1" drop comment "a b"`,
        "rule inet fw foo tcp dport vmap { 1 : accept, 2 : drop }",
        `chain inet fw in type filter hook input priority filter; policy accept; comment "ch"`,
        `rule inet fw in iifname "eth0" jump foo`,
        `rule inet fw in limit rate 1/second log prefix "x { y"`,
        "rule inet fw in tcp dport 1 ct state new add @dyn { ip saddr }"
      ])
    }))

  const setOf = (elements: string) =>
    factsOf("nftables", {
      "nft list chains": "table ip t {\n}\n",
      "nft -s list table ip t": `table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { ${elements} }\n\t}\n}\n`
    })

  it.effect("of elements of a set, without when they expire, and without how they are broken into lines", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* setOf("10.0.0.1 timeout 1h expires 59m58s comment \"a\",\n\t\t\t     10.0.0.2 timeout 2h\texpires 9s"),
        [
          "table ip t",
          "set ip t s type ipv4_addr",
          "element ip t s 10.0.0.1 timeout 1h comment \"a\"",
          "element ip t s 10.0.0.2 timeout 2h expires 9s"
        ]
      )
    }))

  it.effect("of elements of a set whose comments have quotes without an end, however many they are", () =>
    Effect.gen(function*() {
      const facts = yield* setOf(`10.0.0.1 comment "a"", ${"10.0.0.2 comment \"b\", ".repeat(100_000)}10.0.0.3`)
      assert.lengthOf(facts, 3)
    }))

  it.effect("that are there very often are numbered", () =>
    Effect.gen(function*() {
      const facts = yield* factsOf("nftables", {
        "nft list chains": "table ip t {\n}\n",
        "nft -s list table ip t": `table ip t {\n\tchain c {\n${"\t\taccept\n".repeat(50_000)}\t}\n}\n`
      })
      assert.strictEqual(facts.at(-1), "rule ip t c accept #50000")
    }))

  it.effect("of iptables, of both families and both backends", () =>
    Effect.gen(function*() {
      const tools = {
        "nft list chains": captured("nft-chains"),
        "iptables-nft-save": captured("iptables-nft-save"),
        "ip6tables-nft-save": captured("ip6tables-nft-save"),
        "/proc/net/ip_tables_names": "filter\n",
        "iptables-legacy-save": captured("iptables-legacy-save")
      }
      assert.sameMembers(yield* factsOf("iptables", tools), [
        "ip raw -N foo",
        "ip filter -P FORWARD DROP",
        "ip nat -N CNI-DN-1",
        `ip nat -A POSTROUTING -m comment --comment "name: \\"x\\" id: y" -j MASQUERADE`,
        "ip nat -A CNI-DN-1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:8080",
        "ip6 filter -A INPUT -s fd00::1/128 -j ACCEPT",
        "legacy ip filter -A INPUT -p udp -j DROP"
      ])
    }))

  it.effect("of ipsets, without what changes by itself", () =>
    Effect.gen(function*() {
      const tools = { [ipsetModule]: "256\n", "ipset save": captured("ipset-save") }
      assert.deepStrictEqual(yield* factsOf("ipsets", tools), [
        "create a hash:ip family inet maxelem 65536 timeout 300 counters comment",
        `add a 10.1.1.1 comment "timeout 5 x"`,
        "create b hash:net,port family inet maxelem 65536",
        "add b 10.1.0.0/16,tcp:80",
        "create l list:set size 8",
        "add l b"
      ])
    }))

  it.effect("of sysctls, without secrets and counters", () =>
    Effect.gen(function*() {
      const files = [
        "net/core/somaxconn:4096",
        "net/ipv4/ip_local_port_range:32768\t60999",
        "net/ipv4/conf/eth0.5/arp_filter:1",
        "net/ipv4/tcp_fastopen_key:1-2-3-4",
        "net/ipv6/conf/eth0/stable_secret:::1",
        "net/netfilter/nf_conntrack_count:7"
      ]
      assert.deepStrictEqual(
        yield* factsOf("sysctls", { "grep -rHs": files.map((file) => `/proc/sys/${file}\n`).join("") }),
        [
          "net.core.somaxconn = 4096",
          "net.ipv4.ip_local_port_range = 32768 60999",
          "net.ipv4.conf.eth0/5.arp_filter = 1"
        ]
      )
    }))

  it.effect("that are equal are numbered", () =>
    Effect.gen(function*() {
      const rules = "*nat\n-A POSTROUTING -j MASQUERADE\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
      const tools = { "nft list chains": "table ip nat {\n}\n", "iptables-nft-save": rules }
      assert.deepStrictEqual(yield* factsOf("iptables", tools), [
        "ip nat -A POSTROUTING -j MASQUERADE",
        "ip nat -A POSTROUTING -j MASQUERADE #2"
      ])
    }))
})
