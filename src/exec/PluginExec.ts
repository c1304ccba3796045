/** Finds and calls plugins as libcni does. Source: libcni, `pkg/invoke`. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { Execution } from "./Execution.ts"
import { ProcessRunner } from "./ProcessRunner.ts"

/** No folder of the CNI path has a file of this name. */
export class PluginNotFound extends Data.TaggedError("PluginNotFound")<{
  readonly type: string
  readonly folders: ReadonlyArray<string>
}> {
  override readonly message = `${this.type} is not in ${this.folders.join(":")}`
}

/** A plugin exists but could not be started. */
export class PluginNotStarted extends Data.TaggedError("PluginNotStarted")<{
  readonly file: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.file} cannot be started: ${this.reason}`
}

/** A call of a plugin. */
export interface Call {
  readonly file: string
  /** The whole environment. */
  readonly env: { readonly [name: string]: string | undefined }
  readonly stdin: string | Uint8Array
  /** The timeout in milliseconds. 0 means no limit. */
  readonly timeout: number
}

/** How many bytes of a plugin's stdout, and of its stderr, to keep. libcni keeps everything. */
const limit = 64 * 1_048_576

/**
 * Finds the file of a plugin: the first file with its name on the CNI path. As with libcni, a file that is not
 * executable is found too, and fails when it is called.
 */
export const find: (
  type: string,
  folders: ReadonlyArray<string>
) => Effect.Effect<string, PluginNotFound, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function*(type: string, folders: ReadonlyArray<string>) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    for (const folder of folders) {
      const file = path.join(folder, type)
      const info = yield* Effect.option(fs.stat(file))
      if (info._tag === "Some" && info.value.type === "File") return file
    }
    return yield* new PluginNotFound({ type, folders })
  }
)

/** Reads the first bytes of a file as Latin-1. Returns undefined if the file cannot be read. */
const startOf = (file: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const handle = yield* fs.open(file)
    const bytes = yield* handle.readAlloc(256)
    return Buffer.from(Option.getOrElse(bytes, () => new Uint8Array())).toString("latin1")
  }).pipe(Effect.scoped, Effect.orElseSucceed(() => undefined))

const isExecutable = (file: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    return ((yield* fs.stat(file)).mode & 0o111) !== 0
  }).pipe(Effect.orElseSucceed(() => true))

const hasFormat = (start: string): boolean => start.startsWith("#!") || start.startsWith("\u007fELF")

/**
 * Calls a plugin, and waits until it has ended and no process holds its stdout or stderr. The result has its output,
 * however it ended. Refuses a file that is neither a program nor a script with `#!`, as the kernel does. Node.js would
 * pass such a file to a shell.
 */
export const call: (
  call: Call
) => Effect.Effect<Execution, PluginNotStarted, ProcessRunner | FileSystem.FileSystem> = Effect.fnUntraced(
  function*({ env, file, stdin, timeout }: Call) {
    const runner = yield* ProcessRunner
    const start = yield* startOf(file)
    if (start !== undefined && !hasFormat(start) && (yield* isExecutable(file))) {
      return yield* new PluginNotStarted({ file, reason: "exec format error" })
    }
    return yield* Effect.mapError(
      runner.run({ argv: [file], env, stdin, timeout, stdio: "pipes", limit }),
      ({ cause, code, reason }) => {
        const interpreter = code === "ENOENT" ? /^#!\s*(\S+)/.exec(start ?? "")?.[1] : undefined
        return new PluginNotStarted({
          file,
          reason: interpreter === undefined ? reason : `its interpreter ${interpreter} is missing`,
          cause
        })
      }
    )
  }
)
