/** Network configuration lists. Source: CNI specification, section 1. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { describe, isObject, type JsonObject, parse } from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import type { Path } from "../json/JsonText.ts"
import * as SchemaProblem from "../json/SchemaProblem.ts"
import * as CniVersion from "./CniVersion.ts"
import { identifier } from "./Environment.ts"

/** The configuration of one plugin of a chain. */
export interface PluginConfig {
  readonly type: string
  /** The display name: the label or the type, with a number if an earlier plugin has the same name. */
  readonly title: string
  readonly config: JsonObject
  /** The configuration as JSON text, without loss. */
  readonly text: string
  /** Whether the list itself contains it. Otherwise it comes from the folder named after the network. */
  readonly isInlined: boolean
}

/** A network and its chain of plugins. */
export interface NetworkConfigList {
  readonly name: string
  /** The newest supported version of `cniVersions` and `cniVersion`. */
  readonly cniVersion: string
  /** The version that plugins get. Empty if the list does not name one. */
  readonly statedVersion: string
  readonly plugins: ReadonlyArray<PluginConfig>
  readonly disableCheck: boolean
  readonly disableGC: boolean
  /** Whether to ignore plugins in the folder named after the network. */
  readonly loadOnlyInlinedPlugins: boolean
  /** The list as JSON text. Runtimes cache it together with the result of an attachment. */
  readonly text: string
}

export type { Problem } from "../json/SchemaProblem.ts"

type Problem = SchemaProblem.Problem

const expectedSwitch = "true or false"

/** A switch of a list: a boolean, or `"true"` or `"false"`. Source: libcni, `NetworkConfFromBytes`. */
const Switch = Schema.optionalKey(
  Schema.Union([
    Schema.Boolean,
    Schema.String.check(Schema.isPattern(/^(?:true|false)$/i, { expected: expectedSwitch }))
  ]).annotate({ identifier: expectedSwitch })
)

const Switches = Schema.Struct({ disableCheck: Switch, disableGC: Switch, loadOnlyInlinedPlugins: Switch })

/** An optional member. Null counts as absent. */
const optional = <S extends Schema.Top>(schema: S, expected: string) =>
  Schema.optionalKey(Schema.NullOr(schema).annotate({ identifier: expected }))

const text = Schema.String.annotate({ identifier: "a string" })
const texts = optional(Schema.Array(text), "a list of strings")
const anObject = Schema.Record(Schema.String, Schema.Unknown).annotate({ identifier: "an object" })

/** The fields of a plugin's configuration that runtimes read. Source: libcni, `types.PluginConf`. */
const PluginFields = Schema.Struct({
  name: optional(text, "a string"),
  cniVersion: optional(text, "a string"),
  capabilities: optional(
    Schema.Record(Schema.String, Schema.NullOr(Schema.Boolean).annotate({ identifier: "true or false" })),
    "an object with true or false for each capability"
  ),
  ipam: optional(Schema.Struct({ type: optional(text, "a string") }), "an object"),
  dns: optional(
    Schema.Struct({ nameservers: texts, domain: optional(text, "a string"), search: texts, options: texts }),
    "an object"
  ),
  prevResult: optional(anObject, "an object")
})

const typed = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = SchemaParser.decodeUnknownResult(schema, { errors: "all" })
  return (value: unknown): ReadonlyArray<Problem> => {
    const outcome = decode(value)
    return Result.isFailure(outcome) ? SchemaProblem.of(outcome.failure, value) : []
  }
}

const switchProblems = typed(Switches)
const fieldProblems = typed(PluginFields)

const isOn = (value: unknown): boolean => value === true || (typeof value === "string" && /^true$/i.test(value))

/** The form of a document: a list of plugins, or the configuration of one plugin, which runtimes convert to a list. */
export type Form = "list" | "plugin"

/** Detects the form of a document from its contents. */
export const formOf = (value: unknown): Form =>
  isObject(value) && value["plugins"] === undefined && typeof value["type"] === "string" ? "plugin" : "list"

/**
 * Chooses a version as runtimes do: the newest one that is not newer than our newest. Source: libcni,
 * `NetworkConfFromBytes`.
 */
const negotiate = ({ cniVersion, cniVersions }: JsonObject): string => {
  const stated = typeof cniVersion === "string" && cniVersion !== "" ? [cniVersion] : []
  const known = [
    ...Array.isArray(cniVersions) ? cniVersions.filter((version) => typeof version === "string") : [],
    ...stated
  ]
    .filter((version) => CniVersion.isVersion(version) && CniVersion.isAtLeast(CniVersion.newest, version))
    .toSorted((left, right) => left === right ? 0 : CniVersion.isAtLeast(left, right) ? 1 : -1)
  return known.at(-1) ?? stated[0] ?? ""
}

const expectedName = "a letter or digit, then letters, digits, '_', '.' or '-'"

const problem = (path: Path, actual: unknown, expected: string): Problem => ({
  path,
  message: `found ${describe(actual)}, expected ${expected}`
})

const isVersion = (version: unknown): version is string =>
  typeof version === "string" && (version === "" || CniVersion.isVersion(version))

const expectedVersion = "a version such as \"1.0.0\""

const versionProblems = ({ cniVersion, cniVersions }: JsonObject): ReadonlyArray<Problem> => {
  if (cniVersions === undefined) {
    return cniVersion === undefined || cniVersion === "" || CniVersion.isSupported(String(cniVersion))
      ? []
      : [problem(["cniVersion"], cniVersion, `one of ${CniVersion.supported.join(", ")}`)]
  }
  // Runtimes choose among all of them and ignore versions that are too new.
  return [
    ...(cniVersion === undefined || isVersion(cniVersion)
      ? []
      : [problem(["cniVersion"], cniVersion, expectedVersion)]),
    ...(Array.isArray(cniVersions) ? [] : [problem(["cniVersions"], cniVersions, "a list of versions")]),
    ...(Array.isArray(cniVersions) ? cniVersions : []).flatMap((version, index) =>
      isVersion(version) ? [] : [problem(["cniVersions", index], version, expectedVersion)]
    )
  ]
}

/** Validates the configuration of one plugin as runtimes do. */
export const pluginProblems = (plugin: unknown): ReadonlyArray<Problem> => {
  if (!isObject(plugin)) return [problem([], plugin, "an object")]
  const { type } = plugin
  return [
    ...(typeof type === "string" && /^[^/\s]+$/.test(type)
      ? []
      : [problem(["type"], type, "the name of a plugin, which is a file on the CNI path")]),
    ...fieldProblems(plugin)
  ]
}

const within = (path: Path, problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  problems.map(({ message, path: at }) => ({ path: [...path, ...at], message }))

/** Facts about a document that its text does not show. */
export interface Context {
  /** The form that runtimes expect. Default: detected from the contents. */
  readonly form?: Form
  /** Whether the folder named after the network has plugins. */
  readonly hasPluginsInFolder?: boolean
}

/** Validates a document against the specification and libcni. Does not check the plugins' own fields. */
export const problems = (
  value: unknown,
  { form = formOf(value), hasPluginsInFolder = false }: Context = {}
): ReadonlyArray<Problem> => {
  if (!isObject(value)) return [problem([], value, "an object")]
  const { cniVersion, name, plugins } = value
  const isName = typeof name === "string" && identifier.test(name)
  const nameProblems = isName ? [] : [problem(["name"], name, expectedName)]
  if (form === "plugin") return [...nameProblems, ...versionProblems({ cniVersion }), ...pluginProblems(value)]
  const head = [...nameProblems, ...versionProblems(value), ...switchProblems(value)]
  if (plugins === undefined && hasPluginsInFolder && !isOn(value["loadOnlyInlinedPlugins"])) return head
  if (!Array.isArray(plugins) || plugins.length === 0) {
    return [...head, problem(["plugins"], plugins, "a list of at least one plugin")]
  }
  return [...head, ...plugins.flatMap((plugin, index) => within(["plugins", index], pluginProblems(plugin)))]
}

const nameOf = ({ label, type }: JsonObject): string => typeof label === "string" && label !== "" ? label : String(type)

const titleOf = (config: JsonObject, before: ReadonlyArray<JsonObject>): string => {
  const count = 1 + before.filter((other) => nameOf(other) === nameOf(config)).length
  return count === 1 ? nameOf(config) : `${nameOf(config)} ${count}`
}

/** Converts the configuration of one plugin to a list, as runtimes do. Source: libcni, `ConfListFromConf`. */
const listOf = (text: string): string =>
  `{"cniVersion":${JsonText.member(text, "cniVersion") ?? "\"\""},"name":${JsonText.member(text, "name") ?? "\"\""},` +
  `"plugins":[${text.trim()}]}`

/** Options for {@link make}. */
export interface Reading {
  /** The text of the document, to preserve it without loss. */
  readonly text?: string
  /** The form that runtimes expect. Default: detected from the contents. */
  readonly form?: Form
  /** The configurations of the plugins in the folder named after the network. */
  readonly fromFolder?: ReadonlyArray<string>
}

/** Converts a document that has no {@link problems}. */
export const make = (
  value: unknown,
  { form = formOf(value), fromFolder = [], text = JSON.stringify(value) ?? "{}" }: Reading = {}
): NetworkConfigList => {
  const document = isObject(value) ? value : {}
  const { cniVersion } = document
  const isList = form === "list"
  const plugins = JsonText.member(text, "plugins")
  const inlined = isList ? plugins?.startsWith("[") === true ? JsonText.elements(plugins) : [] : [text.trim()]
  const configs = [...inlined, ...fromFolder].flatMap((text) => {
    const config = parse(text)
    return isObject(config) ? [{ config, text }] : []
  })
  const isSwitchedOn = (name: string): boolean => isList && isOn(document[name])
  const statedVersion = negotiate(isList ? document : { cniVersion })
  return {
    name: String(document["name"]),
    cniVersion: statedVersion || CniVersion.implied,
    statedVersion,
    plugins: configs.map(({ config, text }, index) => ({
      type: String(config["type"]),
      title: titleOf(config, configs.slice(0, index).map((before) => before.config)),
      config,
      text,
      isInlined: index < inlined.length
    })),
    disableCheck: isSwitchedOn("disableCheck"),
    disableGC: isSwitchedOn("disableGC"),
    loadOnlyInlinedPlugins: isSwitchedOn("loadOnlyInlinedPlugins"),
    text: isList ? text : listOf(text)
  }
}
