/** `cni-passthrough unwrap`: puts wrapped plugins back into their places. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Escape from "../../record/Escape.ts"
import * as Unwrapping from "../../wrap/Unwrapping.ts"
import * as WrappedFolders from "../../wrap/WrappedFolders.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"
import * as NearPlugin from "../NearPlugin.ts"
import * as OnHost from "../OnHost.ts"
import * as PluginFolders from "../PluginFolders.ts"
import * as Progress from "../Progress.ts"
import * as Outcome from "./wrap/Outcome.ts"

/** Whether one of the folders has an entry of this name. */
const isIn = Effect.fnUntraced(function*(folders: ReadonlyArray<string>, name: string) {
  const fs = yield* FileSystem.FileSystem
  for (const folder of folders) if (yield* Effect.isSuccess(fs.stat(`${folder}/${name}`))) return true
  return false
})

/** `unwrap PLUGIN…` */
export const unwrap = HostFolders.command(
  "unwrap",
  {
    ...PluginFolders.flags,
    all: Flags.toggle("all", "Also those of all other folders that wrap has wrapped on this host")
  },
  Effect.fnUntraced(function*(flags) {
    const names = PluginFolders.names(flags)
    yield* OnHost.enter(flags)
    const folders = yield* PluginFolders.find(flags, flags.all ? yield* WrappedFolders.list : []).pipe(
      // Of all folders of this host, there may be none.
      Effect.catchIf((error) => flags.all && error._tag === "NoFolders", () => Effect.succeed([]))
    )
    const found = new Set<string>()
    let isComplete = true
    for (const at of folders) {
      const outcome = yield* Progress.during("calls of plugins to end", Unwrapping.unwrap(at, names))
      if (outcome === undefined) continue
      const { kept, refused, unwrapped, writtenOver } = outcome
      const touched = [...unwrapped, ...writtenOver, ...kept, ...refused.map(({ name }) => name)]
      for (const name of touched) found.add(name)
      if (touched.length > 0 || outcome.running.length > 0) yield* Outcome.unwrapped(at, outcome)
      isComplete = isComplete && refused.length === 0
    }
    const paths = folders.map(({ folder }) => folder)
    const where = Escape.inLine(paths.join(":"))
    const missing = names?.filter((name) => !found.has(name)) ?? []
    const unknown = yield* Effect.filter(missing, (name) => Effect.map(isIn(paths, name), (isThere) => !isThere))
    const notWrapped = missing.filter((name) => !unknown.includes(name))
    if (notWrapped.length > 0) yield* Console.log(`not wrapped in ${where}: ${Outcome.listed(notWrapped)}`)
    for (const name of unknown) yield* Console.error((yield* NearPlugin.notThere(name, paths)).message)
    if (names === undefined && found.size === 0) {
      yield* Console.log(where === "" ? "nothing is wrapped" : `nothing is wrapped in ${where}`)
    }
    if (!isComplete || unknown.length > 0) return yield* new Errors.Unsuccessful()
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Put wrapped plugins back into their places"),
  Command.withDescription(
    "Put wrapped plugins back into their places, each by one rename, even while a runtime calls them. A plugin that " +
      "another program has replaced since is left alone. A plugin whose stub was moved or removed stays in " +
      ".passthrough/plugins, because the stub may be in use elsewhere; give its name to restore it. Exit status: 0, " +
      "or 1 if a plugin stays wrapped or is in no folder, or 2 if unwrap could not start"
  ),
  Command.withExamples([
    { command: "cni-passthrough unwrap", description: "All plugins of the CNI path" },
    { command: "cni-passthrough unwrap --all", description: "All plugins of this host" },
    { command: "cni-passthrough unwrap bridge --dir /usr/lib/cni", description: "One plugin of a folder" }
  ])
)
