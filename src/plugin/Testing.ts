/** Fakes of the services. A run with them touches no file, process or terminal. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { StdinUnreadable } from "../cni/CniError.ts"
import { type Environment, make } from "../cni/Environment.ts"
import type * as Execution from "../exec/Execution.ts"
import { NotStarted, ProcessRunner } from "../exec/ProcessRunner.ts"
import type * as Record from "../record/Record.ts"
import { LogSink } from "../sinks/LogSink.ts"
import { EnvReader } from "./EnvReader.ts"
import { HookRunner } from "./HookRunner.ts"
import { ResultWriter } from "./ResultWriter.ts"
import type { HookCommand } from "./Settings.ts"
import { StdinReader } from "./StdinReader.ts"
import { WrappedPlugin } from "./WrappedPlugin.ts"

/** Provides these environment variables. `ownNamespace` is the path that counts as the plugin's own namespace. */
export const envReader = (
  variables: Environment["variables"],
  options: { readonly arguments?: ReadonlyArray<string>; readonly ownNamespace?: string } = {}
): Layer.Layer<EnvReader> =>
  Layer.succeed(
    EnvReader,
    EnvReader.of({
      read: Effect.succeed(make(variables)),
      arguments: Effect.succeed(options.arguments ?? []),
      isOwnNamespace: (netns) => Effect.succeed(netns === options.ownNamespace)
    })
  )

/** Provides this stdin, or fails to read it. */
export const stdinReader = (stdin: string | Uint8Array | StdinUnreadable): Layer.Layer<StdinReader> =>
  Layer.succeed(
    StdinReader,
    StdinReader.of({
      read: stdin instanceof StdinUnreadable
        ? Effect.fail(stdin)
        : Effect.succeed(typeof stdin === "string" ? Buffer.from(stdin) : stdin)
    })
  )

/** Appends all records to an array. */
export const logSink = (records: Array<Record.Record>): Layer.Layer<LogSink> =>
  Layer.succeed(LogSink, LogSink.of({ write: (record) => Effect.sync(() => void records.push(record)) }))

/** Ends each hook as `report` says, or with exit status 0. */
export const hookRunner = (report: (hook: HookCommand) => Partial<Record.Hook> = () => ({})): Layer.Layer<HookRunner> =>
  Layer.succeed(
    HookRunner,
    HookRunner.of({
      run: (hook) =>
        Effect.sync(() => ({
          command: hook.command,
          netns: hook.netns,
          exitCode: 0,
          signal: null,
          timedOut: false,
          durationMs: 0,
          stdout: "",
          stderr: "",
          truncated: false,
          ...report(hook)
        }))
    })
  )

/** Appends the output for stdout and stderr to arrays. */
export const resultWriter = (
  output: { readonly stdout: Array<string>; readonly stderr: Array<string> }
): Layer.Layer<ResultWriter> =>
  Layer.succeed(
    ResultWriter,
    ResultWriter.of({
      write: (document) => Effect.sync(() => void output.stdout.push(document)),
      notice: (text) => Effect.sync(() => void output.stderr.push(text))
    })
  )

/** A host without any program. State cannot be compared either, because that needs tools. */
export const processRunner: Layer.Layer<ProcessRunner> = Layer.succeed(
  ProcessRunner,
  ProcessRunner.of({
    run: ({ argv: [program] }) =>
      Effect.fail(new NotStarted({ program, code: "ENOENT", reason: "no such file or directory", cause: undefined }))
  })
)

/**
 * A plugin named `demo` that ends as `execution` says. `kept` receives its environments and the exit status or signal
 * with which this process had to end.
 */
export const wrappedPlugin = (
  kept: { readonly started: Array<Execution.Invocation["env"]>; readonly ended: Array<unknown> },
  execution: Partial<Execution.Execution> = {},
  config?: string
): Layer.Layer<WrappedPlugin> =>
  Layer.succeed(
    WrappedPlugin,
    WrappedPlugin.of({
      name: "demo",
      config: Effect.succeed(config),
      find: () => Effect.succeed("/plugins/demo"),
      run: (file, env, stdin = new Uint8Array()) =>
        Effect.sync(() => {
          kept.started.push(env)
          return {
            argv: [file],
            stdin,
            stdout: new Uint8Array(),
            stderr: new Uint8Array(),
            truncated: false,
            exitCode: 0,
            signal: null,
            timedOut: false,
            durationMs: 1,
            ...execution
          }
        }),
      become: () => Effect.never,
      end: ({ exitCode, signal }) =>
        Effect.suspend(() => {
          kept.ended.push(signal ?? exitCode)
          return Effect.interrupt
        })
    })
  )
