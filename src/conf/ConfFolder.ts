/** The folder of network configurations that runtimes read. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { identifier } from "../cni/Environment.ts"
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import { reasonOf } from "../host/AtomicFile.ts"
import * as SmallFile from "../host/SmallFile.ts"
import * as Json from "../json/Json.ts"
import * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"

/** The folder that runtimes read by default. */
export const defaultFolder = "/etc/cni/net.d"

/** A file cannot be read. */
export class Unreadable extends Data.TaggedError("Unreadable")<{
  readonly path: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `cannot read ${this.path}: ${this.reason}`
}

/** A file is not a network configuration. The message has one line for each mistake, with its place. */
export class InvalidFile extends Data.TaggedError("InvalidFile")<{ readonly lines: ReadonlyArray<string> }> {
  override readonly message = this.lines.join("\n")
}

/** No file of the folder has a network of this name. */
export class NetworkNotFound extends Data.TaggedError("NetworkNotFound")<{
  readonly network: string
  readonly folder: string
  readonly known: ReadonlyArray<string>
  /** See {@link unloaded}. */
  readonly unloaded: ReadonlyArray<string>
}> {
  override readonly message = `no network ${JSON.stringify(this.network)} in ${this.folder}: ${
    this.known.length === 0 ? "it has no networks" : `it has ${this.known.join(", ")}`
  }${this.unloaded.map((file) => `\n${notLoaded(file)}: ${loadingAdvice(file)}`).join("")}`
}

/** A network configuration and its file. */
export interface Loaded {
  readonly path: string
  readonly source: JsonSource.Source
  readonly list: NetworkConfigList.NetworkConfigList
}

/** Whether runtimes load a file of this name. */
export const isLoadedName = (name: string): boolean => /\.(?:conflist|conf|json)$/.test(name)

/** How to make runtimes load a file that they skip because of its name. */
export const loadingAdvice = (path: string): string => {
  const [, loaded] = /([^/]+\.(?:conflist|conf|json))(?:\W[^/]+|~)$/.exec(path) ?? []
  return loaded === undefined ? `write ${path} as JSON into a .conflist` : `rename ${path} to ${loaded}`
}

/** Says that runtimes skip a file because of its name. */
export const notLoaded = (path: string): string => `${path} has it, but runtimes load .conflist, .conf and .json alone`

/** One mistake on one line, with its place. */
export const explain = (path: string, text: string, { message, offset }: JsonSource.Problem): string => {
  const { column, line } = JsonSource.position(text, offset)
  return `${path}:${line}:${column}: ${message}`
}

/** The largest network configuration, in bytes. */
const longest = 16 * 1_048_576

/** Whether a path is a pipe from the command line, such as `<(jq …)`, which is sure to have a writer. */
const isPipeOfShell = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(path))
  return info._tag === "Some" && info.value.type === "FIFO" && /^\/(?:dev|proc)\//.test(path)
})

/** The text of a file. Refuses a file that has no end, or that could block. */
export const readText = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* isPipeOfShell(path)) {
    const unreadable = (cause: PlatformError) => new Unreadable({ path, reason: reasonOf(cause), cause })
    const bytes = yield* Effect.mapError(fs.readFile(path), unreadable)
    return Buffer.from(bytes).toString() // keeps a byte-order mark
  }
  return yield* Effect.mapError(
    SmallFile.textOf(path, longest),
    (cause) => new Unreadable({ path, reason: cause.reason, cause })
  )
})

/** The files of a folder with this ending, in the order of runtimes. A missing folder has none. */
const filesEnding = Effect.fnUntraced(function*(folder: string, ending: RegExp) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(folder).pipe(
    Effect.catchIf((error) => error.reason._tag === "NotFound", () => Effect.succeed([])),
    Effect.mapError((cause) => new Unreadable({ path: folder, reason: reasonOf(cause), cause }))
  )
  const paths = names.filter((name) => ending.test(name)).sort().map((name) => path.join(folder, name))
  return yield* Effect.filter(
    paths,
    (file) => Effect.match(fs.stat(file), { onSuccess: ({ type }) => type !== "Directory", onFailure: () => true })
  )
})

/** The files of a folder that runtimes load: lists, and then configurations of one plugin. */
export const files = Effect.fnUntraced(function*(folder: string) {
  return [...yield* filesEnding(folder, /\.conflist$/), ...yield* filesEnding(folder, /\.(?:conf|json)$/)]
})

/** Parses a file as JSON with positions. Fails with the position of a syntax error. */
const parseFile = Effect.fnUntraced(function*(path: string) {
  const text = yield* readText(path)
  const source = JsonSource.parse(text)
  return JsonSource.isSource(source)
    ? source
    : yield* new InvalidFile({ lines: [explain(path, text, source)] })
})

const invalid = (path: string, source: JsonSource.Source, problems: ReadonlyArray<NetworkConfigList.Problem>) =>
  new InvalidFile({
    lines: problems.map(({ message, path: at }) =>
      explain(path, source.text, {
        offset: JsonSource.nearest(source, at).start,
        message: at.length === 0 ? message : `${JsonText.pathText(at)}: ${message}`
      })
    )
  })

/**
 * The files of the plugins that runtimes add to a list: the `.conf` files of the folder beside it that has the network's
 * name. Source: libcni, `NetworkPluginConfsFromFiles`.
 */
export const filesBeside = Effect.fnUntraced(function*(file: string, document: unknown) {
  const path = yield* Path.Path
  if (!Json.isObject(document)) return []
  const { loadOnlyInlinedPlugins, name } = document
  const isOff = /^true$/i.test(String(loadOnlyInlinedPlugins))
  if (isOff || typeof name !== "string" || !identifier.test(name)) return []
  return yield* filesEnding(path.join(path.dirname(file), name), /\.conf$/)
})

/** The plugins that runtimes add to a list. */
const pluginsBeside = Effect.fnUntraced(function*(file: string, document: unknown) {
  const texts: Array<string> = []
  for (const plugin of yield* filesBeside(file, document)) {
    const source = yield* parseFile(plugin)
    const problems = NetworkConfigList.pluginProblems(source.value)
    if (problems.length > 0) return yield* invalid(plugin, source, problems)
    texts.push(source.text.trim())
  }
  return texts
})

/** Reads a JSON file and finds its problems. */
const read = Effect.fnUntraced(function*(path: string, formOf: (value: unknown) => NetworkConfigList.Form) {
  const source = yield* parseFile(path)
  const form = formOf(source.value)
  const fromFolder = form === "list" ? yield* pluginsBeside(path, source.value) : []
  const hasPluginsInFolder = fromFolder.length > 0
  const problems = NetworkConfigList.problems(source.value, { form, hasPluginsInFolder })
  return { path, source, form, fromFolder, problems }
})

type Read = Effect.Success<ReturnType<typeof read>>

/** The network of a file, or a failure with the file's problems. */
const checked = Effect.fnUntraced(function*({ form, fromFolder, path, problems, source }: Read) {
  if (problems.length > 0) return yield* invalid(path, source, problems)
  const list = NetworkConfigList.make(source.value, { form, text: source.text, fromFolder })
  return { path, source, list } satisfies Loaded
})

/** How many bytes to read of a file that may be of any kind. */
const longestUnloaded = 1_048_576

/**
 * The files of a folder that define a network of this name (any network if none is named), but that runtimes skip
 * because of their file names: `10-n.conflist.rpmsave`, `10-n.yaml`.
 */
export const unloaded = Effect.fnUntraced(function*(folder: string, network: string | undefined) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): Array<string> => [])
  const pattern = network === undefined
    ? /["']?(?:plugins|type)["']?\s*:/
    : new RegExp(
      `["']?name["']?\\s*:\\s*["']?${network.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}["']?\\s*(?:[,}#]|$)`,
      "m"
    )
  const files = names.filter((name) => !isLoadedName(name) && !name.startsWith(".")).toSorted().map((name) =>
    path.join(folder, name)
  )
  return yield* Effect.filter(
    files,
    (file) =>
      Effect.match(SmallFile.textOf(file, longestUnloaded), {
        onSuccess: (text) => pattern.test(text),
        onFailure: () => false
      })
  )
})

/** How runtimes interpret a file of a folder: by its name, not by its content. */
const formByName = (path: string): NetworkConfigList.Form => path.endsWith(".conflist") ? "list" : "plugin"

/** Reports a list in a file that runtimes do not read as a list. */
const misplaced = ({ form, source: { value } }: Read): ReadonlyArray<NetworkConfigList.Problem> =>
  form === "plugin" && Json.isObject(value) && value["type"] === undefined
    ? [{ path: [], message: "found no type, expected one plugin, as the file is not called .conflist" }]
    : []

/** Whether runtimes skip a file with this problem while they search for another network. */
const isMild = ({ path }: NetworkConfigList.Problem, { value }: JsonSource.Source): boolean => {
  const [key] = path
  if (!Json.isObject(value)) return false
  const hasNoChoice = value["cniVersions"] === undefined
  return (key === "name" || (key === "cniVersion" && hasNoChoice)) && typeof value[key] === "string"
}

/**
 * Loads a network by name as libcni does: lists first, and each kind of file in the order of names. An earlier file
 * that cannot be loaded ends the search. Source: libcni, `LoadNetworkConf`.
 */
const byName = Effect.fnUntraced(function*(network: string, folder: string) {
  const known: Array<string> = []
  for (const file of yield* files(folder)) {
    const outcome = yield* read(file, () => formByName(file))
    const { source } = outcome
    const name = Json.isObject(source.value) ? source.value["name"] : undefined
    const other = misplaced(outcome)
    const severe = other.length > 0 ? other : outcome.problems.filter((problem) => !isMild(problem, source))
    if (severe.length > 0) return yield* invalid(file, source, severe)
    if (name === network) return yield* checked(outcome)
    if (typeof name === "string") known.push(name)
  }
  return yield* new NetworkNotFound({ network, folder, known, unloaded: yield* unloaded(folder, network) })
})

/** Loads a configuration by its file, or by its name in a folder. Fails with all its problems. */
export const load = Effect.fnUntraced(function*(fileOrName: string, folder: string) {
  const isFile = fileOrName.includes("/") || isLoadedName(fileOrName)
  return isFile ? yield* checked(yield* read(fileOrName, NetworkConfigList.formOf)) : yield* byName(fileOrName, folder)
})

/**
 * The files of a folder and its subfolders that name a plugin of this type anywhere. This includes delegates, and files
 * with mistakes, which may yet be fixed.
 */
export const naming = Effect.fnUntraced(function*(folder: string, type: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder, { recursive: true }), () => [])
  const pattern = new RegExp(`"type"\\s*:\\s*${JSON.stringify(type)}`)
  const found: Array<string> = []
  for (const file of names.filter(isLoadedName).toSorted().map((name) => path.join(folder, name))) {
    const text = yield* Effect.orElseSucceed(readText(file), () => "")
    if (pattern.test(text)) found.push(file)
  }
  return found as ReadonlyArray<string>
})

/**
 * The types of all plugins that the files of a folder and its subfolders name, including delegates, JSON inside
 * strings, and files with mistakes.
 */
export const typesIn = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder, { recursive: true }), () => [])
  const found = new Set<string>()
  for (const name of names.filter(isLoadedName)) {
    const text = yield* Effect.orElseSucceed(readText(path.join(folder, name)), () => "")
    for (const type of text.match(/(?<="type\\*"\s*:\s*\\*")[^"\\/]+(?=\\*")/g) ?? []) found.add(type)
  }
  return [...found]
})
