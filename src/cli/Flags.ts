/** Flags that several commands share. Each flag checks its own value. */
import type * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Param from "effect/cli/Param"
import * as Primitive from "effect/cli/Primitive"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Path from "effect/Path"
import { isVerb, verbs } from "../cni/Verb.ts"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as GoDuration from "../json/GoDuration.ts"
import { isKind, type Kind, kinds } from "../network/StateKind.ts"
import * as ResultCache from "../runtime/ResultCache.ts"

/** An optional flag with a text as its value. */
export const text = (name: string, description: string): Flag.Flag<Option.Option<string>> =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** A flag that is off unless it is given. */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** An operation of CNI, in any case. */
export const verb = (description: string): Flag.Flag<string> =>
  Flag.String("command").pipe(
    Flag.withDescription(description),
    Flag.withMetavar("operation"),
    Flag.map((value) => value.toUpperCase()),
    Flag.filter(isVerb, (value) => `found ${JSON.stringify(value)}, expected one of ${Object.keys(verbs).join(", ")}`)
  )

const anyDuration = (name: string, description: string): Flag.Flag<number> =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("duration"),
    Flag.filter(
      (value) => GoDuration.pattern.test(value),
      (value) => `found ${JSON.stringify(value)}, expected a duration such as 30s, 500ms or 1m30s`
    ),
    Flag.map(GoDuration.toMillis)
  )

/** A length of time as a Go duration, in milliseconds. `fallback` is a Go duration too. */
export const duration = (name: string, description: string, fallback: string): Flag.Flag<number> =>
  anyDuration(name, `${description} (default: ${fallback})`).pipe(Flag.withDefault(GoDuration.toMillis(fallback)))

/** An optional length of time, in milliseconds. */
export const optionalDuration = (name: string, description: string): Flag.Flag<Option.Option<number>> =>
  anyDuration(name, description).pipe(
    Flag.filter((length) => length > 0, () => "found no time at all, expected a duration such as 30m or 1h"),
    Flag.optional
  )

/** The kinds of network state whose changes by a plugin are shown. Without a value: all. */
export const changes: Flag.Flag<ReadonlyArray<Kind>> = Flag.String("changes").pipe(
  Flag.withDescription(
    `Also tell what each plugin changes on the host and in the container; --changes=KIND,… for some of ${
      kinds.join(", ")
    }`
  ),
  Flag.withMetavar("kinds"),
  Flag.withOptionalValue(kinds.join(",")),
  Flag.map((value) => value.split(",")),
  Flag.filter((list) => list.every(isKind), (list) => {
    const wrong = list.find((kind) => !isKind(kind))
    return `found ${JSON.stringify(wrong)}, expected some of ${kinds.join(", ")}, with commas`
  }),
  Flag.map((list) => kinds.filter((kind) => list.includes(kind))),
  Flag.withDefault<ReadonlyArray<Kind>>([])
)

/**
 * A value that shells complete as a path. Whether the file exists is left to the code that opens it, which can explain
 * an error. Effect's own kind checks first, and fails with the names of its calls.
 */
const completed = (
  kind: Primitive.PathType,
  parse: Primitive.Primitive<string>["parse"]
): Primitive.Primitive<string> =>
  Object.assign(Object.create(Object.getPrototypeOf(Primitive.String)), Primitive.Path(kind), { parse })

const absolute = (value: string) => Effect.map(Path.Path, (path) => path.resolve(value))

/** A flag whose value is a folder, as an absolute path. The folder need not exist. */
export const folder = (name: string): Flag.Flag<string> =>
  Param.makeSingle({
    kind: Param.flagKind,
    name,
    primitiveType: completed("directory", absolute),
    typeName: "folder"
  })

/** A flag whose value is a file, as an absolute path. The file need not exist. */
export const file = (name: string): Flag.Flag<string> =>
  Param.makeSingle({ kind: Param.flagKind, name, primitiveType: completed("file", absolute), typeName: "file" })

/** An argument that is a file, as an absolute path. */
export const fileArgument = (name: string): Argument.Argument<string> =>
  Param.makeSingle({ kind: Param.argumentKind, name, primitiveType: completed("file", absolute), typeName: "file" })

/** An argument that is a file, or another name: a network, a pattern. Its value stays as given. */
export const fileOrName = (name: string): Argument.Argument<string> =>
  Param.makeSingle({
    kind: Param.argumentKind,
    name,
    primitiveType: completed("either", Effect.succeed),
    typeName: "file"
  })

/** The folders of a path such as `/opt/cni/bin:/usr/lib/cni`. */
export const folders = (path: string): ReadonlyArray<string> => path.split(":").filter((folder) => folder !== "")

/** The default folders of plugins, in the form of CNI_PATH. */
export const defaultCniPath = "/opt/cni/bin:/usr/lib/cni"

/** The folders in which to look for plugins. */
export const cniPath: Flag.Flag<ReadonlyArray<string>> = Flag.String("cni-path").pipe(
  Flag.withDescription(`Folders of plugins, separated by colons (default: CNI_PATH, or ${defaultCniPath})`),
  Flag.withMetavar("folders"),
  Flag.withFallbackConfig(Config.String("CNI_PATH")),
  Flag.withDefault(defaultCniPath),
  Flag.map(folders),
  Flag.filter((list) => list.length > 0, () => "found no folder, expected at least one")
)

/** The folder of network configurations. */
export const confDir: Flag.Flag<string> = folder("conf-dir").pipe(
  Flag.withDescription(`Folder of network configurations (default: NETCONFPATH, or ${ConfFolder.defaultFolder})`),
  Flag.withFallbackConfig(Config.String("NETCONFPATH")),
  Flag.withDefault(ConfFolder.defaultFolder)
)

/** The folder where libcni keeps the results of attachments. */
export const cacheDir: Flag.Flag<string> = folder("cache-dir").pipe(
  Flag.withDescription(`Folder of libcni's results (default: ${ResultCache.defaultFolder})`),
  Flag.withDefault(ResultCache.defaultFolder)
)
