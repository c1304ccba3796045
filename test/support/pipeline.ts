/** Runs the pipeline on fakes alone. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Passthrough from "../../src/plugin/Passthrough.ts"
import type { HookCommand } from "../../src/plugin/Settings.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import type * as Record from "../../src/record/Record.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { attachment } from "./plugin.ts"

export interface Outcome {
  readonly succeeded: boolean
  readonly stdout: ReadonlyArray<string>
  readonly stderr: ReadonlyArray<string>
  readonly records: ReadonlyArray<Record.Record>
  readonly commands: ReadonlyArray<HookCommand["command"]>
}

export interface Scenario {
  readonly command: string
  readonly config?: object | string | Uint8Array
  readonly variables?: { readonly [name: string]: string }
  readonly arguments?: ReadonlyArray<string>
  readonly ownNamespace?: string
  readonly hook?: (hook: HookCommand) => Partial<Record.Hook>
  /** What the sink does with a record, instead of keeping it. */
  readonly write?: (record: Record.Record) => Effect.Effect<void, Error>
}

/** The document of a scenario. */
export const stdin = ({ config = {} }: Scenario): string | Uint8Array =>
  typeof config === "string" || config instanceof Uint8Array
    ? config
    : JSON.stringify({ cniVersion: "1.1.0", name: "net", type: "passthrough", ...config })

/** The outcome of a scenario. */
export const run = Effect.fnUntraced(function*(scenario: Scenario) {
  const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
  const records: Array<Record.Record> = []
  const commands: Array<HookCommand["command"]> = []
  const exit = yield* Effect.exit(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
    Testing.envReader({ ...attachment, CNI_COMMAND: scenario.command, ...scenario.variables }, {
      arguments: scenario.arguments ?? [],
      ownNamespace: scenario.ownNamespace ?? "none"
    }),
    Testing.stdinReader(stdin(scenario)),
    Testing.hookRunner((hook) => {
      commands.push(hook.command)
      return scenario.hook?.(hook) ?? {}
    }),
    Testing.resultWriter(output),
    scenario.write === undefined
      ? Testing.logSink(records)
      : Layer.succeed(LogSink, LogSink.of({ write: scenario.write }))
  ))))
  return { succeeded: Exit.isSuccess(exit), ...output, records, commands } satisfies Outcome
})

interface ErrorDocument {
  readonly cniVersion: string
  readonly code: number
  readonly msg: string
  readonly details?: string
}

/** The error document that a failed run wrote: the only thing on stdout. */
export const failure = ({ stdout, succeeded }: Outcome): ErrorDocument => {
  if (succeeded || stdout.length !== 1) throw new Error(`expected one error document, found ${JSON.stringify(stdout)}`)
  return JSON.parse(stdout[0] ?? "")
}
