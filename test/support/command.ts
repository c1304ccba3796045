/** Runs a command in this process, and keeps what it prints. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { PageAssets } from "../../src/cli/PageAssets.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as WrappedFolders from "../../src/wrap/WrappedFolders.ts"

/** What a command printed, and the status that its process would exit with. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

/** A page that does nothing: tests of the real one open it in a browser. */
const page = Layer.succeed(PageAssets, { script: "// the script", style: "/* the style */" })

/** What tests wrap is not registered on this host. */
const noRegister = Layer.succeed(WrappedFolders.Register, "/dev/null/wrapped")

/** The host as it is: files and programs. */
export const host = Layer.mergeAll(
  NodeServices.layer,
  Layer.succeed(ProcessRunner, nodeProcessRunner),
  page,
  noRegister
)

/** Runs a command with these arguments. */
export const printed = Effect.fnUntraced(
  function*<Name extends string, Input, E, R>(
    command: Command.Command<Name, Input, unknown, E, R>,
    ...args: ReadonlyArray<string>
  ) {
    const lines = { stdout: "", stderr: "" }
    const console: Console.Console = {
      ...globalThis.console,
      log: (line = "") => void (lines.stdout += `${line}\n`),
      error: (line = "") => void (lines.stderr += `${line}\n`)
    }
    const exit = yield* Effect.exit(Command.runWith(command, { version: "0" })(args)).pipe(
      Effect.provideService(Console.Console, console)
    )
    let status = 0
    Runtime.defaultTeardown(exit, (code) => {
      status = code
    })
    return { ...lines, status } satisfies Printed
  }
)
