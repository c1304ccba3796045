/** When there is colour, by the terminal and by `--color`. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Colour from "../../src/cli/Colour.ts"
import * as Style from "../../src/render/terminal/Style.ts"

const red = (colour: "auto" | "always" | "never", isTerminal: boolean, env: { readonly [name: string]: string } = {}) =>
  Effect.map(Style.current(), (style) => style.red("x") !== "x").pipe(
    Effect.provideServiceEffect(TerminalCapabilities.TerminalCapabilities, Colour.capabilities),
    Effect.provideService(Colour.flag, colour),
    Effect.provide(TerminalCapabilities.layer),
    Effect.provide(Stdio.layerTest({ stdoutIsTerminal: Effect.succeed(isTerminal) })),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )

describe("colour", () => {
  it.effect("is there on a terminal, unless NO_COLOR or --color=never say otherwise", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* red("auto", true))
      assert.isFalse(yield* red("auto", true, { NO_COLOR: "1" }))
      assert.isFalse(yield* red("never", true))
      assert.isFalse(yield* red("never", true, { FORCE_COLOR: "1" }))
    }))

  it.effect("is not there elsewhere, unless FORCE_COLOR or --color=always say otherwise", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* red("auto", false))
      assert.isTrue(yield* red("auto", false, { FORCE_COLOR: "1" }))
      assert.isTrue(yield* red("always", false))
      assert.isTrue(yield* red("always", false, { NO_COLOR: "1" }))
    }))
})
