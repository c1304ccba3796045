/** What `watch` says that it cannot see. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import type { Event } from "../../src/watch/Event.ts"
import { MonitorEnded, ToolMonitor } from "../../src/watch/ToolMonitor.ts"
import * as Watch from "../../src/watch/Watch.ts"
import { nothing, runner, type Tools } from "../network/tools.ts"
import { named } from "../support/hostTools.ts"

let folder: string
beforeEach(() => {
  folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-watch-"))
})
afterEach(() => Fs.rmSync(folder, { recursive: true }))

/** The tools of which it cannot follow what they report, each with the reason. */
type Failing = { readonly [tool: string]: string }

/** A monitor that reports nothing, or ends at once. */
const monitor = (failing: Failing) =>
  ToolMonitor.of({
    follow: ({ argv: [tool], onListening }) =>
      Effect.suspend(() => {
        const reason = failing[tool]
        if (reason !== undefined) return new MonitorEnded({ tool, reason })
        onListening()
        return Effect.never
      })
  })

/** The first message of a watch on a host with these tools. */
const firstMessage = (tools: Tools, failing: Failing) =>
  Effect.gen(function*() {
    const question = { network: undefined, confDir: folder, cacheDir: folder, sources: { journal: false, logs: [] } }
    const { events } = yield* Watch.events({ ...question, isFull: false })
    const [first]: ReadonlyArray<Event> = yield* Stream.runCollect(Stream.take(events, 1))
    return first?.event === "note" ? first.message : first
  }).pipe(
    Effect.provideService(ToolMonitor, monitor(failing)),
    Effect.provideService(ProcessRunner, runner(tools, nothing)),
    Effect.provideService(HostTools.HostTools, named),
    Effect.provide(NodeServices.layer),
    Effect.scoped
  )

/** Whether a watch on a host with these tools sees nothing. */
const isBlind = (tools: Tools) =>
  Effect.gen(function*() {
    const question = { network: undefined, confDir: folder, cacheDir: folder, sources: { journal: false, logs: [] } }
    return (yield* Watch.events({ ...question, isFull: false })).isBlind()
  }).pipe(
    Effect.provideService(ToolMonitor, monitor({})),
    Effect.provideService(ProcessRunner, runner(tools, nothing)),
    Effect.provideService(HostTools.HostTools, named),
    Effect.provide(NodeServices.layer),
    Effect.scoped
  )

describe("watch is blind", () => {
  const denied = { status: 1, complaint: "Operation not permitted (you must be root)" }

  it.effect("to rules without the rights for them", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* isBlind({ ...nothing, nft: denied }))
    }))

  it.effect("to nothing where its tools answer", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* isBlind(nothing))
    }))
})

describe("watch says that it cannot name who changes rules", () => {
  const consequence = "who changes rules is not known, and rules are only looked at every few seconds"

  it.effect.each(["it is not on PATH", "Operation not permitted (you must be root)"])(
    "if nft says: %s",
    (reason) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* firstMessage(nothing, { nft: reason }), `nft: ${reason}: ${consequence}`)
      })
  )
})

it.effect("watch says that it polls links if ip cannot report them", () =>
  Effect.gen(function*() {
    assert.strictEqual(
      yield* firstMessage(nothing, { ip: "it is not on PATH" }),
      "ip: it is not on PATH: links, addresses and routes are only looked at every few seconds"
    )
  }))

it.effect("watch says what it cannot compare without the rights for it", () =>
  Effect.gen(function*() {
    const denied = { ...nothing, nft: { status: 1, complaint: "Operation not permitted (you must be root)" } }
    assert.strictEqual(
      yield* firstMessage(denied, {}),
      "nft: Operation not permitted (you must be root): nftables, iptables are not compared"
    )
  }))
