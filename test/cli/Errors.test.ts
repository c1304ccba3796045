/** How the command ends where it could not do what it was asked for. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import * as Errors from "../../src/cli/Errors.ts"

/** The status that a process ends with where an effect fails so. */
const statusOf = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.exit(effect), (exit) => {
    let status = 0
    Runtime.defaultTeardown(exit, (code) => {
      status = code
    })
    return status
  })

/** An error of this tag. */
const tagged = (tag: string) => {
  class Tagged extends Data.TaggedError(tag) {
    override readonly message = "it is so"
  }
  return new Tagged()
}

describe("the exit status", () => {
  const statuses: { readonly [tag: string]: number } = {
    PluginFailed: 1,
    ResultNotKept: 1,
    RecordsLost: 1,
    NoVersions: 1,
    Unreadable: 2
  }
  for (const [tag, status] of Object.entries(statuses)) {
    it.effect(`of ${tag} is ${status}, and its message is told`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Errors.tell(Effect.fail(tagged(tag))))
        assert.instanceOf(error, Errors.Told)
        assert.strictEqual(error.message, "it is so")
        assert.strictEqual((error as Errors.Told)[CliError.userMessage], "it is so")
        assert.strictEqual((error.cause as { readonly _tag: string })._tag, tag)
        assert.strictEqual(yield* statusOf(Effect.fail(error)), status)
      }))
  }

  const silent: ReadonlyArray<readonly [error: Errors.Unsuccessful | Errors.Incomplete, status: number]> = [
    [new Errors.Unsuccessful(), 1],
    [new Errors.Incomplete(), 2]
  ]
  for (const [error, status] of silent) {
    it.effect(`of ${error._tag} is ${status}, without another word`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.flip(Errors.tell(Effect.fail(error))), error)
        assert.strictEqual(yield* statusOf(Errors.tell(Effect.fail(error))), status)
      }))
  }

  it.effect("is 2 where the command line cannot be understood", () =>
    Effect.gen(function*() {
      const wrong = new CliError.ShowHelp({
        commandPath: ["it"],
        errors: [new CliError.MissingArgument({ argument: "file" })]
      })
      assert.strictEqual(yield* statusOf(Errors.misused(Effect.fail(wrong))), 2)
    }))

  it.effect("is what it was where the help was asked for, or where something else failed", () =>
    Effect.gen(function*() {
      const help = new CliError.ShowHelp({ commandPath: ["it"], errors: [] })
      const user = new CliError.UserError({ cause: new Error("no") })
      for (const error of [help, user, tagged("Other"), { _tag: "ShowHelp", errors: [1] }]) {
        assert.strictEqual(yield* Effect.flip(Errors.misused(Effect.fail(error))), error)
      }
    }))
})

/** What an effect logs, on either stream. */
const logged = Effect.fnUntraced(function*(effect: Effect.Effect<unknown, unknown>) {
  using stdout = vi.spyOn(console, "log").mockImplementation(() => {})
  using stderr = vi.spyOn(console, "error").mockImplementation(() => {})
  yield* effect.pipe(Errors.reported, Effect.provideService(References.LogToStderr, true), Effect.exit)
  return { stdout: stdout.mock.calls.flat().join(" "), stderr: stderr.mock.calls.flat().join(" ") }
})

describe("a defect of ours", () => {
  it.live("is told on stderr, as scripts read stdout", () =>
    Effect.gen(function*() {
      const { stderr, stdout } = yield* logged(Effect.die(new Error("a defect")))
      assert.strictEqual(stdout, "")
      assert.include(stderr, "a defect")
    }))
})

describe("what is no defect of ours", () => {
  const cases: { readonly [name: string]: Effect.Effect<unknown, unknown> } = {
    "an error that people were told of": Effect.fail(new Errors.Told({ message: "no", status: 2 })),
    "an outcome that is bad": Effect.fail(new Errors.Unsuccessful()),
    "a look at a part alone": Effect.fail(new Errors.Incomplete()),
    "a command line that is wrong": Effect.fail(new Errors.Misused()),
    "an interruption": Effect.interrupt,
    "success": Effect.void
  }
  for (const [name, effect] of Object.entries(cases)) {
    it.live(`is not logged: ${name}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* logged(effect), { stdout: "", stderr: "" })
      }))
  }
})
