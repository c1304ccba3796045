/** A command in the foreground that is told to stop. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Signals from "../../src/cli/Signals.ts"

describe("a signal that tells a command to stop", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it.live(`${signal} reaches the command alone, and afterwards what listened before`, () =>
      Effect.gen(function*() {
        let heard = 0
        const listener = () => void heard++
        process.on(signal, listener)
        const stopped = yield* Effect.scoped(Effect.gen(function*() {
          const stop = yield* Signals.stop
          process.emit(signal)
          return yield* stop
        }))
        assert.deepStrictEqual([stopped, heard], [signal, 0])
        process.emit(signal)
        process.removeListener(signal, listener)
        assert.strictEqual(heard, 1)
      }))
  }
})
