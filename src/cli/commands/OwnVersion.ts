/** `cni-passthrough version`, for users who expect a command. `run version` asks plugins. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { version as own } from "../../Version.ts"

/** `version` */
export const version = Command.make(
  "version",
  {},
  Effect.fnUntraced(function*() {
    const { present } = yield* CliOutput.Presenter
    yield* present({ _tag: "Version", name: "cni-passthrough", version: own })
  })
).pipe(
  Command.withDescription("Print the version of this command"),
  Command.withExamples([{ command: "cni-passthrough version", description: "The same as --version or -V" }])
)
