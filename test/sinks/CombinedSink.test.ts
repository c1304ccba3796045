/** How long several sinks may keep a run waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
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

  it.effect("is not limited where it says that it never waits", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([{ ...hanging, neverWaits: true }], 300), 1_000_000))
    }))

  it.effect("has used up the time of all other records of its run, and not that of other runs", () =>
    Effect.gen(function*() {
      const run = CombinedSink.combine([hanging], 300)
      assert.isDefined(yield* errorAfter(run, 300))
      assert.isDefined(yield* errorAfter(run, 0))
      assert.isUndefined(yield* errorAfter(CombinedSink.combine([hanging], 300), 0))
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
})
