/** The folders of plugins that `wrap` and `unwrap` work on, and the plugins in them. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { Unreadable } from "../conf/ConfFolder.ts"
import { reasonOf } from "../host/AtomicFile.ts"
import { pluginName } from "../wrap/PluginInstallation.ts"
import * as Stub from "../wrap/Stub.ts"
import * as Flags from "./Flags.ts"
import * as HostFolders from "./HostFolders.ts"
import * as OnHost from "./OnHost.ts"

/** No folder of the CNI path exists. */
class NoFolders extends Data.TaggedError("NoFolders")<{ readonly folders: ReadonlyArray<string> }> {
  override readonly message = `there is no folder ${this.folders.join(", and no ")}: --dir names another one`
}

const isPluginName = (name: string): boolean => name !== pluginName && !name.startsWith(".") && !name.includes("/")

const unexpected = (name: string): string =>
  `found ${JSON.stringify(name)}, expected the name of a plugin other than ${pluginName}`

/** The flags and arguments that choose plugins. */
export const flags = {
  plugins: Argument.String("plugin").pipe(
    Argument.withDescription("Names of plugins (default: all plugins of these folders)"),
    Argument.filter(isPluginName, unexpected),
    Argument.variadic()
  ),
  named: Flag.String("plugins").pipe(
    Flag.withDescription("The same as a list with commas, for where arguments are inconvenient: bridge,host-local"),
    Flag.withMetavar("names"),
    Flag.map((list) => list.split(",").filter((name) => name !== "")),
    Flag.filter((names) => names.length > 0 && names.every(isPluginName), (names) => unexpected(names.join())),
    Flag.withDefault<ReadonlyArray<string>>([])
  ),
  dir: Flags.folder("dir").pipe(
    Flag.withDescription("A folder of plugins; may be given several times (default: all folders of --cni-path)"),
    Flag.atLeast(0)
  ),
  cniPath: HostFolders.cniPath,
  hostRoot: OnHost.flag
}

/** The values of {@link flags}. */
export interface Chosen extends OnHost.Asked {
  readonly plugins: ReadonlyArray<string>
  readonly named: ReadonlyArray<string>
  readonly dir: ReadonlyArray<string>
  readonly cniPath: ReadonlyArray<string>
}

/** The names of plugins; undefined for all. */
export const names = ({ named, plugins }: Chosen): ReadonlyArray<string> | undefined =>
  plugins.length + named.length === 0 ? undefined : [...plugins, ...named]

/**
 * The folders by their real paths, without duplicates. Missing folders of the CNI path do not count. `others` are
 * further folders, if none is named.
 */
export const find = Effect.fnUntraced(
  function*({ cniPath, dir, hostRoot }: Chosen, others: ReadonlyArray<string> = []) {
    const fs = yield* FileSystem.FileSystem
    const found = new Set<string>(dir.length > 0 ? [] : others)
    for (const folder of (dir.length > 0 ? dir : cniPath).map((path) => OnHost.seen({ hostRoot }, path))) {
      const real = yield* fs.realPath(folder).pipe(
        Effect.catchIf((error) => dir.length === 0 && error.reason._tag === "NotFound", () => Effect.undefined),
        Effect.mapError((cause) => new Unreadable({ path: folder, reason: reasonOf(cause), cause }))
      )
      if (real !== undefined) found.add(real)
    }
    if (found.size === 0) return yield* new NoFolders({ folders: cniPath })
    return [...found].map(Stub.places)
  }
)

/** The flags that choose the same folders again. */
export const again = ({ dir }: Chosen): string => dir.map((folder) => ` --dir ${folder}`).join("")
