/** The folders that flags and variables leave out: those of the runtimes of this host, or else the usual ones. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as Discovery from "../runtime/Discovery.ts"
import * as Flags from "./Flags.ts"
import type * as OnHost from "./OnHost.ts"

/** The folders in which to look for plugins; none if neither the flag nor CNI_PATH is set. */
export const cniPath: Flag.Flag<Option.Option<ReadonlyArray<string>>> = Flag.String("cni-path").pipe(
  Flag.withDescription(
    `Folders of plugins, separated by colons (default: CNI_PATH, or those of the runtimes of this host, or ${Flags.defaultCniPath})`
  ),
  Flag.withMetavar("folders"),
  Flag.withFallbackConfig(Config.String("CNI_PATH")),
  Flag.map(Flags.folders),
  Flag.filter((list) => list.length > 0, () => "found no folder, expected at least one"),
  Flag.optional
)

/** The folder of network configurations; none if neither the flag nor NETCONFPATH is set. */
export const confDir: Flag.Flag<Option.Option<string>> = Flags.folder("conf-dir").pipe(
  Flag.withDescription(
    `Folder of network configurations (default: NETCONFPATH, or that of the runtime of this host, or ${ConfFolder.defaultFolder})`
  ),
  Flag.withFallbackConfig(Config.String("NETCONFPATH")),
  Flag.optional
)

/** The flags of a command line; folders may be left out. */
interface Given extends Partial<OnHost.Asked> {
  readonly cniPath?: Option.Option<ReadonlyArray<string>>
  readonly confDir?: Option.Option<string>
}

/** The same flags, with all folders filled in. */
export type Completed<A> =
  & Omit<A, "cniPath" | "confDir">
  & (A extends { readonly cniPath: unknown } ? { readonly cniPath: ReadonlyArray<string> } : unknown)
  & (A extends { readonly confDir: unknown } ? { readonly confDir: string } : unknown)
  & {
    /** The runtimes of this host; undefined if nothing was left out. */
    readonly runtimes?: ReadonlyArray<Discovery.Runtime> | undefined
  }

/** The runtimes of this host, or of the one with this root. */
const runtimesOf = ({ hostRoot = Option.none() }: Given) =>
  Option.isSome(hostRoot) ? Discovery.find(hostRoot.value) : Effect.flatten(Discovery.Runtimes)

const pluginFoldersOf = (runtimes: ReadonlyArray<Discovery.Runtime>): ReadonlyArray<string> => {
  const found = [...new Set(runtimes.flatMap(({ pluginFolders = [] }) => pluginFolders))]
  return found.length === 0 ? Flags.folders(Flags.defaultCniPath) : found
}

const confDirOf = (runtimes: ReadonlyArray<Discovery.Runtime>): string =>
  runtimes.find(({ pluginFolders }) => pluginFolders !== undefined)?.confDir ?? ConfFolder.defaultFolder

/** Fills in the folders that a command line leaves out. */
const complete = Effect.fnUntraced(function*<A extends Given>(given: A) {
  const { cniPath, confDir } = given
  const isComplete = (cniPath === undefined || Option.isSome(cniPath)) &&
    (confDir === undefined || Option.isSome(confDir))
  const runtimes = isComplete ? undefined : yield* runtimesOf(given)
  return {
    ...given,
    ...(cniPath === undefined ? {} : { cniPath: Option.getOrElse(cniPath, () => pluginFoldersOf(runtimes ?? [])) }),
    ...(confDir === undefined ? {} : { confDir: Option.getOrElse(confDir, () => confDirOf(runtimes ?? [])) }),
    runtimes
  } as unknown as Completed<A>
})

/** Makes a command that gets all folders, from the command line or from this host. */
export const command = <Name extends string, const Input extends Command.Command.Config, B, E, R>(
  name: Name,
  input: Input,
  run: (flags: Completed<Command.Command.Config.Infer<Input>>) => Effect.Effect<B, E, R>
) =>
  Command.make(
    name,
    input,
    (given) => Effect.flatMap(complete(given as Given & Command.Command.Config.Infer<Input>), run as never)
  ) as Command.Command<
    Name,
    Command.Command.Config.Infer<Input>,
    {},
    E,
    R | Effect.Services<ReturnType<typeof complete<Given>>>
  >
