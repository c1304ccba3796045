/** How long several sinks may keep a run waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { LogSink } from "../../src/services/LogSink.ts"
import * as CombinedSink from "../../src/sinks/CombinedSink.ts"
import { make } from "../support/request.ts"

const hanging = LogSink.of({ name: "the sink", write: () => Effect.never })

const requestRecord = (request = make("ADD", {})) => ({ event: "request", sequence: 1, request, time: 0 }) as const

/** The error of a write, after so many milliseconds; undefined where it still waits. */
const errorAfter = Effect.fnUntraced(function*(write: Effect.Effect<unknown, Error>, milliseconds: number) {
  const fiber = yield* Effect.forkChild(Effect.flip(write))
  yield* TestClock.adjust(milliseconds)
  const exit = fiber.pollUnsafe()
  yield* Fiber.interrupt(fiber)
  return exit?._tag === "Success" ? exit.value.message : undefined
})

describe("a sink that hangs", () => {
  it.effect("fails by its name when the time is up, and not before", () =>
    Effect.gen(function*() {
      const sink = CombinedSink.make([hanging], 300)
      assert.isUndefined(yield* errorAfter(sink.write(requestRecord()), 299))
      assert.strictEqual(
        yield* errorAfter(CombinedSink.make([hanging], 300).write(requestRecord()), 300),
        "the sink: no answer in time: the records of a run may wait for 0.3 s altogether (\"logTimeout\")"
      )
    }))

  it.effect("has used up the time of all other records of its run, and not that of other runs", () =>
    Effect.gen(function*() {
      const sink = CombinedSink.make([hanging], 300)
      const request = make("ADD", {})
      assert.isDefined(yield* errorAfter(sink.write(requestRecord(request)), 300))
      assert.isDefined(yield* errorAfter(sink.write(requestRecord(request)), 0))
      assert.isUndefined(yield* errorAfter(sink.write(requestRecord()), 0))
    }))

  it.effect("may hang for ever where there is no limit", () =>
    Effect.gen(function*() {
      const sink = CombinedSink.make([hanging], 0)
      assert.isUndefined(yield* errorAfter(sink.write(requestRecord()), 1_000_000))
    }))
})
