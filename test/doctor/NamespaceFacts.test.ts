/** What `ip` and `iptables-save` tell of a network namespace. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import * as ToolOutput from "../../src/exec/ToolOutput.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as Namespace from "../../src/network/Namespace.ts"
import * as NamespaceTools from "../../src/network/NamespaceTools.ts"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"
import * as PacketFilter from "../../src/network/PacketFilter.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

const parsed = (...lists: ReadonlyArray<unknown>) =>
  Result.getOrThrow(Namespace.parse(lists.map((list) => JSON.stringify(list)).join("\n")))

describe("a link", () => {
  const linkOf = (link: object) => parsed([link]).links[0]
  const bare = {
    index: NaN,
    peer: undefined,
    peerHere: undefined,
    name: "",
    isUp: false,
    hasArp: true,
    hasCarrier: false,
    state: "",
    mtu: NaN,
    mac: "",
    master: undefined,
    tunnel: undefined,
    kind: "",
    portState: undefined,
    port: undefined,
    filters: { 4: false, 6: false },
    queue: "",
    hasXdp: false,
    addresses: []
  }

  it("is all that ip tells of it", () => {
    assert.deepStrictEqual(
      linkOf({
        ifindex: 12,
        link_index: 3,
        link: "eth7",
        ifname: "veth1",
        flags: ["NOARP", "UP", "LOWER_UP"],
        mtu: 1400,
        master: "cni0",
        operstate: "DORMANT",
        address: "02:00:00:00:00:01",
        qdisc: "tbf",
        linkinfo: {
          info_kind: "veth",
          info_slave_kind: "bridge",
          info_slave_data: { state: "forwarding", hairpin: true, isolated: false, locked: true }
        },
        addr_info: [
          { local: "10.99.0.2", prefixlen: 24 },
          { local: "fd00::2", prefixlen: 64, tentative: true },
          { local: "fd00::3", prefixlen: 64, dadfailed: true },
          { local: "fd00::4", prefixlen: 64, dadfailed: "yes", tentative: 1 },
          { local: "10.99.0.2" },
          { prefixlen: 24 },
          "rubbish"
        ]
      }),
      {
        index: 12,
        peer: 3,
        peerHere: "eth7",
        name: "veth1",
        isUp: true,
        hasArp: false,
        hasCarrier: true,
        state: "DORMANT",
        mtu: 1400,
        mac: "02:00:00:00:00:01",
        master: "cni0",
        tunnel: undefined,
        kind: "veth",
        portState: "forwarding",
        port: { isHairpin: true, isIsolated: false, isLocked: true },
        filters: { 4: false, 6: false },
        queue: "tbf",
        hasXdp: false,
        addresses: [
          { ...Host.cidr("10.99.0.2/24"), text: "10.99.0.2/24", isDuplicate: false, isTentative: false },
          { ...Host.cidr("fd00::2/64"), text: "fd00::2/64", isDuplicate: false, isTentative: true },
          { ...Host.cidr("fd00::3/64"), text: "fd00::3/64", isDuplicate: true, isTentative: false },
          { ...Host.cidr("fd00::4/64"), text: "fd00::4/64", isDuplicate: false, isTentative: false }
        ]
      }
    )
  })

  it("has the UDP port that a tunnel receives on", () => {
    const tunnelOf = (kind: string, data: object) => linkOf({ linkinfo: { info_kind: kind, info_data: data } })?.tunnel
    assert.deepStrictEqual(tunnelOf("vxlan", { port: 8472, link: "eth0" }), { port: 8472, family: 4, below: "eth0" })
    assert.deepStrictEqual(tunnelOf("geneve", { port: 6081 }), { port: 6081, family: 4, below: undefined })
    assert.strictEqual(tunnelOf("vxlan", { port: 8472, local6: "fd00::1" })?.family, 6)
    assert.deepStrictEqual([tunnelOf("vxlan", {}), tunnelOf("gre", { port: 8472 })], [undefined, undefined])
  })

  it("says whether a bridge shows its frames to iptables", () => {
    const data = { nf_call_iptables: 1, nf_call_ip6tables: 0 }
    assert.deepStrictEqual(linkOf({ linkinfo: { info_kind: "bridge", info_data: data } })?.filters, {
      4: true,
      6: false
    })
  })

  it("has nothing of what ip does not tell, or tells in another way", () => {
    assert.deepStrictEqual(linkOf({}), bare)
    const odd = { link_index: "3", link: 7, ifname: 1, flags: "UP", master: 1, linkinfo: "veth", addr_info: {} }
    assert.deepStrictEqual(linkOf(odd), bare)
    assert.deepStrictEqual(linkOf({ flags: [1, "UP"], linkinfo: { info_slave_data: 5 } }), { ...bare, isUp: true })
  })
})

describe("a route", () => {
  const routesOf = (route: object) => parsed([], [route]).routes
  const cases: ReadonlyArray<readonly [dst: string, fields: object, to: string | undefined]> = [
    ["default", {}, "0.0.0.0/0"],
    ["default", { pref: "medium" }, "::/0"],
    ["10.99.0.0/24", {}, "10.99.0.0/24"],
    ["10.99.0.2", {}, "10.99.0.2/32"],
    ["fd00::2", {}, "fd00::2/128"],
    ["fd00::/64", {}, "fd00::/64"],
    ["web", {}, undefined]
  ]
  for (const [dst, fields, to] of cases) {
    it(`to ${dst} leads to ${to ?? "nowhere"}${"pref" in fields ? " with IPv6" : ""}`, () => {
      assert.deepStrictEqual(
        routesOf({ dst, ...fields }).map((route) => route.to),
        to === undefined ? [] : [
          Host.cidr(to)
        ]
      )
    })
  }

  it("is one of main that is found by hand, unless ip tells otherwise", () => {
    assert.deepStrictEqual(routesOf({ dst: "10.99.0.0/24" }), [
      {
        to: Host.cidr("10.99.0.0/24"),
        gateway: undefined,
        device: undefined,
        table: "main",
        type: "unicast",
        protocol: "",
        metric: 0,
        isLinkDown: false
      }
    ])
    assert.deepStrictEqual(
      routesOf({
        dst: "10.99.0.0/24",
        gateway: "10.0.0.1",
        dev: "eth0",
        table: "7",
        type: "local",
        protocol: "static",
        metric: 100,
        flags: ["linkdown"]
      }),
      [
        {
          to: Host.cidr("10.99.0.0/24"),
          gateway: "10.0.0.1",
          device: "eth0",
          table: "7",
          type: "local",
          protocol: "static",
          metric: 100,
          isLinkDown: true
        }
      ]
    )
  })

  it("with several ways is one for each, and may go via the other family", () => {
    const ways = routesOf({
      dst: "10.99.0.0/24",
      dev: "none",
      nexthops: [{ gateway: "10.0.0.1", dev: "a" }, { via: { host: "fe80::1" }, dev: "b" }, { via: 1 }]
    })
    assert.deepStrictEqual(ways.map(({ device, gateway }) => [device, gateway]), [
      ["a", "10.0.0.1"],
      ["b", "fe80::1"],
      [undefined, undefined]
    ])
  })

  it("is taken by an address where it is the longest of main and local", () => {
    const network = {
      ...Host.inside,
      routes: [
        Host.route("0.0.0.0/0", "a"),
        Host.route("10.99.0.0/16", "b"),
        Host.route("10.99.0.0/24", "c"),
        Host.route("10.99.0.2/32", "d", { table: "local" }),
        Host.route("10.99.0.0/25", "e", { table: "7" })
      ]
    }
    const over = (address: string) => Namespace.routeTo(network, Host.cidr(address))?.device
    assert.deepStrictEqual(["10.99.0.2/24", "10.99.0.3/8", "10.99.1.0/32", "10.98.0.1/32", "fd00::1/64"].map(over), [
      "d",
      "c",
      "b",
      "a",
      undefined
    ])
  })
})

describe("a namespace", () => {
  it("has the kernel's own choice of a route for each packet that was asked about and has one", () => {
    const answer = [{ dst: "192.0.2.1", from: "10.99.0.2", dev: "net1", table: "100" }]
    const packets = [{ to: "192.0.2.1", from: "10.99.0.2" }, { to: "2001:db8::1", from: "fd99::2" }]
    assert.match(
      Namespace.question(packets).stdin ?? "",
      /route get 192\.0\.2\.1 from 10\.99\.0\.2\nroute get 2001:db8::1 from fd99::2\n$/
    )
    const { answers } = Result.getOrThrow(Namespace.parse(`[]\n[]\n[]\n${JSON.stringify(answer)}\n`))
    assert.deepStrictEqual(answers, [{ to: "192.0.2.1", from: "10.99.0.2", device: "net1", table: "100" }])
  })

  it("is three lists, each on a line, of which the last may be missing", () => {
    const output = `\n[{"ifname":"a"}]\n  \n[{"dst":"default"}]\n[{"dst":"10.0.0.1","dev":"a","state":["STALE",1]}]\n`
    const { links, neighbours, routes } = Result.getOrThrow(Namespace.parse(output))
    assert.deepStrictEqual([links.length, routes.length], [1, 1])
    assert.deepStrictEqual(neighbours, [{ address: "10.0.0.1", device: "a", mac: "", states: ["STALE"] }])
    assert.deepStrictEqual(parsed([]), { links: [], routes: [], neighbours: [], answers: [] })
    assert.deepStrictEqual(parsed([], [], [{}]).neighbours, [{ address: "", device: "", mac: "", states: [] }])
  })

  it("is not known where ip prints no JSON", () => {
    for (const text of ["", "1: lo: <UP>", "{}"]) {
      assert.deepStrictEqual(
        Namespace.parse(text),
        Result.fail("ip does not print JSON: it is too old, or not the one of iproute2")
      )
    }
  })

  it.effect("is asked for all at once, and without its routes where these may be too many", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const { commands, layer } = Fake.host({
        programs: {
          "": (argv, stdin) => {
            asked.push(stdin)
            return Fake.tells({ links: [{ ifname: "eth0" }], routes: [{ dst: "default" }] })(argv, stdin)
          }
        }
      })
      const own = yield* Effect.provide(Namespace.collect(), layer)
      const other = yield* Effect.provide(Namespace.collectLinks("/run/netns/web"), layer)
      assert.deepStrictEqual(commands, [
        "ip -j -d -batch -",
        "nsenter --net=/run/netns/web -- ip -j -d -batch -"
      ])
      assert.deepStrictEqual(asked, ["addr show\nroute show table all\nneigh show\n", "addr show\n"])
      assert.deepStrictEqual([own, other].map((each) => Result.getOrThrow(each).routes.length), [1, 0])
    }))
})

describe("a gateway that is asked for", () => {
  const gateway = { address: "10.99.0.1", device: "eth0" }
  const state = (...states: ReadonlyArray<string>) => ({ dst: "10.99.0.1", dev: "eth0", state: states })

  interface Asked {
    /** What is known of neighbours before, and at each look. */
    readonly before?: ReadonlyArray<string>
    readonly looks?: ReadonlyArray<ReadonlyArray<object> | "fails">
    /** What is known as soon as the question was sent. */
    readonly atOnce?: ReadonlyArray<object>
  }

  /** What is found, what was asked for, and how often answers were looked for. */
  const probed = Effect.fnUntraced(function*({ atOnce, before = [], looks = [] }: Asked, gateways = [gateway]) {
    const requests: Array<string> = []
    let look = 0
    const { layer } = Fake.host({
      programs: {
        "nsenter --net=/run/netns/web -- ip -j -d": (argv, stdin) => {
          const [request = "", isLookedAt] = stdin.trim().replaceAll("\n", "; ").split(/(?:; |^)(neigh show)$/)
          if (request !== "") {
            requests.push(`${argv.includes("-force") ? "" : "strictly "}${request}`)
            if (isLookedAt === undefined || atOnce === undefined) return { exitCode: 1 } // one of several may fail
            return JSON.stringify(atOnce)
          }
          const now = looks[look++] ?? []
          return now === "fails" ? { exitCode: 1 } : ` \n${JSON.stringify(now)}\n `
        }
      }
    })
    const neighbours = before.length === 0 ? [] : [{ address: "10.99.0.1", device: "eth0", mac: "", states: before }]
    const network = { ...Host.inside, neighbours }
    const fiber = yield* Effect.forkChild(
      Effect.provide(Namespace.probe("/run/netns/web", gateways, network), layer)
    )
    yield* TestClock.adjust("1 minute")
    const probes = yield* Fiber.join(fiber)
    return { answers: probes.map(({ hasAnswered }) => hasAnswered), requests, looks: look }
  })

  it.effect("is asked by name resolution, and looked at after 15, 75, 325 and 1225 ms", () =>
    Effect.gen(function*() {
      const { answers, looks, requests } = yield* probed({})
      assert.deepStrictEqual([answers, looks, requests], [[false], 4, ["neigh replace 10.99.0.1 dev eth0 use"]])
    }))

  it.effect("is looked at no more if it answers at once", () =>
    Effect.gen(function*() {
      const { answers, looks, requests } = yield* probed({ atOnce: [state("REACHABLE")] })
      assert.deepStrictEqual([answers, looks], [[true], 0])
      assert.deepStrictEqual(requests, ["neigh replace 10.99.0.1 dev eth0 use"])
    }))

  it.effect("is looked at no further once all have answered", () =>
    Effect.gen(function*() {
      const other = { address: "10.99.0.9", device: "eth0" }
      const both = [state("REACHABLE"), { ...state("PERMANENT"), dst: "10.99.0.9" }]
      const { answers, looks, requests } = yield* probed({ looks: [[state("REACHABLE")], both] }, [gateway, other])
      assert.deepStrictEqual([answers, looks], [[true, true], 2])
      assert.deepStrictEqual(requests, ["neigh replace 10.99.0.1 dev eth0 use; neigh replace 10.99.0.9 dev eth0 use"])
    }))

  for (const known of ["STALE", "DELAY", "REACHABLE"]) {
    it.effect(`is asked again where it is ${known}, as that says nothing of now`, () =>
      Effect.gen(function*() {
        const { requests } = yield* probed({ before: [known] })
        assert.deepStrictEqual(requests, ["neigh change 10.99.0.1 dev eth0 nud probe"])
      }))
  }

  for (const asked of ["INCOMPLETE", "PROBE"]) {
    it.effect(`is looked at four times more where it is ${asked}, and asked anew once that has failed`, () =>
      Effect.gen(function*() {
        const { looks, requests } = yield* probed({ before: [asked], looks: [[], [state("FAILED")]] })
        const ask = "neigh replace 10.99.0.1 dev eth0 use"
        assert.deepStrictEqual([looks, requests], [8, [ask, ask]])
      }))
  }

  it.effect("is asked anew alone", () =>
    Effect.gen(function*() {
      const other = { address: "10.99.0.9", device: "eth0" }
      const looks = [[state("FAILED"), { ...state("STALE"), dst: "10.99.0.9" }]]
      const { requests } = yield* probed({ looks }, [gateway, other])
      assert.strictEqual(requests[1], "neigh replace 10.99.0.1 dev eth0 use")
    }))

  it.effect("is not known to have answered where ip fails", () =>
    Effect.gen(function*() {
      const { answers, looks } = yield* probed({ looks: ["fails"] })
      assert.deepStrictEqual([answers, looks], [[undefined], 1])
    }))

  it.effect("is what was last known where ip fails later", () =>
    Effect.gen(function*() {
      const { answers, looks } = yield* probed({ looks: [[state("STALE")], "fails"] })
      assert.deepStrictEqual([answers, looks], [[false], 2])
    }))

  it.effect("is none, and nothing runs", () =>
    Effect.gen(function*() {
      const { answers, looks, requests } = yield* probed({}, [])
      assert.deepStrictEqual([answers, looks, requests], [[], 0, []])
    }))

  it.effect("has answered within no more than the waits", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({ programs: { nsenter: "[]" } })
      const fiber = yield* Effect.forkChild(
        Effect.provide(Namespace.probe("/run/netns/web", [gateway], Host.inside), layer)
      )
      yield* TestClock.adjust("1224 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
    }))
})

describe("a tool", () => {
  const output = (
    answer: Fake.Answer,
    options?: Parameters<typeof ToolOutput.of>[1]
  ) =>
    Effect.provide(
      ToolOutput.of(["/usr/sbin/ip", "link", "show"], options),
      Fake.host({ programs: { "": answer } }).layer
    )

  it.effect("is known by what it printed, also where it complains of a part", () =>
    Effect.gen(function*() {
      const failed = { exitCode: 1, stdout: new TextEncoder().encode("[]") }
      assert.deepStrictEqual(yield* output("[1]"), Result.succeed("[1]"))
      assert.deepStrictEqual(yield* output(failed, { isLenient: true }), Result.succeed("[]"))
      assert.deepStrictEqual(yield* output(failed), Result.fail("ip link: exit status 1"))
    }))

  it.effect("is known by the last line of its complaint, after its name and its first argument", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* output(Fake.complaint("warning\n no such device \n")),
        Result.fail("ip link:  no such device")
      )
      const alone = Effect.provide(
        ToolOutput.of(["nft"]),
        Fake.host({ programs: { nft: Fake.complaint("no") } }).layer
      )
      assert.deepStrictEqual(yield* alone, Result.fail("nft: no"))
    }))

  it.effect("that says nothing is known by its exit status", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({})
      const found = Effect.provide(ToolOutput.of(["ip"]), layer)
      assert.deepStrictEqual(yield* found, Result.fail("ip: exit status 127"))
    }))

  it.effect("may not take for ever, nor print without end, even where it is forgiven otherwise", () =>
    Effect.gen(function*() {
      for (const isLenient of [false, true]) {
        assert.deepStrictEqual(
          yield* output({ timedOut: true }, { isLenient }),
          Result.fail("ip did not end within 5 s")
        )
        assert.deepStrictEqual(
          yield* output({ truncated: true }, { isLenient }),
          Result.fail("ip printed more than 32 MiB")
        )
      }
    }))

  it.effect("runs in a namespace where one is named", () =>
    Effect.gen(function*() {
      const { commands, layer } = Fake.host({})
      yield* Effect.provide(ToolOutput.of(["ip", "link"], { netns: "/run/netns/web" }), layer)
      assert.deepStrictEqual(commands, ["nsenter --net=/run/netns/web -- ip link"])
    }))
})

const chain = (name: string, fields: object = {}) => ({ chain: { family: "inet", table: "fw", name, ...fields } })
const rule = (name: string, ...expr: ReadonlyArray<unknown>) => ({
  rule: { family: "inet", table: "fw", chain: name, expr }
})
const nft = (...items: ReadonlyArray<unknown>) => NftablesRuleset.parse(JSON.stringify({ nftables: items }))

describe("rules of iptables", () => {
  it("are tables with their chains, policies and rules", () => {
    const text = "# Generated by\n*nat \n:PREROUTING ACCEPT [0:0]\n:MINE - [0:0]\n:BARE\n-A PREROUTING -j MINE\n" +
      "-A NONE -j DROP\n -A PREROUTING -j X\nCOMMIT\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
    const tables = [...IptablesRule.parse(text)].map(([name, chains]) => [name, [...chains]])
    assert.deepStrictEqual(tables, [
      ["nat", [
        ["PREROUTING", { policy: "ACCEPT", rules: [{ words: ["-j", "MINE"], text: "-A PREROUTING -j MINE" }] }],
        ["MINE", { policy: "-", rules: [] }],
        ["BARE", { policy: "-", rules: [] }]
      ]],
      ["filter", [["FORWARD", { policy: "DROP", rules: [] }]]]
    ])
    assert.strictEqual(IptablesRule.parse("").size, 0)
    assert.strictEqual(IptablesRule.parse(":FORWARD ACCEPT\n-A FORWARD -j DROP").size, 0)
  })

  it("are words, where quotes keep blanks and may be empty", () => {
    const text = `*filter\n:C -\n-A C --comment "a \\"b\\\\c\\" d" --x "" -j DROP`
    assert.deepStrictEqual(IptablesRule.parse(text).get("filter")?.get("C")?.rules[0]?.words, [
      "--comment",
      "a \"b\\c\" d",
      "--x",
      "",
      "-j",
      "DROP"
    ])
  })
})

describe("chains of nftables", () => {
  it("are all that nft tells of them, with their rules", () => {
    const drop = { drop: null }
    assert.deepStrictEqual(
      nft(
        chain("c", { hook: "forward", type: "filter", policy: "drop" }),
        rule("c", drop, 5),
        rule("c"),
        rule("none", drop)
      ),
      [
        {
          family: "inet",
          table: "fw",
          name: "c",
          hook: "forward",
          type: "filter",
          policy: "drop",
          priority: 0,
          device: undefined,
          rules: [[drop], []]
        }
      ]
    )
    assert.deepStrictEqual(nft(chain("c", { hook: 1, type: 2, policy: 3 }))[0], {
      family: "inet",
      table: "fw",
      name: "c",
      hook: undefined,
      type: undefined,
      policy: undefined,
      priority: 0,
      device: undefined,
      rules: []
    })
    assert.deepStrictEqual(nft(chain("c"), { rule: { family: "inet", table: "fw", chain: "c" } })[0]?.rules, [[]])
  })

  it("are none of what is not an object", () => {
    assert.deepStrictEqual(nft(5, null, { chain: 5 }, { rule: 5 }, { metainfo: {} }), [])
    for (const text of ["", "[]", "{}", `{"nftables":{}}`]) {
      assert.deepStrictEqual(NftablesRuleset.parse(text), [], text)
    }
  })

  const tables: ReadonlyArray<readonly [family: string, table: string, isOwn: boolean]> = [
    ["ip", "filter", false],
    ["ip6", "filter", false],
    ["ip", "nat", false],
    ["ip", "mangle", false],
    ["ip", "raw", false],
    ["ip", "security", false],
    ["inet", "filter", true],
    ["bridge", "filter", true],
    ["ip", "fw", true]
  ]
  for (const [family, table, isOwn] of tables) {
    it(`of ${family} ${table} are ${isOwn ? "its own" : "those of iptables"}`, () => {
      assert.lengthOf(nft(chain("c", { family, table })), isOwn ? 1 : 0)
    })
  }

  const flags: ReadonlyArray<readonly [flags: unknown, isAwake: boolean]> = [
    [undefined, true],
    [[], true],
    ["owner", true],
    [["owner", "persist"], true],
    ["dormant", false],
    [["owner", "dormant"], false],
    ["inet", false]
  ]
  for (const [value, isAwake] of flags) {
    it(`of a table with flags ${JSON.stringify(value)} are ${isAwake ? "at work" : "asleep"}`, () => {
      const table = { table: { family: "inet", name: "fw", flags: value } }
      assert.lengthOf(
        nft(table, chain("c"), chain("d", { table: "other" }), chain("e", { family: "ip" })),
        isAwake ? 3 : 2
      )
    })
  }
})

describe("the rules of a host", () => {
  const v4 = "*filter\n:FORWARD ACCEPT\nCOMMIT"

  /** The backends and families that are found where these tools are there, and what was run. */
  const collected = Effect.fnUntraced(function*(
    programs: { readonly [tool: string]: string | object },
    files: Fake.Files = {}
  ) {
    const names = Object.keys(programs).map((program) => program.split(" ")[0] ?? "")
    const tools = new Map(names.map((name) => [name, `/sbin/${name}`]))
    const { commands, layer } = Fake.host({
      files,
      programs: Object.fromEntries(
        Object.entries(programs).toReversed().map(([name, answer]) => [`/sbin/${name}`, answer])
      )
    })
    const known = yield* Effect.provide(PacketFilter.collect(tools), layer)
    return {
      found: Result.isFailure(known)
        ? known.failure
        : known.success.rulesets.map(({ backend, family }) => `${backend} ${family}`),
      nft: Result.isSuccess(known) ? known.success.nft.map(({ name }) => name) : [],
      commands
    }
  })

  const tablesOfNft = "table ip filter {\n}\ntable inet fw {\n}\ntable netdev n {\n}\n"

  it.effect("are those of both families, and of the tables of nftables that iptables did not make", () =>
    Effect.gen(function*() {
      const { commands, found, nft } = yield* collected({
        "iptables-nft-save": v4,
        "ip6tables-nft-save": v4,
        "nft list chains": tablesOfNft,
        "nft -j list table inet fw": JSON.stringify({ nftables: [chain("c")] }),
        "nft -j list table netdev n": JSON.stringify({ nftables: [chain("d", { family: "netdev", table: "n" })] })
      })
      assert.deepStrictEqual([found, nft], [["nf_tables 4", "nf_tables 6"], ["c", "d"]])
      assert.deepStrictEqual(commands.toSorted(), [
        "/sbin/ip6tables-nft-save",
        "/sbin/iptables-nft-save",
        "/sbin/nft -j list table inet fw",
        "/sbin/nft -j list table netdev n",
        "/sbin/nft list chains"
      ])
    }))

  it.effect("are without a table that was removed meanwhile, and unknown if nft cannot list one", () =>
    Effect.gen(function*() {
      const withTable = (stderr: string) =>
        collected({
          "nft list chains": tablesOfNft,
          "nft -j list table inet fw": { exitCode: 1, stderr: new TextEncoder().encode(stderr) },
          "nft -j list table netdev n": JSON.stringify({ nftables: [chain("d", { family: "netdev", table: "n" })] })
        })
      assert.deepStrictEqual((yield* withTable("Error: No such file or directory\n")).nft, ["d"])
      assert.strictEqual((yield* withTable("Error: syntax error\n")).found, "nft -j: Error: syntax error")
    }))

  it.effect("are those of the old backend where it has tables", () =>
    Effect.gen(function*() {
      const programs = { "iptables-legacy-save": v4, "ip6tables-legacy-save": v4 }
      const names = { "/proc/net/ip_tables_names": "filter\n", "/proc/net/ip6_tables_names": "nat\n" }
      assert.deepStrictEqual((yield* collected(programs, names)).found, ["legacy 4", "legacy 6"])
      const empty = { "/proc/net/ip_tables_names": "\n", "/proc/net/ip6_tables_names": "nat\n" }
      assert.deepStrictEqual((yield* collected(programs, empty)).found, ["legacy 6"])
      assert.deepStrictEqual((yield* collected(programs)).found, [])
    }))

  const headers: ReadonlyArray<readonly [header: string, backend: string]> = [
    ["# Generated by iptables-save v1.8.9 (nf_tables) on Mon\n", "nf_tables"],
    ["# Generated by iptables-save v1.8.9 on Mon\n", "legacy"],
    ["# Completed (nf_tables)\n", "legacy"]
  ]
  for (const [header, backend] of headers) {
    it.effect(`are of the backend that iptables-save names: ${backend} of ${header.trim()}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* collected({ "iptables-save": header + v4 })).found, [`${backend} 4`])
      }))
  }

  it.effect("are not asked of iptables-save where a tool of a backend is there", () =>
    Effect.gen(function*() {
      for (const tool of ["iptables-nft-save", "iptables-legacy-save"]) {
        const { commands } = yield* collected({ [tool]: v4, "iptables-save": v4 })
        assert.notInclude(commands, "/sbin/iptables-save")
      }
      assert.deepStrictEqual((yield* collected({ "iptables-nft": v4 })).commands, [])
    }))

  it.effect("are none where a table is not there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* collected({ "iptables-nft-save": "", "ip6tables-nft-save": v4 })).found, [
        "nf_tables 6"
      ])
    }))

  const slow = { timedOut: true }
  const long = { truncated: true }
  const broken = { exitCode: 1 }
  const names = { "/proc/net/ip_tables_names": "filter\n" }
  const problems: ReadonlyArray<
    readonly [programs: { readonly [tool: string]: string | object }, found: string | ReadonlyArray<string>]
  > = [
    [{ "iptables-nft-save": broken }, "iptables-nft-save: exit status 1"],
    [{ "iptables-nft-save": v4, "iptables-legacy-save": broken }, "iptables-legacy-save: exit status 1"],
    [{ "iptables-nft-save": broken, "iptables-legacy-save": slow }, "iptables-nft-save: exit status 1"],
    [{ "iptables-save": broken }, "iptables-save: exit status 1"],
    [{ "iptables-nft-save": v4, "ip6tables-nft-save": broken }, ["nf_tables 4"]],
    [{ "iptables-nft-save": v4, "ip6tables-nft-save": slow }, "ip6tables-nft-save did not end within 5 s"],
    [{ "iptables-nft-save": v4, "nft": long }, "nft printed more than 32 MiB"],
    [{ "iptables-nft-save": v4, "nft": broken }, ["nf_tables 4"]]
  ]
  for (const [programs, found] of problems) {
    it.effect(`are ${JSON.stringify(found)} of ${JSON.stringify(programs).replaceAll("\\n", " ")}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* collected(programs, names)).found, found)
      }))
  }
})

describe("the rules in another namespace", () => {
  const rulesIn = Effect.fnUntraced(function*(netns: string) {
    const ask = NamespaceTools.inNamespace(netns, NamespaceTools.deadline())
    const [listed = "", ...legacy] = yield* ask([PacketFilter.question, ...PacketFilter.legacyQuestions])
    return yield* PacketFilter.inside(netns, listed, legacy)
  })

  it.effect("are those of nftables, where iptables has no tables: one shell says so", () =>
    Effect.gen(function*() {
      const nft = JSON.stringify({
        nftables: [
          { table: { family: "inet", name: "fw" } },
          { chain: { family: "inet", table: "fw", name: "c", hook: "input", type: "filter", policy: "drop", prio: 0 } }
        ]
      })
      const { commands, layer } = Fake.host({
        programs: { "nsenter --net=/run/netns/web -- nft -j list ruleset": nft }
      })
      const found = yield* Effect.provide(rulesIn("/run/netns/web"), layer)
      assert.deepStrictEqual([found.nft.map(({ name }) => name), found.rulesets, commands.length], [["c"], [], 3])
    }))

  it.effect("are those of the new backend, in each family that has some", () =>
    Effect.gen(function*() {
      const inside = Effect.fnUntraced(function*(v4: string | object, v6: string | object) {
        const { commands, layer } = Fake.host({
          programs: {
            "nsenter --net=/run/netns/web -- iptables-nft-save": v4,
            "nsenter --net=/run/netns/web -- ip6tables-nft-save": v6
          }
        })
        const found = yield* Effect.provide(rulesIn("/run/netns/web"), layer)
        return [found.rulesets.map(({ backend, family }) => `${backend} ${family}`), commands.length]
      })
      const text = "*filter\n:INPUT DROP\nCOMMIT"
      assert.deepStrictEqual(yield* inside(text, text), [["nf_tables 4", "nf_tables 6"], 5])
      assert.deepStrictEqual(yield* inside("", text), [["nf_tables 6"], 5])
      assert.deepStrictEqual(yield* inside(text, { exitCode: 1 }), [["nf_tables 4"], 5])
    }))
})
