/** What is asked of which tool, and what becomes of tools that do not answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { collect } from "../../src/state/Collector.ts"
import { type Kind, kinds } from "../../src/state/Kind.ts"
import { captured, nothing, runner, type Tools } from "./tools.ts"

const look = (wanted: ReadonlyArray<Kind>, host: Tools, container?: Tools, asked: Array<string> = []) =>
  collect(wanted, { netns: container === undefined ? undefined : "/run/netns/c", ipamFolders: [] }).pipe(
    Effect.provideService(ProcessRunner, runner(host, container ?? nothing, asked))
  )

const factsOf = Effect.fnUntraced(function*(kind: Kind, host: Tools) {
  const { host: facts, notes } = yield* look([kind], { ...nothing, ...host })
  assert.deepStrictEqual(notes, [])
  return [...facts.get(kind) ?? []]
})

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

  it.effect("of iptables, of both families and both backends", () =>
    Effect.gen(function*() {
      const tools = {
        "nft list chains": captured("nft-chains"),
        "iptables-nft-save": captured("iptables-nft-save"),
        "ip6tables-nft-save": captured("ip6tables-nft-save"),
        "grep -Hs": captured("kernel-files"),
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
      const tools = { "grep -Hs": captured("kernel-files"), "ipset save": captured("ipset-save") }
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

describe("tools", () => {
  it.effect("are only asked for what is wanted, and for what the kernel has", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      yield* look(["routes"], nothing, nothing, asked)
      assert.sameMembers(
        asked,
        ["host", "container"].flatMap((place) => [`${place}: ip -o -4 -batch -`, `${place}: ip -o -6 -batch -`])
      )
      asked.length = 0
      yield* look(kinds, nothing, undefined, asked)
      assert.deepStrictEqual(
        asked.filter((command) => /tables|ipset save|bridge/.test(command.split(" /")[0] ?? "")),
        []
      )
    }))

  it.effect("read sysctls of links, but on the host not those of veth links, nor of more than 256 links", () =>
    Effect.gen(function*() {
      const links = (count: number, kind: string) =>
        Array.from({ length: count }, (_, index) => ({ ifname: `${kind}${index}`, linkinfo: { info_kind: kind } }))
      const tools = { ...nothing, "ip -j": JSON.stringify([...links(3, "veth"), ...links(300, "dummy")]) }
      const asked: Array<string> = []
      yield* look(["sysctls"], tools, tools, asked)
      const foldersIn = (place: string) =>
        asked.filter((command) => command.startsWith(`${place}: grep`)).join().match(/ipv4\/conf\/(?:veth|dummy)\d+/g)
      assert.lengthOf(foldersIn("host") ?? [], 256)
      assert.notInclude(foldersIn("host") ?? [], "ipv4/conf/veth0")
      assert.include(foldersIn("container") ?? [], "ipv4/conf/veth0")
    }))

  it.effect("that have no backend in their names are asked where those are missing", () =>
    Effect.gen(function*() {
      const save = "# Generated by iptables-save v1.4.21 on Thu\n*nat\n:CNI - [0:0]\nCOMMIT\n"
      const legacy = { "grep -Hs": "/proc/net/ip_tables_names:nat\n", "iptables-save": save }
      assert.deepStrictEqual(yield* factsOf("iptables", legacy), ["legacy ip nat -N CNI"])
      const nft = {
        "nft list chains": "table ip nat {\n}\n",
        "iptables-save": save.replace("1.4.21", "1.8.7 (nf_tables)")
      }
      assert.deepStrictEqual(yield* factsOf("iptables", nft), ["ip nat -N CNI"])
    }))

  const tables = {
    "nft list chains": "table ip nat {\n}\n",
    "nft -s list table ip nat": "table ip nat {\n\tchain own {\n\t}\n}\n"
  }

  it.effect("of iptables leave tables to nft that have in them what they do not know, or where they are missing", () =>
    Effect.gen(function*() {
      const incompatible = "# Table `nat' is incompatible, use 'nft' tool.\n"
      for (const tools of [tables, { ...tables, "iptables-nft-save": incompatible }]) {
        const { host, notes } = yield* look(["nftables", "iptables"], { ...nothing, ...tools })
        assert.deepStrictEqual([...host.get("nftables") ?? []], ["table ip nat", "chain ip nat own"])
        assert.deepStrictEqual([...host.get("iptables") ?? []], [])
        assert.deepStrictEqual(notes, [])
      }
    }))

  it.effect("tell tables of iptables once", () =>
    Effect.gen(function*() {
      const save = "*nat\n:own - [0:0]\nCOMMIT\n"
      const { host } = yield* look(["nftables", "iptables"], { ...nothing, ...tables, "iptables-nft-save": save })
      assert.deepStrictEqual([...host.get("nftables") ?? []], [])
      assert.deepStrictEqual([...host.get("iptables") ?? []], ["ip nat -N own"])
      const alone = yield* look(["nftables"], { ...nothing, ...tables, "iptables-nft-save": save })
      assert.deepStrictEqual([...alone.host.get("nftables") ?? []], ["table ip nat", "chain ip nat own"])
    }))

  it.effect("of iptables are asked where there is no nft", () =>
    Effect.gen(function*() {
      const { nft: _, ...others } = nothing
      const tools = { ...others, "iptables-nft-save": "*nat\n:own - [0:0]\nCOMMIT\n", "ip6tables-nft-save": "" }
      const { host, notes } = yield* look(["nftables", "iptables"], tools)
      assert.deepStrictEqual([...host.get("iptables") ?? []], ["ip nat -N own"])
      assert.isFalse(host.has("nftables"))
      assert.deepStrictEqual(notes, ["nft is not on PATH: nftables are not compared"])
    }))
})

describe("a tool that does not answer", () => {
  it.effect("because it is missing is named once, and the rest goes on", () =>
    Effect.gen(function*() {
      const tools: Tools = { "ip -o": "", grep: "", nft: "" }
      const { container, host, notes } = yield* look(kinds, tools, tools)
      assert.deepStrictEqual(notes, [
        "ip is not on PATH: links, addresses, bridge, sysctls are not compared"
      ])
      for (const facts of [host, container]) {
        assert.includeMembers([...facts.keys()], ["routes", "rules", "nftables", "iptables", "ipsets"])
        assert.notIncludeMembers([...facts.keys()], ["links", "addresses", "bridge", "sysctls"])
      }
    }))

  it.effect("within its time is named, and those after it are asked", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const tools: Tools = { ...nothing, "ip -o -4": "10.0.0.0/8 dev eth0\n", "nft list": "stuck" }
      const { host, notes } = yield* look(["routes", "nftables", "ipsets"], tools, undefined, asked)
      assert.deepStrictEqual([...host.get("routes") ?? []], ["10.0.0.0/8 dev eth0"])
      assert.isTrue(host.has("ipsets"))
      assert.deepStrictEqual(notes, ["nft did not end within 5 s: nftables are not compared"])
      // It has all of its time once it is the first.
      assert.lengthOf(asked.filter((command) => command === "host: nft list chains"), 2)
    }))

  it.effect("as the kernel has none of it has nothing to tell", () =>
    Effect.gen(function*() {
      const none = { status: 1, complaint: "netlink: Error: cache initialization failed: Operation not supported\n" }
      const { host, notes } = yield* look(["nftables", "iptables"], { ...nothing, nft: none })
      assert.deepStrictEqual([[...host.keys()], notes], [["nftables", "iptables"], []])
    }))

  it.effect("about what is gone by now has nothing to tell", () =>
    Effect.gen(function*() {
      const gone = {
        status: 1,
        complaint: "Error: No such file or directory\nlist table inet fw\n                ^^\n"
      }
      const tools = { ...nothing, "nft list chains": "table inet fw {\n}\n", "nft -s list table inet fw": gone }
      const { host, notes } = yield* look(["nftables"], tools)
      assert.deepStrictEqual([host.get("nftables")?.size, notes], [0, []])
    }))

  it.effect("as it does not know its options is told with what it says", () =>
    Effect.gen(function*() {
      const unknown = { status: 1, complaint: "grep: unrecognized option '--exclude-dir=conf'\nBusyBox v1.35.0\n" }
      const { notes } = yield* look(["sysctls"], { ...nothing, grep: unknown })
      assert.deepStrictEqual(notes, ["grep: unrecognized option '--exclude-dir=conf': sysctls are not compared"])
    }))

  it.effect("but fails is told with what it says", () =>
    Effect.gen(function*() {
      const denied = {
        status: 1,
        complaint: "# Warning: table ip nat is managed by iptables-nft\nnetlink: Error: Operation not permitted\n"
      }
      const { notes } = yield* look(["nftables", "iptables"], { ...nothing, nft: denied })
      assert.deepStrictEqual(notes, [
        "nft: Error: Operation not permitted: nftables, iptables are not compared"
      ])
    }))

  it.effect("in a form that is understood is too old", () =>
    Effect.gen(function*() {
      const { host, notes } = yield* look(["links"], { ...nothing, "ip -j": "1: lo: <LOOPBACK>\n" })
      assert.isFalse(host.has("links"))
      assert.deepStrictEqual(notes, ["ip does not print JSON: iproute2 is too old: links are not compared"])
    }))
})

describe("the container", () => {
  it.effect("is looked at beside the host", () =>
    Effect.gen(function*() {
      const { container, host } = yield* look(["routes"], nothing, { ...nothing, "ip -o -4": "default dev eth0\n" })
      assert.deepStrictEqual([...container.get("routes") ?? []], ["default dev eth0"])
      assert.deepStrictEqual([...host.get("routes") ?? []], [])
    }))

  it.effect("is told where it cannot be entered", () =>
    Effect.gen(function*() {
      const complaint = "nsenter: cannot open /run/netns/c: No such file or directory\n"
      const { container, host, notes } = yield* look(["routes", "rules"], nothing, {
        nsenter: { status: 1, complaint }
      })
      assert.strictEqual(container.size, 0)
      assert.strictEqual(host.size, 2)
      assert.deepStrictEqual(notes, [
        "cannot enter the network namespace of the container: cannot open /run/netns/c: No such file or directory: " +
        "routes, rules are not compared"
      ])
    }))

  it.effect("needs nsenter", () =>
    Effect.gen(function*() {
      const { notes } = yield* look(["routes"], nothing, { nsenter: "stuck" })
      assert.deepStrictEqual(notes, ["nsenter is not on PATH: routes are not compared"])
    }))
})
