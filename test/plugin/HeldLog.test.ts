/** Which runs around a plugin are logged, with a memory and a log that are arrays. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type * as Execution from "../../src/exec/Execution.ts"
import { NotStarted } from "../../src/exec/ProcessRunner.ts"
import { LastOutcomes } from "../../src/plugin/LastOutcomes.ts"
import * as Shim from "../../src/plugin/Shim.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import { WrappedPlugin } from "../../src/plugin/WrappedPlugin.ts"
import type * as Record from "../../src/record/Record.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { attachment } from "../support/plugin.ts"

interface Call {
  readonly command?: string
  readonly variables?: { readonly [name: string]: string }
  readonly stdin?: string
  readonly config?: object
  readonly execution?: Partial<Execution.Execution>
  readonly plugin?: Partial<WrappedPlugin["Service"]>
}

const text = (words: string) => Buffer.from(words)

const failing = { exitCode: 1, stdout: text(`{"cniVersion":"1.1.0","code":50,"msg":"not ready"}`) }

/** A host that remembers: calls of its one plugin, and the events that each of them logged. */
const makeHost = () => {
  const memory = new Map<string, string>()
  const outcomes = {
    isTold: (question: string, answer: string) => Effect.sync(() => memory.get(question) === answer),
    remember: (question: string, answer: string) => Effect.sync(() => void memory.set(question, answer)),
    forget: (question: string) => Effect.sync(() => void memory.delete(question))
  }
  let isFull = false
  const records: Array<Record.Record> = []
  const sink = Layer.succeed(
    LogSink,
    LogSink.of({
      write: (record) => isFull ? Effect.fail(new Error("full")) : Effect.sync(() => void records.push(record))
    })
  )
  const call = Effect.fnUntraced(function*(options: Call = {}) {
    const before = records.length
    const services = Layer.mergeAll(
      Testing.envReader({ ...attachment, CNI_COMMAND: options.command ?? "STATUS", ...options.variables }),
      Testing.stdinReader(options.stdin ?? `{"cniVersion":"1.1.0","name":"n","type":"demo"}`),
      sink,
      Testing.hookRunner(),
      Testing.resultWriter({ stdout: [], stderr: [] }),
      Testing.processRunner,
      Layer.succeed(LastOutcomes, outcomes),
      Layer.effect(
        WrappedPlugin,
        Effect.provide(
          Effect.map(WrappedPlugin, (demo) => WrappedPlugin.of({ ...demo, ...options.plugin })),
          Testing.wrappedPlugin(
            { started: [], ended: [] },
            options.execution,
            JSON.stringify({ logFile: "/log", ...options.config })
          )
        )
      )
    )
    yield* Effect.exit(Effect.provide(Shim.main, services))
    return records.slice(before).map(({ event }) => event)
  })
  return { call, records, setFull: (value: boolean) => isFull = value }
}

const whole = ["request", "plugin", "result"]

describe("a call around a plugin is not logged", () => {
  it.effect("if it is a STATUS that ends as the one before it", () =>
    Effect.gen(function*() {
      const { call } = makeHost()
      assert.deepStrictEqual(yield* call(), whole)
      for (let count = 0; count < 3; count++) assert.deepStrictEqual(yield* call(), [])
    }))

  it.effect("if it differs only in its trace, its parent and its duration", () =>
    Effect.gen(function*() {
      const { call } = makeHost()
      yield* call()
      const variables = {
        CNI_PASSTHROUGH_PARENT: "0123456789abcdef",
        TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        TRACESTATE: "a=1",
        BAGGAGE: "b=2"
      }
      assert.deepStrictEqual(yield* call({ variables, execution: { durationMs: 99 } }), [])
    }))

  it.effect("if it fails as the one before it", () =>
    Effect.gen(function*() {
      const { call } = makeHost()
      assert.deepStrictEqual(yield* call({ execution: failing }), ["request", "plugin", "error"])
      assert.deepStrictEqual(yield* call({ execution: failing }), [])
    }))

  it.effect("if its plugin is still missing", () =>
    Effect.gen(function*() {
      const { call } = makeHost()
      const plugin = { find: () => Effect.undefined }
      assert.deepStrictEqual(yield* call({ plugin }), ["request", "error"])
      assert.deepStrictEqual(yield* call({ plugin }), [])
      assert.deepStrictEqual(yield* call(), whole)
    }))
})

describe("a STATUS around a plugin is logged", () => {
  it.effect("when it begins to fail, and when it is well again", () =>
    Effect.gen(function*() {
      const { call } = makeHost()
      yield* call()
      assert.deepStrictEqual(yield* call({ execution: failing }), ["request", "plugin", "error"])
      assert.deepStrictEqual(yield* call(), whole)
    }))

  const others: { readonly [what: string]: Call } = {
    "stderr": { execution: { stderr: text("slow") } },
    "exit status": { execution: { exitCode: 3 } },
    "configuration": { stdin: `{"cniVersion":"1.1.0","name":"n","type":"demo","mtu":1400}` },
    "network": { stdin: `{"cniVersion":"1.1.0","name":"other","type":"demo"}` },
    "variable": { variables: { CNI_PATH: "/elsewhere" } },
    "log": { config: { logFile: "/other" } }
  }
  for (const [what, options] of Object.entries(others)) {
    it.effect(`if it has another ${what} than the one before it`, () =>
      Effect.gen(function*() {
        const { call } = makeHost()
        yield* call()
        assert.include(yield* call(options), "request")
      }))
  }

  const always: { readonly [what: string]: Call } = {
    "a hook runs after it": { config: { hookSTATUS: ["true"] } },
    "a log that cannot be written fails it": { config: { onLogFailure: "fail" } },
    "more was written than is kept": { execution: { truncated: true } },
    "it is no STATUS but a CHECK": { command: "CHECK" }
  }
  for (const [what, options] of Object.entries(always)) {
    it.effect(`each time, if ${what}`, () =>
      Effect.gen(function*() {
        const { call } = makeHost()
        assert.include(yield* call(options), "request")
        assert.include(yield* call(options), "request")
      }))
  }

  it.effect("again, if the one before it could not be logged", () =>
    Effect.gen(function*() {
      const { call, setFull } = makeHost()
      setFull(true)
      yield* call()
      setFull(false)
      assert.deepStrictEqual(yield* call(), whole)
    }))

  it.effect("with its request after a second, and so is the one after it", () =>
    Effect.gen(function*() {
      const { call, records } = makeHost()
      yield* call()
      const before = records.length
      const end = yield* Deferred.make<never, NotStarted>()
      const slow = yield* Effect.forkChild(call({ plugin: { run: () => Deferred.await(end) } }))
      yield* TestClock.adjust(999)
      assert.strictEqual(records.length, before)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(records.slice(before).map(({ event }) => event), ["request"])
      assert.deepStrictEqual(yield* call(), whole)
      yield* Deferred.fail(end, new NotStarted({ program: "demo", code: "EACCES", reason: "no", cause: undefined }))
      assert.include(yield* Fiber.join(slow), "error")
    }))

  it.effect("before its plugin takes our place", () =>
    Effect.gen(function*() {
      const { call, records } = makeHost()
      yield* call()
      const seen: Array<number> = []
      const error = (program: string) =>
        Effect.fail(new NotStarted({ program, code: "EAGAIN", reason: "no", cause: undefined }))
      const plugin = {
        run: error,
        become: (file: string) =>
          Effect.suspend(() => {
            seen.push(records.length)
            return error(file)
          })
      }
      yield* call({ plugin })
      assert.deepStrictEqual(seen, [4])
    }))
})

it.effect("a call of another operation changes nothing about what is remembered", () =>
  Effect.gen(function*() {
    const { call } = makeHost()
    yield* call()
    yield* call({ command: "ADD", execution: failing })
    assert.isNotEmpty(yield* call({ command: "VERSION", execution: failing }))
    assert.isNotEmpty(yield* call({ command: "VERSION", execution: failing }))
    assert.deepStrictEqual(yield* call(), [])
  }))

it.effect("a fiber that waits to release records does not outlive its run", () =>
  Effect.gen(function*() {
    const { call, records } = makeHost()
    yield* call()
    yield* Fiber.join(yield* Effect.forkChild(call()))
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(records.length, 3)
  }))
