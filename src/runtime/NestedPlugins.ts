/**
 * Records the plugins that plugins start themselves, such as IPAM plugins. CNI_PATH begins with a temporary folder of
 * shims, so plugins find these first. Nothing is installed. The folder is removed at the end; that of a killed process
 * is removed when the next process creates its own.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { parentVariable } from "../cni/Environment.ts"
import * as Execution from "../exec/Execution.ts"
import * as PluginExec from "../exec/PluginExec.ts"
import * as TemporaryFolders from "../host/TemporaryFolders.ts"
import type { Kind } from "../network/StateKind.ts"
import * as JsonFormat from "../record/JsonFormat.ts"
import type { Record } from "../record/Record.ts"
import * as Stub from "../wrap/Stub.ts"

/** Access to the plugins that other plugins start. */
export interface NestedPlugins {
  /** Returns the variables that make a plugin start shims. `invocation` is the run of that plugin. */
  readonly variables: (invocation: string, cniPath: string) => { readonly [name: string]: string }
  /** Returns the records since the last call, for plugins that this run of a plugin started. */
  readonly records: (invocation: string) => Effect.Effect<ReadonlyArray<Record>, never, FileSystem.FileSystem>
}

/** The timeout of the trial run of a shim, in milliseconds. */
const timeout = 10_000

/** Lists the files in these folders. Skips names that begin with a dot, which include our own folder. */
const namesIn = Effect.fnUntraced(function*(folders: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const lists = yield* Effect.forEach(folders, (folder) => Effect.orElseSucceed(fs.readDirectory(folder), () => []))
  return new Set(lists.flat().filter((name) => !name.startsWith(".")))
})

const write = Effect.fnUntraced(function*(
  folder: string,
  executable: string,
  cniPath: ReadonlyArray<string>,
  changes: ReadonlyArray<Kind>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const places = Stub.places(folder)
  const log = path.join(places.own, "records.jsonl")
  yield* fs.makeDirectory(places.own)
  yield* fs.symlink(executable, places.executable)
  yield* fs.writeFileString(log, "", { mode: 0o600 })
  const fields = { logFile: log, logFormat: "json", onLogFailure: "ignore", changes }
  yield* fs.writeFileString(places.config, JSON.stringify(fields))
  for (const name of yield* namesIn(cniPath)) {
    yield* fs.writeFileString(path.join(folder, name), Stub.text(places), { mode: 0o755 })
  }
  return log
})

/** Whether a shim can be started. Temporary folders may be mounted `noexec`. */
const works = (file: string, cniPath: ReadonlyArray<string>) =>
  PluginExec.call({
    file,
    env: { ...process.env, CNI_COMMAND: "VERSION", CNI_PATH: cniPath.join(":") },
    stdin: JSON.stringify({ cniVersion: "1.0.0" }),
    timeout
  }).pipe(Effect.map(Execution.succeeded), Effect.orElseSucceed(() => false))

/**
 * Sets the parent of records that would otherwise have an unknown parent: a wrapped plugin in between has its records
 * in another log.
 */
const startedBy = (invocation: string, records: ReadonlyArray<Record>): ReadonlyArray<Record> => {
  const known = new Set(records.map((record) => record.invocation))
  return records.map((record) =>
    record.parent === undefined || known.has(record.parent) ? record : { ...record, parent: invocation }
  )
}

/**
 * Creates shims for the plugins of a CNI path. `executable` is the built plugin. `type` is a plugin of the chain for a
 * trial run. The shims compare these kinds of state. Returns undefined if shims cannot run here; then only the plugins
 * of the chain itself are recorded.
 */
export const make = Effect.fnUntraced(
  function*(executable: string, cniPath: ReadonlyArray<string>, type: string, changes: ReadonlyArray<Kind>) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* TemporaryFolders.make
    const log = yield* write(folder, executable, cniPath, changes)
    if (!(yield* works(path.join(folder, type), cniPath))) return undefined
    yield* fs.truncate(log)
    let read = 0
    return {
      variables: (invocation, cniPath) => ({
        [parentVariable]: invocation,
        ...(cniPath === "dummy" ? {} : { CNI_PATH: `${folder}:${cniPath}` })
      }),
      records: (invocation) =>
        Effect.map(Effect.orElseSucceed(fs.readFileString(log), () => ""), (text) => {
          const lines = text.split("\n").slice(read, -1)
          read += lines.length
          return startedBy(invocation, lines.flatMap((line) => JsonFormat.read(line) ?? []))
        })
    } satisfies NestedPlugins as NestedPlugins
  },
  Effect.orElseSucceed(() => undefined)
)
