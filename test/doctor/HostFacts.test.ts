/** What doctor knows of a host: its values of /proc/sys, its tables, rules, listeners and tools. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Attachment } from "../../src/doctor/facts/Attachment.ts"
import * as HostFacts from "../../src/doctor/facts/Host.ts"
import * as KernelTables from "../../src/doctor/facts/KernelTables.ts"
import * as Sockets from "../../src/doctor/facts/Sockets.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import * as Namespace from "../../src/network/Namespace.ts"
import * as PolicyRule from "../../src/network/PolicyRule.ts"
import * as Facts from "./facts.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

interface Case extends Fake.Fake {
  readonly plugins?: ReadonlyArray<object>
  readonly attachments?: ReadonlyArray<Partial<Attachment>>
  /** The tools that are there. */
  readonly tools?: ReadonlyArray<string>
}

const collect = Effect.fnUntraced(function*({ attachments = [], plugins = [], tools = [], ...fake }: Case) {
  const { chain } = Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins })
  const { commands, layer } = Fake.host(fake)
  const found = yield* HostFacts.collect(chain, attachments.map((each) => Host.attachment(each))).pipe(
    Effect.provideService(HostTools.HostTools, {
      find: (name) => tools.includes(name) ? `/sbin/${name}` : undefined,
      env: {}
    }),
    Effect.provide(layer)
  )
  return { ...found, commands }
})

const conf = "/proc/sys/net/ipv4/conf"

describe("the host", () => {
  it.effect("has values for itself, its bridge, the ends of its pairs and its uplinks", () =>
    Effect.gen(function*() {
      const values = {
        "/proc/sys/net/ipv4/ip_forward": "1\n",
        "/proc/sys/net/ipv6/conf/all/forwarding": "0\n",
        "/proc/sys/net/bridge/bridge-nf-call-iptables": "1\n",
        [`${conf}/all/rp_filter`]: "2\n",
        [`${conf}/br1/forwarding`]: "1\n",
        [`${conf}/br1/rp_filter`]: "0\n",
        [`${conf}/veth1/forwarding`]: "3\n",
        [`${conf}/wan/rp_filter`]: "4\n",
        [`${conf}/other/rp_filter`]: "5\n",
        [`${conf}/eth0/rp_filter`]: "6\n"
      }
      const { sysctls } = yield* collect({
        tools: ["ip"],
        plugins: [{ type: "bridge", bridge: "br1" }],
        attachments: [{}, { result: Result.fail("no result") }],
        files: values,
        programs: {
          "/sbin/ip -j -d -batch": Fake.tells({
            routes: [{ dst: "default", dev: "wan" }, { dst: "10.0.0.0/8", dev: "other" }, { dst: "default" }]
          })
        }
      })
      assert.deepStrictEqual([...sysctls], [
        ["net.ipv4.ip_forward", "1"],
        ["net.ipv6.conf.all.forwarding", "0"],
        ["net.bridge.bridge-nf-call-iptables", "1"],
        ["net.ipv4.conf.all.rp_filter", "2"],
        ["net.ipv4.conf.br1.forwarding", "1"],
        ["net.ipv4.conf.br1.rp_filter", "0"],
        ["net.ipv4.conf.veth1.forwarding", "3"],
        ["net.ipv4.conf.wan.rp_filter", "4"]
      ])
    }))

  it.effect("is not asked for the values of a link whose name is a path", () =>
    Effect.gen(function*() {
      for (const bridge of ["..", "../../x", "a b"]) {
        const files = { [`${conf}/${bridge}/forwarding`]: "1" }
        const { sysctls } = yield* collect({ plugins: [{ type: "bridge", bridge }], files })
        assert.deepStrictEqual([...sysctls], [], bridge)
      }
    }))

  it.effect("has these tools", () =>
    Effect.gen(function*() {
      const endings = ["", "-save", "-nft", "-nft-save", "-legacy", "-legacy-save"]
      const tools = [
        "ip",
        "nsenter",
        "nft",
        "flock",
        ...endings.map((ending) => `iptables${ending}`),
        ...endings.map((ending) => `ip6tables${ending}`)
      ]
      const found = yield* collect({ tools: [...tools, "tc"] })
      assert.deepStrictEqual([...found.tools], tools.map((name) => [name, `/sbin/${name}`]))
      assert.deepStrictEqual([...(yield* collect({ tools: ["nft"] })).tools], [["nft", "/sbin/nft"]])
    }))

  it.effect("has those files of them that plugins name", () =>
    Effect.gen(function*() {
      const plugins = [
        {
          type: "bridge",
          ipam: { type: "host-local", resolvConf: "/etc/resolv.conf", subnet: "10.1.0.0/24" }
        },
        { type: "bridge", ipam: { type: "dhcp", daemonSocketPath: "/run/own.sock" } },
        { type: "calico", resolvConf: 5, kubernetes: { kubeconfig: "/etc/kubeconfig" } }
      ]
      const there = [
        "/etc/resolv.conf",
        "/run/own.sock",
        "/run/cni/dhcp.sock",
        "/etc/kubeconfig",
        "/var/lib/calico/nodename"
      ]
      const files = Object.fromEntries(there.map((path) => [path, ""]))
      const found = yield* collect({ plugins, files: { ...files, "/etc/other": "" } })
      assert.deepStrictEqual([...found.files].toSorted(), there.toSorted())
      assert.deepStrictEqual([...(yield* collect({ plugins })).files], [])
    }))

  it.effect("has those who listen on the ports that attachments publish", () =>
    Effect.gen(function*() {
      const line = (port: string) => `0: 00000000:${port} 00000000:0000 0A 0:0 0:0 0 0 0 4711 1`
      const { listeners } = yield* collect({
        attachments: [{}],
        files: { "/proc/net/tcp": `header\n${line("1F90")}\n${line("0050")}` }
      })
      assert.deepStrictEqual(listeners, Result.succeed([{ protocol: "tcp", port: 8080, owner: undefined }]))
    }))

  it.effect("is known by why it is not", () =>
    Effect.gen(function*() {
      const { machine, network, policies, rules, tables } = yield* collect({})
      assert.deepStrictEqual(network, Result.fail("ip: no such file or directory"))
      assert.deepStrictEqual([rules, policies, tables], [Result.succeed({ rulesets: [], nft: [] }), [], []])
      assert.isNumber(machine)
    }))
})

describe("a rule that chooses a table", () => {
  const read = (rule: object, family: 4 | 6 = 4) => PolicyRule.parse(JSON.stringify([rule]), family)[0]
  const any: PolicyRule.PolicyRule = {
    family: 4,
    priority: 9,
    from: undefined,
    to: undefined,
    inLink: undefined,
    table: undefined,
    action: undefined,
    passedOver: -1,
    isUnclear: false
  }

  it("has all that ip tells of it", () => {
    const rule = {
      priority: 9,
      src: "10.99.0.0",
      srclen: 24,
      dst: "10.98.0.1",
      iif: "cni0",
      table: "7",
      action: "blackhole",
      suppress_prefixlen: 0
    }
    assert.deepStrictEqual(read(rule), {
      ...any,
      from: Host.cidr("10.99.0.0/24"),
      to: Host.cidr("10.98.0.1/32"),
      inLink: "cni0",
      table: "7",
      action: "blackhole",
      passedOver: 0
    })
    assert.deepStrictEqual(read({ priority: 9, dst: "10.98.0.0", dstlen: 16 })?.to, Host.cidr("10.98.0.0/16"))
  })

  it("is for any packet where it does not say for which", () => {
    assert.deepStrictEqual(read({ priority: 9, src: "all", dst: "all" }), any)
    assert.deepStrictEqual(read({ priority: 9, src: "web", table: 7 }, 6), { ...any, family: 6 })
  })

  it("is unclear where it asks for more", () => {
    assert.isTrue(read({ priority: 9, src: "all", fwmark: "0x1" })?.isUnclear)
  })

  it("is none in what is not a list of objects", () => {
    for (const text of ["", "x", "{}", "[1]"]) assert.deepStrictEqual(PolicyRule.parse(text, 4), [], text)
  })

  it.effect("is asked for in each family", () =>
    Effect.gen(function*() {
      const programs = { "ip -j rule show": `[{"priority":1}]`, "ip -j -6 rule show": `[{"priority":2}]` }
      const found = (programs: Fake.Fake["programs"]) =>
        Effect.map(
          Effect.provide(Namespace.collectPolicyRules(), Fake.host({ programs: programs ?? {} }).layer),
          (rules) => rules.map(({ family, priority }) => [family, priority])
        )
      assert.deepStrictEqual(yield* found(programs), [[4, 1], [6, 2]])
      assert.deepStrictEqual(yield* found({}), [])
    }))
})

describe("a table of the kernel", () => {
  const collected = (files: Fake.Files) => Effect.provide(KernelTables.collect(), Fake.host({ files }).layer)
  const neighbours = (entries: string) => `entries  allocs\n${entries} 00000001\n00000000 00000002\n`

  it.effect("is known by its entries and its limit", () =>
    Effect.gen(function*() {
      const files = {
        "/proc/sys/net/netfilter/nf_conntrack_count": "17\n",
        "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
        "/proc/net/stat/arp_cache": neighbours("0000001f"),
        "/proc/sys/net/ipv4/neigh/default/gc_thresh3": "1024\n",
        "/proc/net/stat/ndisc_cache": neighbours("00000020"),
        "/proc/sys/net/ipv6/neigh/default/gc_thresh3": "2048\n"
      }
      assert.deepStrictEqual(yield* collected(files), [
        { name: "connections", used: 17, limit: 262144, setting: "net.netfilter.nf_conntrack_max" },
        { name: "neighbours of IPv4", used: 31, limit: 1024, setting: "net.ipv4.neigh.default.gc_thresh3" },
        { name: "neighbours of IPv6", used: 32, limit: 2048, setting: "net.ipv6.neigh.default.gc_thresh3" }
      ])
    }))

  it.effect("is none where one of both is not known, or nothing", () =>
    Effect.gen(function*() {
      const [count, max] = ["count", "max"].map((name) => `/proc/sys/net/netfilter/nf_conntrack_${name}`) as [
        string,
        string
      ]
      assert.deepStrictEqual(yield* collected({ [count]: "1", [max]: "1" }).pipe(Effect.map(({ length }) => length)), 1)
      for (
        const files of [{ [count]: "5" }, { [max]: "5" }, { [count]: "0", [max]: "5" }, { [count]: "5", [max]: "0" }]
      ) {
        assert.deepStrictEqual(yield* collected(files), [])
      }
      for (const text of ["", "entries", "entries\n"]) {
        const files = { "/proc/net/stat/arp_cache": text, "/proc/sys/net/ipv4/neigh/default/gc_thresh3": "5" }
        assert.deepStrictEqual(yield* collected(files), [], text)
      }
    }))
})

describe("a socket that waits", () => {
  const line = (local: string, state: string) => `0: ${local} 00000000:0000 ${state} 0:0 0:0 0 0 0 4711 1`

  const cases: ReadonlyArray<readonly [protocol: "tcp" | "udp", line: string, port: number | undefined]> = [
    ["tcp", line("0100007F:0001", "0A"), 1],
    ["tcp", line("00000000000000000000000000000000:1F90", "0A"), 8080],
    ["tcp", line("00000000:1F90", "07"), undefined],
    ["tcp", line("00000000:0000", "0A"), undefined],
    ["udp", line("00000000:FFFF", "07"), 65535],
    ["udp", line("00000000:1F90", "01"), undefined],
    ["udp", line("00000000:0000", "07"), undefined],
    ["tcp", "rubbish", undefined],
    ["tcp", "", undefined]
  ]
  for (const [protocol, text, port] of cases) {
    it(`of ${protocol} has the port ${port ?? "of none"}: ${text}`, () => {
      assert.deepStrictEqual(
        Sockets.parse(protocol, `header\n${text}`).map((each) => each.port),
        port === undefined ? [] : [
          port
        ]
      )
    })
  }

  it("is not in the first line, which is a header", () => {
    assert.deepStrictEqual(Sockets.parse("tcp", line("00000000:1F90", "0A")), [])
  })

  it.effect("is looked for in both families and protocols, with its process", () =>
    Effect.gen(function*() {
      const table = (port: string, state: string, inode: string) =>
        `header\n${line(`00000000:${port}`, state).replace("4711", inode)}`
      const files = {
        "/proc/net/tcp": table("1F90", "0A", "1"),
        "/proc/net/tcp6": table("1F91", "0A", "2"),
        "/proc/net/udp": table("1F92", "07", "3"),
        "/proc/net/udp6": table("1F93", "07", "44"),
        "/proc/7/comm": "nginx\n",
        "/proc/7/fd/3": "-> socket:[2]",
        "/proc/7/fd/4": "-> socket:[1]",
        "/proc/8/fd/5": "-> socket:[3]",
        "/proc/9/fd/6": "-> socket:[4]",
        "/proc/self/fd/7": "-> socket:[44]"
      }
      const known = yield* Effect.provide(
        Sockets.collect(new Set([8080, 8081, 8082, 8083])),
        Fake.host({ files }).layer
      )
      assert.deepStrictEqual(Result.getOrThrow(known), [
        { protocol: "tcp", port: 8080, owner: { name: "nginx", pid: 7 } },
        { protocol: "tcp", port: 8081, owner: { name: "nginx", pid: 7 } },
        { protocol: "udp", port: 8082, owner: { name: "", pid: 8 } },
        { protocol: "udp", port: 8083, owner: undefined }
      ])
    }))
})
