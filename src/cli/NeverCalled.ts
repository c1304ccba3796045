/** Explains a missing log of wrapped plugins: no runtime has called one yet. Names the runtimes that could. */
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { isPlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { type LogError, NoMatch, Unreadable } from "../log/LogError.ts"
import * as LogFiles from "../log/LogFiles.ts"
import * as Escape from "../record/Escape.ts"
import * as Discovery from "../runtime/Discovery.ts"
import * as Stub from "../wrap/Stub.ts"
import * as WrapConfig from "./commands/wrap/Config.ts"
import * as Flags from "./Flags.ts"

/** No wrapped plugin has written its log yet. */
export class NeverCalled extends Data.TaggedError("NeverCalled")<{
  readonly log: string
  readonly folders: ReadonlyArray<string>
  readonly runtimes: ReadonlyArray<string>
}> {
  override readonly message = Escape.inLines([
    `there is no ${this.log}: no plugin in ${this.folders.join(", ")} was called since it was wrapped`,
    ...(this.runtimes.length === 0 ? ["found no runtime that calls plugins: containerd, CRI-O, podman"] : this.runtimes)
  ].join("\n"))
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** Whether a sink writes this log, or a log that this pattern would match. */
const isLogOf = (log: string, sink: WrapConfig.Sink): boolean => {
  if (sink.type !== "file") return false
  return WrapConfig.patternOf(sink) === log || (/[*?[{]/.test(log) && folderOf(log) === folderOf(sink.path))
}

/** The real paths of the folders that exist, without duplicates. */
const realPaths = Effect.fnUntraced(function*(folders: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const real = yield* Effect.forEach(folders, (folder) => Effect.option(fs.realPath(folder)))
  return [...new Set(real.flatMap((path) => path._tag === "Some" ? [path.value] : []))]
})

/** Whether the plugins of a folder are wrapped and write this log. */
const logsTo = Effect.fnUntraced(function*(folder: string, log: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.option(fs.readFileString(Stub.places(folder).config))
  return text._tag === "Some" && WrapConfig.read(text.value).sinks.some((sink) => isLogOf(log, sink))
})

const sentence = Effect.fnUntraced(
  function*({ name, pluginFolders, source }: Discovery.Runtime, wrapped: ReadonlyArray<string>) {
    if (pluginFolders === undefined) return `${name} makes networks with netavark, which calls no plugin (${source})`
    const real = yield* realPaths(pluginFolders)
    const reached = real.filter((folder) => wrapped.includes(folder))
    if (reached.length > 0) {
      return `${name} calls plugins in ${reached.join(", ")} (${source}): start a container with it`
    }
    return `${name} calls plugins in ${pluginFolders.join(", ")}, which are not wrapped (${source})`
  }
)

/** The folders whose plugins are wrapped by default. */
const cniPath = Config.String("CNI_PATH").pipe(
  Config.withDefault(Flags.defaultCniPath),
  Config.map(Flags.folders)
)

/** The error that explains why a log is missing, if wrapped plugins of this host write it. */
export const explain = Effect.fnUntraced(function*(log: string, root = "/") {
  const runtimes = yield* Discovery.find(root)
  const folders = yield* realPaths([
    ...yield* Effect.orDie(cniPath),
    ...runtimes.flatMap(({ pluginFolders = [] }) => pluginFolders)
  ])
  const wrapped = yield* Effect.filter(folders, (folder) => logsTo(folder, log))
  if (wrapped.length === 0) return undefined
  return new NeverCalled({
    log,
    folders: wrapped,
    runtimes: yield* Effect.forEach(runtimes, (runtime) => sentence(runtime, wrapped))
  })
})

/**
 * Whether there is nothing to read yet. A log that cannot be checked does not count as missing: reading it explains
 * why.
 */
const isMissing = Effect.fnUntraced(function*(log: string) {
  if (log === "-") return false
  const fs = yield* FileSystem.FileSystem
  const files = yield* Effect.result(LogFiles.matching(log))
  if (Result.isFailure(files)) return false
  const there = yield* Effect.filter(files.success, (file) => Effect.orElseSucceed(fs.exists(file), () => true))
  return there.length === 0
})

/** Says what makes logs appear that a user follows and that do not exist yet. */
export const whyWaiting = Effect.fnUntraced(function*(logs: ReadonlyArray<string>, root = "/") {
  return yield* Effect.forEach(
    yield* Effect.filter(logs, isMissing),
    Effect.fnUntraced(function*(log) {
      const explanation = yield* explain(log, root)
      return explanation?.message ??
        `no wrapped plugin logs to ${log}: wrap plugins with cni-passthrough wrap, or put a tap into a network`
    })
  )
})

/** The log that an error reports as missing. */
const missing = (error: unknown): string | undefined => {
  if (error instanceof NoMatch) return error.pattern
  const isMissing = error instanceof Unreadable && isPlatformError(error.cause) &&
    error.cause.reason._tag === "NotFound"
  return isMissing ? error.name : undefined
}

/** Explains why a log is missing, if the reason can be found. */
export const explained = <A, E, R>(reading: Effect.Effect<A, LogError | E, R>) =>
  Effect.catch(
    reading,
    Effect.fnUntraced(function*(error) {
      const log = missing(error)
      const explanation = log === undefined ? undefined : yield* explain(log)
      return yield* Effect.fail(explanation ?? error)
    })
  )
