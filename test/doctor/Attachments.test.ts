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
import * as Namespace from "../../src/doctor/facts/Namespace.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { named } from "../support/hostTools.ts"
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
          run: ({ argv, stdin = "" }) =>
            Effect.sync(() => {
              const [, , , tool = ""] = argv
              calls.push(tool === "ip" ? String(stdin).trim() : tool)
              const lines = String(stdin).trim().split("\n").map((line) => JSON.stringify(answers[line] ?? []))
              return {
                argv,
                stdin,
                stdout: Buffer.from(tool === "ip" ? lines.join("\n") : "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
                stderr: new Uint8Array(),
                truncated: false,
                exitCode: 0,
                signal: null,
                timedOut: false,
                durationMs: 1
              }
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
      assert.deepStrictEqual(filter.map(({ family }) => family), [4, 6])
    }))

  it.effect("that is the one of the host is not asked for gateways, nor for rules, which the host has anyway", () =>
    Effect.gen(function*() {
      const { calls, filter, probes, sight } = yield* looked({ routes: [gateway("10.99.0.1")], ino: 1 })
      assert.deepInclude(sight, { _tag: "There", isHost: true })
      assert.deepStrictEqual([probes, filter], [[], []])
      assert.deepStrictEqual(calls, ["addr show\nroute show table all\nneigh show"])
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
