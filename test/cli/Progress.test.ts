/** What is waited for, on a terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as Progress from "../../src/cli/Progress.ts"

/** What is on stderr of an effect that takes this long, in milliseconds. */
const shown = (milliseconds: number, { canAnimate = true, isTerminal = true } = {}) =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const stdio = Stdio.make({
      args: Effect.succeed([]),
      stdin: undefined as never,
      stdout: () => Sink.drain as never,
      stderr: () => Sink.forEach((text) => Effect.sync(() => void written.push(String(text)))),
      stderrIsTerminal: Effect.succeed(isTerminal)
    })
    const fiber = yield* Effect.forkChild(
      Progress.during("bridge", Effect.as(Effect.sleep(milliseconds), "done")).pipe(
        Effect.provideService(Stdio.Stdio, stdio),
        Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
          canColor: false,
          canAnimate,
          canPrompt: false
        })
      )
    )
    yield* TestClock.adjust(milliseconds)
    assert.strictEqual(yield* Fiber.join(fiber), "done")
    return written
  })

describe("what takes its time", () => {
  it.effect("is named after a second, and wiped away in the end", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(1500), ["waiting for bridge …", `\r${" ".repeat(20)}\r`])
    }))

  it.effect("is not named before", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(900), [])
    }))

  it.effect("is not named where stderr is not a terminal, or cannot move its cursor", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(1500, { isTerminal: false }), [])
      assert.deepStrictEqual(yield* shown(1500, { canAnimate: false }), [])
    }))
})
