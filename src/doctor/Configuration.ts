/** Everything that is wrong with a network configuration: a function of facts, which others collect. */
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import { isObject, type JsonObject } from "../json/Json.ts"
import * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"
import type { Path } from "../json/JsonText.ts"
import * as NearName from "../plugin/NearName.ts"
import * as Settings from "../plugin/Settings.ts"
import type { PluginFact, PluginFacts } from "./PluginFacts.ts"

/** What is known of a file. */
export interface Facts {
  readonly text: string
  readonly outcome: JsonSource.Source | JsonSource.Problem
  /** Whether runtimes load a file of this name. */
  readonly isLoaded: boolean
  /** What is known of its plugins; undefined where nobody looked for them. */
  readonly plugins: PluginFacts | undefined
}

/** One thing that is wrong, and where. */
export interface Finding {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** What is wrong with the fields of our own plugin, without their names, which the path ends with. */
const ourProblems = (plugin: JsonObject, at: Path): ReadonlyArray<NetworkConfigList.Problem> =>
  Settings.read(plugin).problems.map(({ message, path }) => ({ path: [...at, ...path], message }))

/** Fields of our own plugin that are spelt in another way than it knows them, and so are passed over. */
const misspelt = (plugin: JsonObject, at: Path): ReadonlyArray<NetworkConfigList.Problem> =>
  Object.keys(plugin).flatMap((name) => {
    const similar = NearName.similar(name, Settings.names)
    return similar.length === 0
      ? []
      : [{ path: [...at, name], message: `the plugin does not know this field: did you mean ${similar.join(" or ")}?` }]
  })

/** What is wrong with a plugin as it is on this host. */
const hostProblem = (type: string, cniVersion: string, fact: PluginFact | undefined): string | undefined => {
  switch (fact?._tag) {
    case "Missing":
      return `the plugin ${type} is not in ${fact.folders.join(":")}`
    case "Silent":
      return `${fact.file} does not answer VERSION: ${fact.reason}`
    case "Versions":
      return fact.versions.includes(cniVersion)
        ? undefined
        : `${fact.file} speaks ${fact.versions.join(", ")}, and not ${cniVersion}`
    case undefined:
      return undefined
  }
}

/** The plugins of a document, with their paths. */
const pluginsOf = (value: unknown): ReadonlyArray<readonly [Path, JsonObject]> => {
  if (!isObject(value)) return []
  const { plugins } = value
  if (!Array.isArray(plugins)) return [[[], value]]
  return plugins.flatMap((plugin, index) => isObject(plugin) ? [[["plugins", index], plugin] as const] : [])
}

const problemsOf = (source: JsonSource.Source, facts: Facts): ReadonlyArray<NetworkConfigList.Problem> => {
  const problems = [...NetworkConfigList.problems(source.value)]
  if (!facts.isLoaded) {
    problems.push({ path: [], message: "runtimes load only files that end with .conflist, .conf or .json" })
  }
  const { cniVersion } = NetworkConfigList.make(source.value)
  const broken = new Set(problems.map(({ path }) => JsonText.pathText(path)))
  for (const [at, plugin] of pluginsOf(source.value)) {
    const type = String(plugin["type"])
    if (type === "passthrough") problems.push(...ourProblems(plugin, at), ...misspelt(plugin, at))
    const typePath = [...at, "type"]
    if (broken.has(JsonText.pathText(typePath))) continue
    const message = hostProblem(type, cniVersion, facts.plugins?.get(type))
    if (message !== undefined) problems.push({ path: typePath, message })
  }
  return problems
}

/** All findings, in the order of the file. */
export const findings = (facts: Facts): ReadonlyArray<Finding> => {
  const { outcome, text } = facts
  const at = (offset: number, message: string): Finding => ({ ...JsonSource.position(text, offset), message })
  if (!JsonSource.isSource(outcome)) return [at(outcome.offset, outcome.message)]
  return problemsOf(outcome, facts)
    .map(({ message, path }) => ({
      offset: JsonSource.nearest(outcome, path).start,
      message: path.length === 0 ? message : `${JsonText.pathText(path)}: ${message}`
    }))
    .toSorted((left, right) => left.offset - right.offset)
    .map(({ message, offset }) => at(offset, message))
}
