/** What doctor sees of an attachment in its namespace: only what the fake programs here say. */
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { systemError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import * as Attachment from "../../src/doctor/facts/Attachment.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Namespace from "../../src/network/Namespace.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import { named } from "../support/hostTools.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

const netns = "/run/netns/web"
const neighbour = (dst: string, ...state: ReadonlyArray<string>) => ({ dst, dev: "eth0", state })

/** A namespace as `ip` tells it. */
interface Inside {
  readonly routes?: ReadonlyArray<object>
  readonly neighbours?: ReadonlyArray<object>
  /** The number of the file that it is. */
  readonly ino?: number
}

/** A host whose own namespace has the number 1, and the programs that were run in another one, with their stdin. */
const host = ({ ino = 2, neighbours = [], routes = [] }: Inside) => {
  const calls: Array<string> = []
  const links = [{ ifindex: 3, ifname: "eth0", flags: ["UP"] }]
  const answers: { readonly [request: string]: unknown } = {
    "addr show": links,
    "route show table all": routes,
    "neigh show": neighbours
  }
  const files = new Map([[netns, ino], ["/proc/self/ns/net", 1]])
  return {
    calls,
    layer: Layer.mergeAll(
      NodePath.layer,
      FileSystem.layerNoop({
        stat: (path) => {
          const found = files.get(path)
          return found === undefined
            ? Effect.fail(systemError({
              _tag: "NotFound",
              module: "FileSystem",
              method: "stat",
              pathOrDescriptor: path
            }))
            : Effect.succeed({ type: "File", size: 0n, ino: Option.some(found) } as unknown as FileSystem.File.Info)
        }
      }),
      Layer.succeed(HostTools.HostTools, named),
      Layer.succeed(
        ProcessRunner,
        ProcessRunner.of({
          run: Fake.running((argv, stdin) => {
            const [, , , tool = ""] = argv
            calls.push(tool === "ip" ? stdin.trim() : tool)
            const ofIptables = { nftables: [{ table: { family: "ip", name: "filter" } }] }
            const listed = tool === "nft" ? JSON.stringify(ofIptables) : "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
            const lines = stdin.trim().split("\n").map((line) => JSON.stringify(answers[line] ?? []))
            return Fake.ended(tool === "ip" ? lines.join("\n") : listed)
          })
        })
      )
    )
  }
}

/** Runs an effect that waits for answers of gateways, on a clock that does not make anybody wait. */
const inTime = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  yield* TestClock.adjust("10 seconds")
  return yield* Fiber.join(fiber)
})

const looked = Effect.fnUntraced(function*(inside: Inside, fields: Partial<Attachment.AttachmentId> = {}) {
  const { calls, layer } = host(inside)
  const attachment = yield* Effect.provide(inTime(Attachment.look(Host.attachment(fields))), layer)
  return { ...attachment, calls }
})

const gateway = (address: string, dev = "eth0") => ({ dst: "default", gateway: address, dev })
const asked = (probes: ReadonlyArray<Namespace.Probe>) => probes.map(({ address, device }) => `${address} ${device}`)

describe("the namespace of an attachment", () => {
  it.effect("is looked into: its gateways, and its rules of iptables", () =>
    Effect.gen(function*() {
      const { filter, probes, sight } = yield* looked({
        routes: [gateway("10.99.0.1")],
        neighbours: [neighbour("10.99.0.1", "REACHABLE")]
      })
      assert.deepInclude(sight, { _tag: "There", isHost: false })
      assert.deepStrictEqual(probes, [{ address: "10.99.0.1", device: "eth0", hasAnswered: true }])
      assert.deepStrictEqual(filter.map(({ backend, family }) => `${backend} ${family}`), [
        "nf_tables 4",
        "nf_tables 6",
        "legacy 4",
        "legacy 6"
      ])
    }))

  it.effect("that is the one of the host is not asked for gateways, nor for rules, which the host has anyway", () =>
    Effect.gen(function*() {
      const { calls, filter, probes, sight } = yield* looked({ routes: [gateway("10.99.0.1")], ino: 1 })
      assert.deepInclude(sight, { _tag: "There", isHost: true })
      assert.deepStrictEqual([probes, filter], [[], []])
      assert.deepStrictEqual(calls, [
        "addr show\nroute show table all\nneigh show\nroute get 93.184.216.34 from 10.99.0.2"
      ])
    }))

  it.effect("that is gone is not entered", () =>
    Effect.gen(function*() {
      const { calls, filter, probes, sight } = yield* looked({}, { netns: "/run/netns/gone" })
      assert.deepStrictEqual([sight, probes, filter, calls], [{ _tag: "Missing" }, [], [], []])
    }))
})

describe("the gateways that are asked for", () => {
  it.effect("are those of the routes of its link", () =>
    Effect.gen(function*() {
      const { probes } = yield* looked({ routes: [gateway("10.99.0.1")] })
      assert.deepStrictEqual(asked(probes), ["10.99.0.1 eth0"])
    }))

  it.effect("are not those of routes of another link, which another plugin made", () =>
    Effect.gen(function*() {
      const { probes } = yield* looked({ routes: [gateway("10.99.0.1", "net1")] })
      assert.deepStrictEqual(asked(probes), [])
    }))

  it.effect("are not those that the result does not speak of", () =>
    Effect.gen(function*() {
      const { probes } = yield* looked({ routes: [gateway("10.99.0.9"), gateway("10.99.0.1")] })
      assert.deepStrictEqual(asked(probes), ["10.99.0.1 eth0"])
    }))

  it.effect("are those of its routes too, each once", () =>
    Effect.gen(function*() {
      const result = Host.resultWith({ routes: [{ dst: "10.1.0.0/16", gw: "10.99.0.3" }] })
      const routes = [gateway("10.99.0.3"), { ...gateway("10.99.0.3"), dst: "10.1.0.0/16" }, { dst: "10.99.0.0/24" }]
      const { probes } = yield* looked({ routes }, { result })
      assert.deepStrictEqual(asked(probes), ["10.99.0.3 eth0"])
    }))

  it.effect("are eight at most", () =>
    Effect.gen(function*() {
      const addresses = Array.from({ length: 9 }, (_, index) => `10.99.0.${index + 10}`)
      const result = Host.resultWith({ ips: addresses.map((gateway) => ({ address: "10.99.0.2/24", gateway })) })
      const { probes } = yield* looked({ routes: addresses.map((each) => gateway(each)) }, { result })
      assert.deepStrictEqual(asked(probes), addresses.slice(0, 8).map((address) => `${address} eth0`))
    }))

  it.effect("are known by their shortest form, and are not what is no address", () =>
    Effect.gen(function*() {
      const result = Host.resultWith({ ips: [{ address: "fd00::2/64", gateway: "fd00:0::1" }, { gateway: "x" }, null] })
      const { probes } = yield* looked({ routes: [gateway("fd00::1"), gateway("x")] }, { result })
      assert.deepStrictEqual(asked(probes), ["fd00::1 eth0"])
      const bare = Host.emptyResult
      assert.deepStrictEqual((yield* looked({ routes: [gateway("10.99.0.1")] }, { result: bare })).probes, [])
    }))

  it.effect("are none where the result cannot be read", () =>
    Effect.gen(function*() {
      const { probes } = yield* looked({ routes: [gateway("10.99.0.1")] }, { result: Result.fail("no result") })
      assert.deepStrictEqual(asked(probes), [])
    }))
})

describe("a gateway", () => {
  const hasAnswered = Effect.fnUntraced(function*(...neighbours: ReadonlyArray<object>) {
    const { layer } = host({ neighbours })
    const gateways = [{ address: "10.99.0.1", device: "eth0" }]
    const probes = yield* Effect.provide(inTime(Namespace.probe(netns, gateways, Host.inside)), layer)
    return probes.map((probe) => probe.hasAnswered)
  })

  const states: ReadonlyArray<readonly [state: string, hasAnswered: boolean]> = [
    ["REACHABLE", true],
    ["PERMANENT", true],
    ["NOARP", true],
    ["STALE", false],
    ["DELAY", false],
    ["PROBE", false],
    ["INCOMPLETE", false],
    ["FAILED", false]
  ]
  for (const [state, expected] of states) {
    it.effect(`that is ${state} ${expected ? "has answered" : "has not answered"}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* hasAnswered(neighbour("10.99.0.1", state)), [expected])
      }))
  }

  it.effect("has answered where one of its states says so", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* hasAnswered(neighbour("10.99.0.1", "EXT_LEARNED", "REACHABLE")), [true])
    }))

  it.effect("has not answered where nothing, or only another address or link, is known", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* hasAnswered(), [false])
      assert.deepStrictEqual(yield* hasAnswered(neighbour("10.99.0.2", "REACHABLE")), [false])
      assert.deepStrictEqual(yield* hasAnswered({ ...neighbour("10.99.0.1", "REACHABLE"), dev: "net1" }), [false])
    }))
})

describe("what the namespace of an attachment is", () => {
  const netns = "/run/netns/web"
  const own = { "/proc/self/ns/net": Fake.namespace(1) }

  const sighted = Effect.fnUntraced(
    function*(file: Fake.Files[string], answer: Fake.Answer = {}, netns = "/run/netns/web") {
      const { commands, layer } = Fake.host({ files: { ...own, [netns]: file }, programs: { nsenter: answer } })
      const { sight } = yield* Effect.provide(inTime(Attachment.look(Host.attachment({ netns }))), layer)
      return sight._tag === "There" ? { ...sight, commands } : { ...sight, commands: commands.length }
    }
  )

  it.effect("is not known where the cache does not have it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sighted("", {}, ""), {
        _tag: "Unseen",
        reason: "the cache does not have its network namespace",
        commands: 0
      })
    }))

  it.effect("is not known where its file may not be looked at", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sighted({ error: "PermissionDenied" }), {
        _tag: "Unseen",
        reason: `PermissionDenied: FileSystem.read (${netns}): of a test`,
        commands: 0
      })
    }))

  it.effect("is another file where it is no regular one, which is not opened", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sighted({ type: "FIFO" }), {
        _tag: "Foreign",
        reason: "/run/netns/web is not a network namespace",
        commands: 0
      })
    }))

  it.effect("is another file where the kernel does not take it for one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sighted({ ino: 2 }, Fake.complaint("setns: Invalid argument")), {
        _tag: "Foreign",
        reason: "ip: Invalid argument",
        commands: 4
      })
    }))

  it.effect("is not known where it may not be entered", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sighted({ ino: 2 }, Fake.complaint("Operation not permitted")), {
        _tag: "Unseen",
        reason: "ip: Operation not permitted",
        commands: 4
      })
    }))

  it.effect("is that of the host only where both have the same number", () =>
    Effect.gen(function*() {
      const isHost = Effect.fnUntraced(function*(file: Fake.Special, ours: Fake.Special) {
        const { layer } = Fake.host({
          files: { "/proc/self/ns/net": ours, [netns]: file },
          programs: { nsenter: "[]" }
        })
        const { sight } = yield* Effect.provide(inTime(Attachment.look(Host.attachment())), layer)
        return sight._tag === "There" ? sight.isHost : sight._tag
      })
      assert.deepStrictEqual([
        yield* isHost({ ino: 1 }, { ino: 1 }),
        yield* isHost({ ino: 2 }, { ino: 1 }),
        yield* isHost({}, { ino: 1 }),
        yield* isHost({ ino: 1 }, {}),
        yield* isHost({}, {}),
        yield* isHost({ ino: 1 }, { error: "PermissionDenied" })
      ], [true, false, false, false, false, false])
    }))
})

describe("an attachment of libcni's cache", () => {
  const cached = {
    network: "n",
    containerId: "web",
    ifname: "eth0",
    netns: "/run/netns/web",
    args: [["K8S_POD_NAMESPACE", "shop"], ["K8S_POD_NAME", "web"]] as const,
    capabilityArgs: {}
  }
  const result = {
    cniVersion: "1.0.0",
    interfaces: [{ name: "veth1", sandbox: "" }, { name: "eth0", sandbox: "/run/netns/other" }]
  }
  type Change = { readonly [key: string]: unknown }

  const listed = Effect.fnUntraced(function*(files: Fake.Files) {
    const named = Object.entries(files).map(([name, text]) => [`/cache/results/${name}`, text] as const)
    return yield* Effect.provide(Attachment.list("/cache"), Fake.host({ files: Object.fromEntries(named) }).layer)
  })
  const encoded = (change: Change = {}, document: object | null = result) =>
    ResultCache.encode({ ...cached, ...change } as never, "{}", JSON.stringify(document))
  const first = Effect.fnUntraced(function*(text: string) {
    return (yield* listed({ "n-web-eth0": text }))[0] ?? assert.fail("there is no attachment")
  })

  it.effect("is all that its file says", () =>
    Effect.gen(function*() {
      const { result, ...others } = yield* first(encoded())
      assert.deepStrictEqual(others, {
        file: "/cache/results/n-web-eth0",
        network: "n",
        containerId: "web",
        ifname: "eth0",
        netns: "/run/netns/web",
        pod: "shop/web",
        args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web",
        portMappings: [],
        capabilityArgs: {},
        config: "{}"
      })
      assert.isTrue(Result.isSuccess(result))
    }))

  it.effect("has the namespace that its result names, where its file names none", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* first(encoded({ netns: "" }))).netns, "/run/netns/other")
      const odd = { cniVersion: "1.0.0", interfaces: [{ name: "eth0", sandbox: "web" }] }
      assert.strictEqual((yield* first(encoded({ netns: "" }, odd))).netns, "")
      assert.strictEqual((yield* first(encoded({ netns: "" }, { cniVersion: "9" }))).netns, "")
    }))

  it.effect("is known by why it has no result", () =>
    Effect.gen(function*() {
      const { result, ...others } = JSON.parse(encoded())
      assert.isDefined(result)
      const { result: found } = yield* first(JSON.stringify(others))
      assert.deepStrictEqual(found, Result.fail("the cache has no result"))
      assert.isTrue(Result.isFailure((yield* first(encoded({}, { cniVersion: "9" }))).result))
    }))

  it.effect("has a result in the newest version, whatever its own is", () =>
    Effect.gen(function*() {
      const old = { cniVersion: "0.2.0", ip4: { ip: "10.99.0.2/24" } }
      const { result } = yield* first(encoded({}, old))
      assert.deepInclude(Result.getOrThrow(result).ips?.[0], { address: "10.99.0.2/24" })
    }))

  it.effect("is listed in the order of files, without those that begin with a dot or cannot be read", () =>
    Effect.gen(function*() {
      const files = {
        "n-web-eth1": encoded({ ifname: "eth1" }),
        ".tmp": encoded({ ifname: "tmp" }),
        "n-web-eth0": encoded(),
        "n-web-eth2": { error: "PermissionDenied" },
        "n-web-eth3": "rubbish"
      } as const
      assert.deepStrictEqual((yield* listed(files)).map(({ ifname }) => ifname), ["eth0", "eth1"])
      assert.deepStrictEqual(yield* listed({}), [])
    }))

  const ports: ReadonlyArray<readonly [what: string, entry: unknown, port: string | undefined]> = [
    [
      "as containerd writes it",
      { hostPort: 8080, containerPort: 80, protocol: "udp", hostIP: "10.0.0.1" },
      "8080 80 udp 10.0.0.1"
    ],
    [
      "as Podman writes it",
      { HostPort: 8080, ContainerPort: 80, Protocol: "TCP", HostIP: "10.0.0.1" },
      "8080 80 tcp 10.0.0.1"
    ],
    ["without its protocol", { hostPort: 8080, containerPort: 80, protocol: "" }, "8080 80 tcp "],
    ["without its other end", { hostPort: 8080 }, "8080 0 tcp "],
    ["without its port of the host", { containerPort: 80 }, undefined],
    ["with the port 0 of the host", { hostPort: 0, containerPort: 80 }, undefined],
    ["that is no object", "8080:80", undefined]
  ]
  for (const [what, entry, port] of ports) {
    it.effect(`publishes ${port === undefined ? "no port" : "a port"} ${what}`, () =>
      Effect.gen(function*() {
        const { portMappings } = yield* first(encoded({ capabilityArgs: { portMappings: [entry] } }))
        assert.deepStrictEqual(
          portMappings.map(({ containerPort, hostIP, hostPort, protocol }) =>
            `${hostPort} ${containerPort} ${protocol} ${hostIP}`
          ),
          port === undefined ? [] : [port]
        )
      }))
  }

  it.effect("publishes no ports where they are no list", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* first(encoded({ capabilityArgs: { portMappings: {} } }))).portMappings, [])
    }))

  it("has interfaces without gaps", () => {
    const interfaces = [null, {}, { name: "eth0", mac: "02:00:00:00:00:01", sandbox: "/n", mtu: 1400 }, { mtu: null }]
    const empty = { name: "", mac: "", sandbox: "", mtu: undefined }
    assert.deepStrictEqual(Attachment.interfacesOf({ cniVersion: "1.0.0", interfaces } as never), [
      empty,
      empty,
      { name: "eth0", mac: "02:00:00:00:00:01", sandbox: "/n", mtu: 1400 },
      empty
    ])
    assert.deepStrictEqual(Attachment.interfacesOf({ cniVersion: "1.0.0" } as never), [])
  })
})
