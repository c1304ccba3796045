/** A network configuration file, as far as it can be read, and its plugins with their positions. */
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import { isObject, type JsonObject, parse as parseJson } from "../json/Json.ts"
import * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"
import type { Path } from "../json/JsonText.ts"
import * as JsonDiff from "../operations/JsonDiff.ts"
import * as Secrets from "../record/Secrets.ts"
import type { Found, Place } from "./Finding.ts"

/** A file and its parsed text. */
export interface ConfigFile {
  readonly path: string
  readonly text: string
  readonly outcome: JsonSource.Source | JsonSource.Problem
  /** Files of single plugins that runtimes add to the list. */
  readonly beside: ReadonlyArray<ConfigFile>
  /** Whether this is not a file, but the configuration that libcni keeps with a result. */
  readonly isCached?: boolean
}

/** A plugin of a network, which may be an IPAM plugin, and its position. */
export interface Placed {
  readonly type: string
  readonly config: JsonObject
  readonly file: ConfigFile
  readonly at: Path
  /** The plugin that calls it; undefined if the runtime calls it. */
  readonly caller: Placed | undefined
}

/** The most plugins of a list to look at. Real lists have a few. */
export const mostPlugins = 500

export const make = (path: string, text: string, beside: ReadonlyArray<ConfigFile> = []): ConfigFile => ({
  path,
  text,
  outcome: JsonSource.parse(text),
  beside
})

/** The configuration that libcni keeps in a file of its cache. */
export const cached = (cacheFile: string, text: string): ConfigFile => ({
  ...make(`${cacheFile}#config`, text),
  isCached: true
})

/** The most mistakes to look for in a text. */
const most = 100

/**
 * Each problem that keeps a file from being JSON, as far as they can be found, and the file without them if anything
 * usable is left.
 */
export const mend = (
  file: ConfigFile
): { readonly problems: ReadonlyArray<JsonSource.Problem>; readonly mended: ConfigFile } => {
  const problems: Array<JsonSource.Problem> = []
  let mended = file
  while (!JsonSource.isSource(mended.outcome) && problems.length < most) {
    problems.push(mended.outcome)
    const text = JsonSource.blanked(mended.text, mended.outcome.offset)
    if (text === undefined) break
    mended = make(file.path, text, file.beside)
  }
  return { problems, mended: { ...mended, beside: file.beside.map((each) => mend(each).mended) } }
}

/** The document of a file; undefined if it is not JSON. */
export const valueOf = ({ outcome }: ConfigFile): unknown => JsonSource.isSource(outcome) ? outcome.value : undefined

/** The name of the network; undefined if the file has none. */
export const nameOf = (file: ConfigFile): string | undefined => {
  const value = valueOf(file)
  return isObject(value) && typeof value["name"] === "string" ? value["name"] : undefined
}

/** The network as runtimes read it; undefined if the file is not JSON, or has far too many plugins. */
export const listOf = (file: ConfigFile): NetworkConfigList.NetworkConfigList | undefined => {
  const value = valueOf(file)
  if (!isObject(value)) return undefined
  if (Array.isArray(value["plugins"]) && value["plugins"].length > mostPlugins) return undefined
  const fromFolder = file.beside.filter(({ outcome }) => JsonSource.isSource(outcome)).map(({ text }) => text.trim())
  return NetworkConfigList.make(value, { text: file.text, fromFolder })
}

const placed = (file: ConfigFile, at: Path, config: JsonObject, caller?: Placed): ReadonlyArray<Placed> => {
  const { ipam, type } = config
  const plugin: Placed = { type: typeof type === "string" ? type : "", config, file, at, caller }
  if (!isObject(ipam) || typeof ipam["type"] !== "string" || ipam["type"] === "") return [plugin]
  return [plugin, { type: ipam["type"], config: ipam, file, at: [...at, "ipam"], caller: plugin }]
}

/**
 * The configurations of the plugins that a plugin of a chain delegates to, other than its IPAM plugin, with their
 * positions.
 */
const delegated = (plugin: Placed): ReadonlyArray<Placed> => {
  const { at, config, file, type } = plugin
  if (type === "flannel") {
    // flannel adds its own `ipam` to the delegate. Source: flannel-io/cni-plugin, `doCmdAdd`.
    const { delegate } = config
    return isObject(delegate)
      ? [{
        type: String(delegate["type"] ?? "bridge"),
        config: delegate,
        file,
        at: [...at, "delegate"],
        caller: plugin
      }]
      : []
  }
  const { delegates } = config
  if (type !== "multus" || !Array.isArray(delegates)) return []
  return delegates.slice(0, mostPlugins).flatMap((delegate, index) => {
    const { plugins = [delegate] } = isObject(delegate) ? delegate : {}
    const isList = isObject(delegate) && delegate["plugins"] !== undefined
    return (Array.isArray(plugins) ? plugins.slice(0, mostPlugins) : []).flatMap((each, inner) =>
      isObject(each)
        ? placed(file, [...at, "delegates", index, ...(isList ? ["plugins", inner] : [])], each, plugin)
        : []
    )
  })
}

/** The delegates that a file configures: flannel's `delegate` and the `delegates` of Multus. */
export const delegatesOf = (file: ConfigFile): ReadonlyArray<Placed> => pluginsOf(file).flatMap(delegated)

/** The plugins of a file, each IPAM plugin after the one that calls it. */
export const pluginsOf = (file: ConfigFile): ReadonlyArray<Placed> => {
  const value = valueOf(file)
  if (!isObject(value)) return []
  const { plugins } = value
  const own = Array.isArray(plugins)
    ? plugins.slice(0, mostPlugins).flatMap((plugin, index) =>
      isObject(plugin) ? placed(file, ["plugins", index], plugin) : []
    )
    : typeof value["type"] === "string"
    ? placed(file, [], value)
    : []
  return [...own, ...file.beside.flatMap(pluginsOf)]
}

/** The plugins of a list, or of a file for one plugin, which libcni caches as a list. */
const configsOf = (value: unknown): ReadonlyArray<unknown> =>
  !isObject(value) ? [] : Array.isArray(value["plugins"]) ? value["plugins"] : [value]

/** How the plugins of an earlier configuration differ from those of a file, as JSON text without secrets. */
export const changesSince = (file: ConfigFile, earlier: string): ReadonlyArray<string> => {
  const masked = (value: unknown): unknown => parseJson(Secrets.inJson(JSON.stringify({ plugins: configsOf(value) })))
  const changes = JsonDiff.between(masked(parseJson(earlier)), masked(valueOf(file)))
  return changes.length === 0 ? ["changed a secret"] : changes.map(({ kind, what }) => `${kind} ${what}`)
}

/** Whether a configuration has the plugins of a file. An unreadable one counts as having them. */
export const hasPlugins = (file: ConfigFile, config: string): boolean => {
  const value = parseJson(config)
  return !isObject(value) || JsonDiff.between(configsOf(value), configsOf(valueOf(file))).length === 0
}

/** The value at a path of a configuration; undefined if there is none. */
export const valueAt = (config: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as { readonly [key: string]: unknown } | undefined)?.[key], config)

/** The place of an offset. */
export const placeAt = (file: ConfigFile, offset: number): Place => ({
  file: file.path,
  ...JsonSource.position(file.text, offset)
})

/** The place of a value, or of the nearest one around it. */
export const placeOf = (file: ConfigFile, path: Path): Place =>
  placeAt(file, JsonSource.isSource(file.outcome) ? JsonSource.nearest(file.outcome, path).start : file.outcome.offset)

/** A finding about the value at a path of a file. */
export const foundAt = (
  file: ConfigFile,
  path: Path,
  { message, ...found }: Omit<Found, keyof Place | "evidence"> & Partial<Pick<Found, "evidence">>
): Found => ({
  evidence: [],
  ...found,
  message: path.length === 0 ? message : `${JsonText.pathText(path)}: ${message}`,
  ...placeOf(file, path)
})
