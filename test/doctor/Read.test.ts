/** Facts about the host, out of what its tools and files say. Nothing of the host that runs the tests is looked at. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Sockets from "../../src/doctor/facts/Sockets.ts"
import * as LeakRemoval from "../../src/doctor/LeakRemoval.ts"
import * as Leaks from "../../src/doctor/Leaks.ts"
import type { Execution } from "../../src/exec/Execution.ts"
import * as ToolOutput from "../../src/exec/ToolOutput.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as Namespace from "../../src/network/Namespace.ts"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"
import * as PacketFilter from "../../src/network/PacketFilter.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

describe("a tool", () => {
  it.effect("is known by what it printed, or by why it could not be asked", () =>
    Effect.gen(function*() {
      const say = (answer: string | Partial<Execution>) =>
        Effect.provide(
          ToolOutput.of(["/usr/sbin/ip", "link"]),
          Fake.host({ programs: { "/usr/sbin/ip": answer } }).layer
        )
      const stderr = new TextEncoder().encode("warning\nCannot open netlink socket\n")
      assert.deepStrictEqual(yield* say("1: lo"), Result.succeed("1: lo"))
      assert.deepStrictEqual(yield* say({ timedOut: true }), Result.fail("ip did not end within 5 s"))
      assert.deepStrictEqual(yield* say({ truncated: true }), Result.fail("ip printed more than 32 MiB"))
      assert.deepStrictEqual(yield* say({ exitCode: 2, stderr }), Result.fail("ip link: Cannot open netlink socket"))
      assert.deepStrictEqual(yield* say({ exitCode: 2 }), Result.fail("ip link: exit status 2"))
    }))
})

describe("a namespace", () => {
  it("is what ip prints of links, addresses, routes and neighbours", () => {
    const links = [{
      ifindex: 12,
      link_index: 3,
      ifname: "veth1",
      flags: ["UP", "LOWER_UP"],
      mtu: 1400,
      master: "cni0",
      operstate: "UP",
      address: "02:00:00:00:00:01",
      linkinfo: { info_kind: "veth", info_slave_data: { state: "forwarding" } },
      addr_info: [{ local: "fd00::2", prefixlen: 64, tentative: true, dadfailed: true }, { local: "?", prefixlen: 1 }]
    }]
    const routes = [
      { dst: "default", gateway: "10.0.0.1", dev: "veth1", protocol: "boot" },
      { dst: "default", pref: "medium", via: { host: "fe80::1" }, dev: "veth1", table: "7" },
      { dst: "10.1.0.0/16", nexthops: [{ gateway: "10.0.0.2", dev: "a" }, { gateway: "10.0.0.3", dev: "b" }] },
      { dst: "rubbish" }
    ]
    const neighbours = [{ dst: "10.0.0.1", dev: "veth1", lladdr: "02:00:00:00:00:09", state: ["REACHABLE"] }]
    const parsed = Namespace.parse([links, routes, neighbours].map((each) => JSON.stringify(each)).join("\n"))
    const known = Result.getOrElse(parsed, () => assert.fail("ip was not understood"))
    assert.deepInclude(known.links[0], {
      name: "veth1",
      peer: 3,
      peerHere: undefined,
      kind: "veth",
      portState: "forwarding",
      hasCarrier: true
    })
    assert.deepInclude(known.links[0]?.addresses[0], { text: "fd00::2/64", isTentative: true, isDuplicate: true })
    assert.strictEqual(known.links[0]?.addresses.length, 1)
    assert.deepStrictEqual(
      known.routes.map(({ device, gateway, table, to }) => `${to.family} ${to.length} ${gateway} ${device} ${table}`),
      ["4 0 10.0.0.1 veth1 main", "6 0 fe80::1 veth1 7", "4 16 10.0.0.2 a main", "4 16 10.0.0.3 b main"]
    )
    assert.deepStrictEqual(known.neighbours, [{
      address: "10.0.0.1",
      device: "veth1",
      mac: "02:00:00:00:00:09",
      states: ["REACHABLE"]
    }])
  })

  it("is not known where ip is too old to print JSON", () => {
    assert.isTrue(Result.isFailure(Namespace.parse("1: lo: <LOOPBACK,UP>")))
    assert.isTrue(Result.isFailure(Namespace.parse("")))
  })
})

describe("rules", () => {
  it("keep what is in quotes in one word, and know which chain is built in", () => {
    const text =
      `*nat\n:PREROUTING DROP [0:0]\n:MINE - [0:0]\n-A MINE -m comment --comment "a \\"b\\" c" -j ACCEPT\nCOMMIT`
    const chains = IptablesRule.parse(text).get("nat")
    assert.strictEqual(chains?.get("PREROUTING")?.policy, "DROP")
    assert.deepStrictEqual(chains?.get("MINE")?.rules[0]?.words, [
      "-m",
      "comment",
      "--comment",
      "a \"b\" c",
      "-j",
      "ACCEPT"
    ])
  })

  it("of nftables are those of others than iptables", () => {
    const chain = (family: string, table: string) => ({ chain: { family, table, name: "c", hook: "forward" } })
    const nftables = [chain("ip", "filter"), chain("inet", "fw"), {
      rule: { family: "inet", table: "fw", chain: "c", expr: [{ drop: null }] }
    }]
    const found = NftablesRuleset.parse(JSON.stringify({ nftables }))
    assert.deepStrictEqual(found.map(({ rules, table }) => [table, rules]), [["fw", [[{ drop: null }]]]])
    assert.deepStrictEqual(NftablesRuleset.parse("rubbish"), [])
  })

  it.effect("of the old backend are not asked for where it has no tables, as that would load its modules", () =>
    Effect.gen(function*() {
      const tools = new Map(["iptables-nft-save", "iptables-legacy-save"].map((name) => [name, `/sbin/${name}`]))
      const programs = { "/sbin/iptables-nft-save": "*nat\nCOMMIT", "/sbin/iptables-legacy-save": "*filter\nCOMMIT" }
      const without = Fake.host({ programs })
      yield* Effect.provide(PacketFilter.collect(tools), without.layer)
      assert.deepStrictEqual(without.commands, ["/sbin/iptables-nft-save"])
      const known = yield* Effect.provide(
        PacketFilter.collect(tools),
        Fake.host({ programs, files: { "/proc/net/ip_tables_names": "filter\n" } }).layer
      )
      const { rulesets } = Result.getOrElse(known, () => assert.fail("the rules are not known"))
      assert.deepStrictEqual(rulesets.map(({ backend }) => backend), ["nf_tables", "legacy"])
    }))

  it.effect("are not known where nft hangs, and are those of iptables where the kernel has no nftables", () =>
    Effect.gen(function*() {
      const tools = new Map([["nft", "/sbin/nft"], ["iptables-save", "/sbin/iptables-save"]])
      const collect = (nft: Partial<Execution>) =>
        Effect.provide(
          PacketFilter.collect(tools),
          Fake.host({ programs: { "/sbin/nft": nft, "/sbin/iptables-save": "*nat\nCOMMIT" } }).layer
        )
      assert.deepStrictEqual(yield* collect({ timedOut: true }), Result.fail("nft did not end within 5 s"))
      assert.isTrue(Result.isSuccess(yield* collect({ exitCode: 1 })))
    }))

  it.effect("that may not be read are not known", () =>
    Effect.gen(function*() {
      const stderr = new TextEncoder().encode("Permission denied (you must be root)\n")
      const host = Fake.host({ programs: { "/sbin/iptables-save": { exitCode: 4, stderr } } })
      const known = yield* Effect.provide(
        PacketFilter.collect(new Map([["iptables-save", "/sbin/iptables-save"]])),
        host.layer
      )
      assert.deepStrictEqual(known, Result.fail("iptables-save: Permission denied (you must be root)"))
    }))
})

describe("who listens", () => {
  it("is in the tables of the kernel, TCP in one state and UDP in another", () => {
    const line = (port: string, state: string) => `0: 00000000:${port} 00000000:0000 ${state} 0:0 0:0 0 0 0 4711 1`
    const table = ["header", line("1F90", "0A"), line("1F91", "01"), line("1F92", "07"), "rubbish"].join("\n")
    assert.deepStrictEqual(Sockets.parse("tcp", table), [{ protocol: "tcp", port: 8080, inode: "4711" }])
    assert.deepStrictEqual(Sockets.parse("udp", table), [{ protocol: "udp", port: 8082, inode: "4711" }])
  })

  it.effect("is the process that has the socket, where that may be seen", () =>
    Effect.gen(function*() {
      const table = "header\n0: 00000000:1F90 00000000:0000 0A 0:0 0:0 0 0 0 4711 1"
      const files = { "/proc/net/tcp": table, "/proc/7/comm": "nginx\n", "/proc/7/fd/3": "-> socket:[4711]" }
      const owners = (ports: ReadonlySet<number>, { "/proc/7/fd/3": fd, ...others }: typeof files, isSeen: boolean) =>
        Effect.map(
          Effect.provide(
            Sockets.collect(ports),
            Fake.host({ files: isSeen ? { ...others, "/proc/7/fd/3": fd } : others }).layer
          ),
          (known) => Result.getOrElse(known, () => []).map(({ owner }) => owner)
        )
      assert.deepStrictEqual(yield* owners(new Set([8080]), files, true), [{ name: "nginx", pid: 7 }])
      assert.deepStrictEqual(yield* owners(new Set([8080]), files, false), [undefined])
      assert.deepStrictEqual(yield* owners(new Set([80]), files, true), [])
    }))
})

describe("what lives", () => {
  it.effect("is alive while a process is working for it, and where its result has a namespace that is there", () =>
    Effect.gen(function*() {
      const host = Fake.host({ files: { "/proc/1/environ": "CNI_CONTAINERID=one\0" } })
      const isAlive = (containerId: string) =>
        Effect.provide(LeakRemoval.isAlive({ containerId, files: [] }, "/cache"), host.layer)
      assert.deepStrictEqual([yield* isAlive("one"), yield* isAlive("two")], [true, false])
    }))

  it.effect("is an address that somebody else has got than the one that had it", () =>
    Effect.gen(function*() {
      const host = Fake.host({ files: { "/store/10.99.0.2": "new\r\neth0" } })
      const isAlive = (address: string, containerId: string) => {
        const holder = { file: `/store/${address}`, containerId, results: new Set<string>() }
        return Effect.provide(LeakRemoval.isAlive({ containerId: address, holder, files: [] }, "/cache"), host.layer)
      }
      assert.deepStrictEqual(
        [yield* isAlive("10.99.0.2", "new"), yield* isAlive("10.99.0.2", "old"), yield* isAlive("10.99.0.2", "")],
        [false, true, true]
      )
      assert.isFalse(yield* isAlive("10.99.0.3", ""))
    }))
})

describe("a leak", () => {
  it("that is a chain goes rule by rule, so that one that was made anew meanwhile stays", () => {
    const name = "CNI-0123456789abcdef01234567"
    const rules = Result.succeed({ rulesets: [Host.rules(Host.save.replaceAll("CNI-1", name))], nft: [] })
    const facts = Host.facts({ attachment: { sight: { _tag: "Missing" } }, host: { rules } })
    const argvs = (addresses: ReadonlySet<string>, processes: Leaks.Life["processes"]) =>
      Leaks.find(facts, { addresses, processes, blind: undefined, ends: new Set(), unread: [], namespaces: [] }).filter(
        ({ kind }) => kind === "chain"
      )
        .flatMap((
          { removal }
        ) => removal._tag === "Commands" ? removal.argvs.map((argv) => argv.join(" ")) : [])
    assert.deepStrictEqual(argvs(new Set(), []), [
      `iptables -t nat -D ${name} -d 10.99.0.0/24 -j ACCEPT`,
      `iptables -t nat -D ${name} ! -d 224.0.0.0/4 -j MASQUERADE`,
      `iptables -t nat -X ${name}`
    ])
    assert.deepStrictEqual(argvs(new Set(["10.99.0.2"]), []), [])
    assert.deepStrictEqual(argvs(new Set(), [Host.process()]), [])
  })

  it.effect("that somebody else has taken away meanwhile is away", () =>
    Effect.gen(function*() {
      const stderr = new TextEncoder().encode("iptables: Bad rule (does a matching rule exist in that chain?).\n")
      const other = new TextEncoder().encode("iptables: Permission denied.\n")
      const remove = (stderr: Uint8Array) =>
        Effect.provide(
          LeakRemoval.remove({
            containerId: "web",
            removal: { _tag: "Commands", argvs: [["iptables", "-D", "X"], ["iptables", "-X", "X"]] }
          }, new Map()),
          Fake.host({ programs: { "iptables -D": { exitCode: 1, stderr }, "iptables -X": "" } }).layer
        )
      assert.isTrue(Result.isSuccess(yield* remove(stderr)))
      assert.deepStrictEqual(yield* remove(other), Result.fail("iptables -D: iptables: Permission denied."))
    }))
})
