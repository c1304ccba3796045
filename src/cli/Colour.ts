/** `--color`, which all commands have. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"

export const flag = GlobalFlag.Setting("color")({
  flag: Flag.Literals("color", ["auto", "always", "never"]).pipe(
    Flag.withDescription("When to use colour (default: auto)"),
    Flag.withDefault("auto" as const)
  )
})

/** The capabilities of the terminal, with colour as the flag asks for it. */
export const capabilities = Effect.gen(function*() {
  const terminal = yield* TerminalCapabilities.TerminalCapabilities
  const colour = yield* flag
  return colour === "auto" ? terminal : { ...terminal, canColor: colour === "always" }
})
