/** What is waited for, on a terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as Progress from "../../src/cli/Progress.ts"
import type { Invocation } from "../../src/exec/Execution.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"

const bridge = Progress.during("bridge", Effect.sleep(1500))
const late = Effect.sleep(500).pipe(Effect.andThen(bridge), Effect.andThen(Effect.sleep(500)))

/** The line, without what was on it. */
const wiped = "\r\u001b[K"

/** What is on stderr of an effect. */
const shown = <R>(
  effect: Effect.Effect<unknown, never, R>,
  { canAnimate = true, isTerminal = true } = {}
) =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const stdio = Stdio.make({
      args: Effect.succeed([]),
      stdin: undefined as never,
      stdout: () => Sink.drain as never,
      stderr: (options) => {
        if (options?.endOnDone !== false) written.push("the end of stderr")
        return Sink.forEach((text) => Effect.sync(() => void written.push(String(text))))
      },
      stderrIsTerminal: Effect.succeed(isTerminal)
    })
    const fiber = yield* Effect.forkChild(
      effect.pipe(
        Effect.provideService(Stdio.Stdio, stdio),
        Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
          canColor: false,
          canAnimate,
          canPrompt: false
        })
      )
    )
    yield* TestClock.adjust(5000)
    yield* Fiber.join(fiber)
    return written
  })

describe("what takes its time", () => {
  it.effect("is named after a second, and wiped away in the end", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(bridge), [`${wiped}waiting for bridge …`, wiped])
    }))

  it.effect("is named in place of what waits for it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(Progress.during("the trial", late)), [
        `${wiped}waiting for the trial …`,
        `${wiped}waiting for bridge …`,
        `${wiped}waiting for the trial …`,
        wiped
      ])
    }))

  it.effect("is counted where it is many", () =>
    Effect.gen(function*() {
      const removing = Progress.each("removing", [1, 2, 3, 4], () => Effect.sleep(400))
      assert.deepStrictEqual(yield* shown(removing), [
        `${wiped}removing: 2 of 4 …`,
        `${wiped}removing: 3 of 4 …`,
        `${wiped}removing: 3 of 4 …`,
        wiped
      ])
    }))

  it.effect("is counted anew four times a second", () =>
    Effect.gen(function*() {
      const second = (length: number) =>
        Effect.map(shown(Progress.each("removing", [1, 2], () => Effect.sleep(length))), (lines) => lines[1])
      assert.strictEqual(yield* second(1250), `${wiped}removing: 1 of 2 …`)
      assert.strictEqual(yield* second(1251), `${wiped}removing: 0 of 2 …`)
    }))

  it.effect("is not named before", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(Progress.during("bridge", Effect.sleep(1000))), [])
      assert.deepStrictEqual(yield* shown(Progress.during("bridge", Effect.sleep(999))), [])
      assert.lengthOf(yield* shown(Progress.during("bridge", Effect.sleep(1001))), 2)
    }))

  it.effect("is not named where stderr is not a terminal, or cannot move its cursor", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(bridge, { isTerminal: false }), [])
      assert.deepStrictEqual(yield* shown(bridge, { canAnimate: false }), [])
    }))
})

describe("a program that takes its time", () => {
  const execution = {
    argv: ["/usr/sbin/ip"] as const,
    stdin: "",
    exitCode: 0,
    signal: null,
    timedOut: false,
    truncated: false,
    durationMs: 1500,
    stdout: new Uint8Array(),
    stderr: new Uint8Array()
  }
  const slow = Layer.succeed(
    ProcessRunner,
    ProcessRunner.of({ run: () => Effect.as(Effect.sleep(1500), execution) })
  )
  const ran = (more: Partial<Invocation> = {}) =>
    shown(
      Effect.gen(function*() {
        const runner = yield* ProcessRunner
        const invocation = { argv: ["/usr/sbin/ip", "link"] as const, env: {}, stdin: "", ...more }
        assert.strictEqual(yield* Effect.orDie(runner.run(invocation)), execution)
      }).pipe(Effect.provide(Layer.provide(Progress.layer, Layer.merge(slow, Path.layer))))
    )

  it.effect("is named by its file", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ran(), [`${wiped}waiting for ip …`, wiped])
    }))

  it.effect("is named as the documentation does where it is this command", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ran({ argv: [process.execPath, "cni-passthrough"] }), [
        `${wiped}waiting for cni-passthrough …`,
        wiped
      ])
    }))

  it.effect("is not named where its output is shown as it comes", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ran({ onStdout: () => {} }), [])
    }))
})
