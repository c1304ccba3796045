/** What `wrap` and `unwrap` say of what they did to a folder. */
import { assert, describe, it } from "@effect/vitest"
import * as CliCommand from "effect/cli/Command"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Outcome from "../../src/cli/commands/wrap/Outcome.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import type * as Survey from "../../src/wrap/Survey.ts"
import type * as Unwrapping from "../../src/wrap/Unwrapping.ts"
import type * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"

const at = Stub.places("/bin")

/** What an effect prints, and what it returns. */
const printed = Effect.fnUntraced(function*<A>(
  effect: Effect.Effect<A, never, FileSystem.FileSystem>,
  { canColor = false, width = Number.POSITIVE_INFINITY } = {}
) {
  let result: A | undefined
  const command = CliCommand.make("say", {}, () => Effect.map(effect, (value) => void (result = value)))
  const { stderr, stdout } = yield* Command.printed(command).pipe(
    Effect.provide(Command.host),
    Effect.provideService(TerminalCapabilities.TerminalCapabilities, { canColor, canAnimate: false, canPrompt: false }),
    Effect.provideService(Style.CurrentScreen, { isTerminal: false, width, minutesEast: () => 0 })
  )
  return { result, stderr, stdout }
})

const passedOver = (...names: ReadonlyArray<string>): ReadonlyArray<Survey.PassedOver> =>
  names.map((name) =>
    ({ name, reason: name === "sub" ? "it is a folder" : "it is not executable" }) as Survey.PassedOver
  )

const wrapped = (outcome: Partial<Wrapping.Outcome>, names?: ReadonlyArray<string>) =>
  Outcome.wrapped(at, {
    wrapped: [],
    already: [],
    passedOver: [],
    refused: [],
    isConfigKept: false,
    ...outcome
  } as Wrapping.Outcome, names)

describe("what wrap did", () => {
  it.effect("is told by folder, one line for each kind of outcome, and the reasons in groups", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* printed(wrapped({ wrapped: ["a", "b"], already: ["c"], passedOver: passedOver("d", "sub", "e") })),
        {
          result: true,
          stdout: `/bin
  wrapped          a, b
  already wrapped  c
  passed over      d, e (it is not executable); sub (it is a folder)
`,
          stderr: ""
        }
      )
    }))

  it.effect("is the folder alone where nothing is to be told", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* printed(wrapped({})), { result: true, stdout: "/bin\n", stderr: "" })
    }))

  it("is complete once each plugin that was refused is wrapped", () => {
    const refusals = Outcome.makeRefusals()
    const take = (outcome: Partial<Wrapping.Outcome>, folder = at) =>
      refusals.take(folder, { wrapped: [], already: [], passedOver: [], refused: [], isConfigKept: false, ...outcome })
    assert.isTrue(refusals.isEmpty())
    take({ refused: [{ name: "a", reason: "no" }, { name: "b", reason: "no" }], wrapped: ["c"] })
    assert.isFalse(refusals.isEmpty())
    take({ wrapped: ["a", "b"] }, Stub.places("/other"))
    take({ wrapped: ["a"] })
    assert.isFalse(refusals.isEmpty())
    take({ already: ["b"] })
    assert.isTrue(refusals.isEmpty())
  })

  it.effect("names what was refused, and is not all that was asked for where one was passed over that was named", () =>
    Effect.gen(function*() {
      const refused = [{ name: "a", reason: "no" }]
      assert.deepStrictEqual(yield* printed(wrapped({ refused, wrapped: ["b"] })), {
        result: true,
        stdout: "/bin\n  wrapped  b\n",
        stderr: "not wrapped: /bin/a: no\n"
      })
      const named = (...names: ReadonlyArray<string>) => printed(wrapped({ passedOver: passedOver("d", "e") }, names))
      assert.deepStrictEqual(yield* named("d"), {
        result: false,
        stdout: "/bin\n  passed over  d (it is not executable)\n",
        stderr: ""
      })
      assert.deepStrictEqual(yield* named("x"), { result: true, stdout: "/bin\n", stderr: "" })
    }))

  it.effect("fits the screen, and has the colours of the terminal", () =>
    Effect.gen(function*() {
      const names = ["bridge", "host-local", "portmap", "tuning"]
      assert.strictEqual(
        (yield* printed(wrapped({ wrapped: names }), { width: 36 })).stdout,
        "/bin\n  wrapped  bridge, host-local,\n           portmap, tuning\n"
      )
      const coloured = yield* printed(wrapped({ refused: [{ name: "a", reason: "no" }] }), { canColor: true })
      assert.strictEqual(coloured.stdout, "\u001b[1m/bin\u001b[0m\n")
      assert.strictEqual(coloured.stderr, "\u001b[31mnot wrapped\u001b[0m: /bin/a: no\n")
    }))

  it.effect("has nothing in it that a terminal obeys", () =>
    Effect.gen(function*() {
      const hostile = "\u001b[2J"
      const { stderr, stdout } = yield* printed(
        wrapped({ wrapped: [hostile], refused: [{ name: hostile, reason: hostile }], passedOver: passedOver(hostile) })
      )
      assert.notInclude(stdout + stderr, "\u001b")
      assert.include(stderr, "/bin/\\u001b[2J: \\u001b[2J\n")
    }))
})

const unwrapped = (outcome: Partial<Unwrapping.Outcome>) =>
  Outcome.unwrapped(at, { unwrapped: [], writtenOver: [], kept: [], refused: [], running: [], ...outcome })

describe("what unwrap did", () => {
  it.effect("is told by folder, one line for each kind of outcome", () =>
    Effect.gen(function*() {
      const { stderr, stdout } = yield* printed(
        unwrapped({ unwrapped: ["a", "b"], writtenOver: ["c"], kept: ["d"], refused: [{ name: "e", reason: "no" }] })
      )
      assert.strictEqual(
        stdout,
        `/bin
  unwrapped   a, b
  left alone  c (written over since it was wrapped)
  kept        d in /bin/.passthrough/plugins (unwrap NAME restores a plugin whose stub is gone)
`
      )
      assert.strictEqual(stderr, "not unwrapped: /bin/e: no\n")
    }))

  it.effect("is the folder alone where nothing is to be told", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* printed(unwrapped({})), { result: undefined, stdout: "/bin\n", stderr: "" })
    }))

  it.effect("names the processes that still run around a plugin", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* printed(unwrapped({ running: [12, 34] }))).stderr,
        "/bin/.passthrough stays, as process 12, 34 still runs it: the next unwrap removes it\n"
      )
    }))

  it.effect("has bold folders on a terminal with colours", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* printed(unwrapped({}), { canColor: true })).stdout, "\u001b[1m/bin\u001b[0m\n")
    }))
})
