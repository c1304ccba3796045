/** The folders of plugins that `wrap` and `unwrap` are about, and the plugins in them. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { reasonOf } from "../host/AtomicFile.ts"
import { Unreadable } from "../host/ConfFolder.ts"
import { pluginName } from "../host/PluginFolder.ts"
import * as Stub from "../host/Stub.ts"
import * as Flags from "./Flags.ts"

/** No folder of the CNI path is there. */
class NoFolders extends Data.TaggedError("NoFolders")<{ readonly folders: ReadonlyArray<string> }> {
  override readonly message = `there is no folder ${this.folders.join(", and no ")}: --dir names another one`
}

/** The flags and arguments that choose plugins. */
export const flags = {
  plugins: Argument.String("plugin").pipe(
    Argument.withDescription("Names of plugins (default: all of these folders)"),
    Argument.filter(
      (name) => name !== pluginName && !name.startsWith(".") && !name.includes("/"),
      (name) => `found ${JSON.stringify(name)}, expected the name of a plugin other than ${pluginName}`
    ),
    Argument.variadic()
  ),
  dir: Flags.folder("dir").pipe(
    Flag.withDescription("A folder of plugins; may be given several times (default: all folders of --cni-path)"),
    Flag.atLeast(0)
  ),
  cniPath: Flags.cniPath
}

/** What chooses plugins. */
export interface Chosen {
  readonly plugins: ReadonlyArray<string>
  readonly dir: ReadonlyArray<string>
  readonly cniPath: ReadonlyArray<string>
}

/** The names of plugins; undefined for all. */
export const names = ({ plugins }: Chosen): ReadonlyArray<string> | undefined =>
  plugins.length === 0 ? undefined : plugins

/** The folders, each once, by their real paths. Folders of the CNI path that are not there do not count. */
export const find = Effect.fnUntraced(function*({ cniPath, dir }: Chosen) {
  const fs = yield* FileSystem.FileSystem
  const found = new Set<string>()
  for (const folder of dir.length > 0 ? dir : cniPath) {
    const real = yield* fs.realPath(folder).pipe(
      Effect.catchIf((error) => dir.length === 0 && error.reason._tag === "NotFound", () => Effect.undefined),
      Effect.mapError((cause) => new Unreadable({ path: folder, reason: reasonOf(cause), cause }))
    )
    if (real !== undefined) found.add(real)
  }
  if (found.size === 0) return yield* new NoFolders({ folders: cniPath })
  return [...found].map(Stub.places)
})

/** The flags that choose the same folders again. */
export const again = ({ dir }: Chosen): string => dir.map((folder) => ` --dir ${folder}`).join("")
