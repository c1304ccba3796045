/** How long several sinks may keep a run waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Environment from "../../src/cni/Environment.ts"
import type { Record } from "../../src/record/Record.ts"
import * as CombinedSink from "../../src/sinks/CombinedSink.ts"
import { LogSink, type Writer } from "../../src/sinks/LogSink.ts"
import { record } from "../support/request.ts"

const hanging = { name: "the sink", write: () => Effect.never }

/** The error of a write, after so many milliseconds; undefined where it still waits. */
const errorAfter = Effect.fnUntraced(function*(writer: Writer, milliseconds: number) {
  const fiber = yield* Effect.forkChild(Effect.flip(writer.write(record("ADD", {}))))
  yield* TestClock.adjust(milliseconds)
  const exit = fiber.pollUnsafe()
  yield* Fiber.interrupt(fiber)
  return exit?._tag === "Success" ? (exit.value as Error).message : undefined
})

describe("a sink that hangs", () => {
  it.effect("fails by its name when the time is up, and not before", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([hanging], 300), 299))
      assert.strictEqual(
        yield* errorAfter(CombinedSink.combine([hanging], 300), 300),
        "the sink: no answer in time: the records of a run may wait for 300ms in total (\"logTimeout\")"
      )
    }))

  it.effect("needs no name to be limited", () =>
    Effect.gen(function*() {
      const nameless = { write: () => Effect.never }
      assert.match((yield* errorAfter(CombinedSink.combine([nameless], 300), 300)) ?? "", /^a log sink: no answer/)
    }))

  it.effect("is not limited where it says that it never waits, alone or among others", () =>
    Effect.gen(function*() {
      const trusted = { ...hanging, neverWaits: true }
      const quick = { write: () => Effect.void }
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([trusted], 300), 1_000_000))
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([trusted, quick], 300), 1_000_000))
    }))

  it.effect("has used up the time of all other records of its run, and not that of other runs", () =>
    Effect.gen(function*() {
      const run = CombinedSink.combine([hanging], 300)
      assert.isDefined(yield* errorAfter(run, 300))
      assert.isDefined(yield* errorAfter(run, 0))
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([hanging], 300), 0))
    }))

  it.effect("has as much time for later records as the earlier ones left", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(1_000_000) // since 1970
      let pause = 100
      const slow = { write: () => Effect.suspend(() => Effect.sleep(pause)) }
      const run = CombinedSink.combine([slow], 300)
      const fiber = yield* Effect.forkChild(run.write(record("ADD", {})))
      yield* TestClock.adjust(100)
      yield* Fiber.join(fiber)
      pause = 1000
      assert.isUndefined(yield* errorAfter(run, 199))
      assert.isDefined(yield* errorAfter(run, 200))
    }))

  it.effect("uses up its own time, and not that of the sinks beside it", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const slow = {
        write: ({ event }: Record) => Effect.andThen(Effect.sleep(100), Effect.sync(() => written.push(event)))
      }
      const run = CombinedSink.combine([hanging, slow], 300)
      for (let left = 2; left > 0; left--) {
        const fiber = yield* Effect.forkChild(Effect.ignore(run.write(record("ADD", {}))))
        yield* TestClock.adjust(300)
        yield* Fiber.join(fiber)
      }
      assert.deepStrictEqual(written, ["request", "request"])
    }))

  it.effect("may hang for ever where there is no limit", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([hanging], 0), 1_000_000))
    }))
})

describe("several sinks", () => {
  const failing = (reason: unknown) => ({ write: () => Effect.fail(reason) })

  it.effect("fail with the messages of all that fail, whatever these fail with", () =>
    Effect.gen(function*() {
      const writer = CombinedSink.combine(
        [failing(new Error("full")), failing("gone"), { write: () => Effect.void }],
        0
      )
      assert.strictEqual(yield* errorAfter(writer, 0), "full; gone")
    }))

  it("never keep a run waiting together, and are left as they are where there is one that does not by itself", () => {
    const trusted = { ...hanging, neverWaits: true }
    assert.strictEqual(CombinedSink.combine([trusted], 300), trusted)
    for (const writers of [[hanging], [trusted, hanging], []]) {
      const writer = CombinedSink.combine(writers, 300)
      assert.notStrictEqual(writer, trusted)
      assert.isTrue(writer.neverWaits)
    }
  })

  it.effect("take each record where there are none", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* CombinedSink.combine([], 300).write(record("ADD", {})))
    }))

  it.effect("may be writers for all runs, and say as a layer that they never wait", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const writer = LogSink.of({ write: ({ event }) => Effect.sync(() => events.push(event)) })
      const layer = CombinedSink.layer(Layer.succeed(LogSink, writer), Layer.succeed(LogSink, writer))
      const sink = yield* Effect.provide(LogSink, layer)
      assert.isTrue(sink.neverWaits)
      const run = { environment: Environment.make({}), sinks: [], logTimeout: 300 }
      yield* (yield* CombinedSink.open([sink], run)).write(record("ADD", {}))
      assert.deepStrictEqual(events, ["request", "request"])
    }))
})

describe("a sink that is opened for a run", () => {
  const environment = Environment.make({})
  const run = { environment, sinks: [], logTimeout: 0 }

  it.effect("is released when the run has its answer", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const sink = LogSink.of({
        open: () =>
          Effect.acquireRelease(
            Effect.succeed({ write: () => Effect.sync(() => events.push("written")) }),
            () => Effect.sync(() => events.push("released"))
          )
      })
      yield* Effect.scoped(Effect.flatMap(CombinedSink.open([sink], run), (writer) => writer.write(record("ADD", {}))))
      assert.deepStrictEqual(events, ["written", "released"])
    }))

  it.effect("fails each record with its own words where it cannot be opened", () =>
    Effect.gen(function*() {
      const sink = LogSink.of({ open: () => Effect.fail(new Error("no broker")) })
      const writer = yield* Effect.scoped(CombinedSink.open([sink], run))
      assert.strictEqual(((yield* Effect.flip(writer.write(record("ADD", {})))) as Error).message, "no broker")
    }))

  it.effect("fails each record where it takes longer to open than the run may wait", () =>
    Effect.gen(function*() {
      const sink = LogSink.of({ open: () => Effect.never })
      const fiber = yield* Effect.forkChild(Effect.scoped(CombinedSink.open([sink], { ...run, logTimeout: 300 })))
      yield* TestClock.adjust(300)
      const writer = yield* Fiber.join(fiber)
      assert.match(((yield* Effect.flip(writer.write(record("ADD", {})))) as Error).message, /no answer in time/)
    }))

  it.effect("is opened beside the others, and takes no time from them", () =>
    Effect.gen(function*() {
      const sink = LogSink.of({ open: () => Effect.delay(Effect.succeed({ write: () => Effect.void }), 200) })
      const fiber = yield* Effect.forkChild(
        Effect.scoped(CombinedSink.open([sink, sink], { ...run, logTimeout: 300 }))
      )
      yield* TestClock.adjust(200)
      yield* (yield* Fiber.join(fiber)).write(record("ADD", {}))
    }))

  const unlimited = {
    "where it says that it never waits": [true, 300],
    "where there is no limit": [false, 0]
  } as const
  for (const [when, [neverWaits, logTimeout]] of Object.entries(unlimited)) {
    it.effect(`may take as long as it wants ${when}`, () =>
      Effect.gen(function*() {
        const sink = LogSink.of({ open: () => Effect.never, neverWaits })
        const fiber = yield* Effect.forkChild(Effect.scoped(CombinedSink.open([sink], { ...run, logTimeout })))
        yield* TestClock.adjust(1_000_000)
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }))
  }
})
