/** The services as fakes, which users of the library test with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { StdinUnreadable } from "../../src/cni/CniError.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { EnvReader } from "../../src/plugin/EnvReader.ts"
import { HookRunner } from "../../src/plugin/HookRunner.ts"
import { StdinReader } from "../../src/plugin/StdinReader.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import { WrappedPlugin } from "../../src/plugin/WrappedPlugin.ts"
import { make } from "../support/request.ts"

describe("the environment", () => {
  it.effect("is the given one, without arguments and in no network namespace of its own", () =>
    Effect.gen(function*() {
      const env = yield* EnvReader
      assert.deepInclude(yield* env.read, { command: "ADD" })
      assert.deepStrictEqual([yield* env.arguments, yield* env.isOwnNamespace("/a")], [[], false])
    }).pipe(Effect.provide(Testing.envReader({ CNI_COMMAND: "ADD" }))))

  it.effect("has the given arguments and network namespace", () =>
    Effect.gen(function*() {
      const env = yield* EnvReader
      const isOwn = [yield* env.isOwnNamespace("/a"), yield* env.isOwnNamespace("/b")]
      assert.deepStrictEqual([yield* env.arguments, isOwn], [["--help"], [true, false]])
    }).pipe(Effect.provide(Testing.envReader({}, { arguments: ["--help"], ownNamespace: "/a" }))))
})

describe("stdin", () => {
  const read = (stdin: Parameters<typeof Testing.stdinReader>[0]) =>
    Effect.provide(Effect.flatMap(StdinReader, ({ read }) => read), Testing.stdinReader(stdin))

  it.effect("is a text, bytes, or a failure to read it", () =>
    Effect.gen(function*() {
      assert.strictEqual(String(yield* read("text")), "text")
      assert.deepStrictEqual(yield* read(Uint8Array.of(255)), Uint8Array.of(255))
      const unreadable = new StdinUnreadable({ reason: "why" })
      assert.strictEqual(yield* Effect.flip(read(unreadable)), unreadable)
    }))
})

describe("a command of a hook", () => {
  const hook = { command: ["a", "b"], netns: "container", timeout: 1 } as const
  const success = {
    command: ["a", "b"],
    netns: "container",
    exitCode: 0,
    signal: null,
    timedOut: false,
    durationMs: 0,
    stdout: "",
    stderr: "",
    truncated: false
  }
  const run = Effect.flatMap(HookRunner, ({ run }) => run(hook, make("ADD", {})))

  it.effect("ends at once with exit status 0 and without output", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual<unknown>(yield* run, success)
    }).pipe(Effect.provide(Testing.hookRunner())))

  it.effect("ends as it is said", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual<unknown>(yield* run, { ...success, exitCode: 3, stdout: "a" })
    }).pipe(Effect.provide(Testing.hookRunner(({ command }) => ({ exitCode: 3, stdout: String(command[0]) })))))
})

describe("a program", () => {
  it.effect("is never there", () =>
    Effect.gen(function*() {
      const runner = yield* ProcessRunner
      const error = yield* Effect.flip(runner.run({ argv: ["ip", "link"], env: {} }))
      assert.strictEqual(error.message, "cannot start ip: ENOENT: no such file or directory")
    }).pipe(Effect.provide(Testing.processRunner)))
})

describe("a plugin", () => {
  const kept = () => ({ started: [] as Array<unknown>, ended: [] as Array<unknown> })
  const demo = (...args: Parameters<typeof Testing.wrappedPlugin>) =>
    Effect.provide(Effect.flatMap(WrappedPlugin, Effect.succeed), Testing.wrappedPlugin(...args))

  it.effect("named demo is there without a configuration, and ends at once with exit status 0 and without output", () =>
    Effect.gen(function*() {
      const outcome = kept()
      const { config, find, name, run } = yield* demo(outcome as never)
      assert.deepStrictEqual([name, yield* config, yield* find("/any")], ["demo", undefined, "/plugins/demo"])
      assert.deepStrictEqual<unknown>(yield* run("/plugins/demo", { A: "1" }, undefined), {
        argv: ["/plugins/demo"],
        stdin: new Uint8Array(),
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        truncated: false,
        exitCode: 0,
        signal: null,
        timedOut: false,
        durationMs: 1
      })
      assert.deepStrictEqual(outcome, { started: [{ A: "1" }], ended: [] })
    }))

  it.effect("ends as it is said, with the given configuration and stdin", () =>
    Effect.gen(function*() {
      const { config, run } = yield* demo(kept() as never, { exitCode: 3 }, "{}")
      assert.strictEqual(yield* config, "{}")
      assert.deepInclude(yield* run("/plugins/demo", {}, Uint8Array.of(1)), { exitCode: 3, stdin: Uint8Array.of(1) })
    }))

  it.effect("ends the run with its signal, or else with its exit status", () =>
    Effect.gen(function*() {
      const outcome = kept()
      const { end } = yield* demo(outcome as never)
      for (const signal of [null, "SIGKILL"]) {
        assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(end({ exitCode: 3, signal }))))
      }
      assert.deepStrictEqual(outcome.ended, [3, "SIGKILL"])
    }))
})
