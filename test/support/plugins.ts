/** Plugins that are not there: what each one answers is a function of what it is asked. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"

/** What a plugin does. Default: it ends at once, with exit status 0 and without a word. */
export interface Ended extends Partial<Omit<Execution, "stdout" | "stderr">> {
  readonly stdout?: string
  readonly stderr?: string
}

/** A request that a plugin got. */
export interface Asked {
  readonly type: string
  readonly command: string
  readonly env: Invocation["env"]
  readonly stdin: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly config: any
  readonly timeout: number
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** The error of a file that is not there. */
export const notFound = (path: string) =>
  PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "stat", pathOrDescriptor: path })

/** A host whose folder /plugins has these plugins, and the requests that they got. */
export const host = (plugins: { readonly [type: string]: (asked: Asked) => Ended | NotStarted }) => {
  const asked: Array<Asked> = []
  const typeOf = (file: string) => file.startsWith("/plugins/") ? file.slice("/plugins/".length) : ""
  const runner = ProcessRunner.of({
    run: ({ argv, env, stdin, timeout = 0 }) => {
      const type = typeOf(argv[0])
      if (type === "") {
        return Effect.fail(
          new NotStarted({ program: argv[0], reason: "no such tool", code: "ENOENT", cause: undefined })
        )
      }
      const request: Asked = {
        type,
        command: env["CNI_COMMAND"] ?? "",
        env,
        stdin: String(stdin),
        config: JSON.parse(String(stdin)),
        timeout
      }
      asked.push(request)
      const { stderr = "", stdout = "", ...ended } = plugins[type]?.(request) as Ended ?? {}
      if ("_tag" in ended) return Effect.fail(ended as never as NotStarted)
      return Effect.succeed({
        argv,
        stdin: stdin ?? "",
        exitCode: 0,
        signal: null,
        timedOut: false,
        truncated: false,
        durationMs: 5,
        ...ended,
        stdout: bytes(stdout),
        stderr: bytes(stderr)
      })
    }
  })
  const files = FileSystem.layerNoop({
    stat: (path) =>
      Object.hasOwn(plugins, typeOf(path))
        ? Effect.succeed({ type: "File", mode: 0o755, mtime: Option.none() } as never)
        : Effect.fail(notFound(path))
  })
  return { asked, layer: Layer.mergeAll(Layer.succeed(ProcessRunner, runner), files, Path.layer) }
}
