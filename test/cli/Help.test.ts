/** `help`: the help of a subcommand, where people look for it first. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"

const host = Layer.mergeAll(Progress.layer.pipe(Layer.provideMerge(Command.host)), Presenter.layer)

const called = (...args: ReadonlyArray<string>) => Effect.provide(Command.printed(command, ...args), host)

describe("cni-passthrough help", () => {
  const paths = [[], ["show"], ["run"], ["run", "version"]]
  for (const path of paths) {
    it.effect(`${path.join(" ")} prints what --help prints`.trim(), () =>
      Effect.gen(function*() {
        const printed = yield* called("help", ...path)
        assert.deepStrictEqual(printed, yield* called(...path, "--help"))
        assert.include(printed.stdout, `USAGE\n  ${["cni-passthrough", ...path].join(" ")} `)
      }))
  }

  const wrong: { readonly [args: string]: readonly [status: number, message: RegExp] } = {
    "run scan": [
      1,
      /^error: <operation>: found "scan", expected "add" \| "del" \| "check" \| "gc" \| "status" \| "version"\n$/
    ],
    "walk": [1, /^error: <subcommand>: found "walk", expected "run" \| "doctor" \| .* \| "schema"\n$/],
    "show add": [2, /^error: show has no add: it has no operations\n$/],
    "run add x": [1, /^error: unexpected "x": see cni-passthrough help --help\n$/]
  }
  for (const [args, [status, message]] of Object.entries(wrong)) {
    it.effect(`${args} says what there is`, () =>
      Effect.gen(function*() {
        const printed = yield* called("help", ...args.split(" "))
        assert.deepStrictEqual([printed.status, printed.stdout], [status, ""])
        assert.match(printed.stderr, message)
      }))
  }
})
