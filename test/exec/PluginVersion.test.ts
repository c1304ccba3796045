/** Which versions a plugin says that it speaks. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import * as PluginVersion from "../../src/exec/PluginVersion.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** What comes of asking a plugin that ends so. */
const asked = (
  ending: Partial<Omit<Execution, "stdout" | "stderr">> & { readonly stdout?: string; readonly stderr?: string }
) => {
  const invocations: Array<Invocation> = []
  const runner = ProcessRunner.of({
    run: (invocation) => {
      invocations.push(invocation)
      return Effect.succeed({
        argv: invocation.argv,
        stdin: "",
        exitCode: 0,
        signal: null,
        timedOut: false,
        truncated: false,
        durationMs: 1,
        ...ending,
        stdout: bytes(ending.stdout ?? ""),
        stderr: bytes(ending.stderr ?? "")
      })
    }
  })
  return PluginVersion.ask("/bin/x", "0.4.0").pipe(
    Effect.match({ onFailure: ({ message }) => message, onSuccess: (versions) => versions.join() }),
    Effect.map((outcome) => ({ outcome, invocations })),
    Effect.provide(Layer.merge(Layer.succeed(ProcessRunner, runner), FileSystem.layerNoop({})))
  )
}

describe("the versions of a plugin", () => {
  it.effect("are what it answers to VERSION", () =>
    Effect.gen(function*() {
      const { invocations, outcome } = yield* asked({
        stdout: `{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}`
      })
      assert.strictEqual(outcome, "0.3.1,0.4.0")
      assert.deepStrictEqual(invocations.map(({ argv, env, stdin }) => [argv, env["CNI_COMMAND"], stdin]), [
        [["/bin/x"], "VERSION", `{"cniVersion":"0.4.0"}`]
      ])
    }))

  it.effect("are 0.1.0 and 0.2.0 where it names 0.2.0 alone, and 0.1.0 where it does not know VERSION, as for runtimes", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* asked({ stdout: `{"cniVersion":"0.2.0"}` })).outcome, "0.1.0,0.2.0")
      const unknown = `{"cniVersion":"0.1.0","code":100,"msg":"unknown CNI_COMMAND: VERSION"}`
      assert.strictEqual((yield* asked({ stdout: unknown, exitCode: 1 })).outcome, "0.1.0")
    }))

  const silent: { readonly [name: string]: readonly [ending: Parameters<typeof asked>[0], reason: string] } = {
    "an exit status": [{ exitCode: 3 }, "exit status 3"],
    "an exit status with a reason": [
      { exitCode: 127, stderr: "first\nenv: node: not found\n" },
      "exit status 127: env: node: not found"
    ],
    "a signal": [{ exitCode: null, signal: "SIGSEGV" }, "killed by SIGSEGV"],
    "nothing in time": [{ exitCode: null, signal: "SIGKILL", timedOut: true }, "it did not end within 10 s"],
    "something that is not JSON": [{ stdout: "hello" }, "its answer has no list of versions"],
    "another document": [{ stdout: "{}" }, "its answer has no list of versions"]
  }
  for (const [name, [ending, reason]] of Object.entries(silent)) {
    it.effect(`are not known where the answer is ${name}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* asked(ending)).outcome, `/bin/x does not answer VERSION: ${reason}`)
      }))
  }

  it.effect("are asked for with a time of its own, which is told where it is up", () =>
    Effect.gen(function*() {
      const { invocations } = yield* asked({})
      assert.strictEqual(invocations[0]?.timeout, 10_000)
    }))

  it.effect("are not known where it fails with output on stdout alone, whose last line is told", () =>
    Effect.gen(function*() {
      const long = "x".repeat(300)
      const { outcome } = yield* asked({ exitCode: 2, stderr: " \n", stdout: `first\n${long}\n` })
      assert.strictEqual(outcome, `/bin/x does not answer VERSION: exit status 2: ${"x".repeat(200)}`)
    }))
})
