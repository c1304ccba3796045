/** What the specification and libcni ask of a network configuration. */
import * as CniVersion from "../../cni/CniVersion.ts"
import * as NetworkConfigList from "../../cni/NetworkConfigList.ts"
import * as ConfFolder from "../../host/ConfFolder.ts"
import { isObject } from "../../json/Json.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import type { Check } from "../Check.ts"
import { type ConfigFile, foundAt, mostPlugins } from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import * as NearMiss from "../NearMiss.ts"
import * as Shell from "../Shell.ts"

/** Fields of a list, and of all plugins: a name that is nearly one of them is a mistake. */
const listFields = [
  "cniVersion",
  "cniVersions",
  "name",
  "plugins",
  "disableCheck",
  "disableGC",
  "loadOnlyInlinedPlugins"
]

const pluginOf = (file: ConfigFile, path: NetworkConfigList.Problem["path"]): Partial<Pick<Found, "plugin">> => {
  const value = JsonSource.isSource(file.outcome) ? file.outcome.value : undefined
  const plugins = isObject(value) ? value["plugins"] : undefined
  const plugin = path[0] === "plugins" && Array.isArray(plugins) ? plugins[Number(path[1])] : value
  const type = isObject(plugin) ? plugin["type"] : undefined
  return typeof type === "string" && /^[^/\s]+$/.test(type) ? { plugin: type } : {}
}

const fixOf = (path: NetworkConfigList.Problem["path"]): string => {
  const [key] = path.slice(-1)
  if (key === "cniVersion") return `set "cniVersion" to one of ${CniVersion.supported.join(", ")}`
  return `correct ${key === undefined ? "the document" : JSON.stringify(key)}`
}

/** Keys of a list that nobody reads, and that are nearly one that is read. */
const misspelt = (file: ConfigFile, value: unknown): ReadonlyArray<Found> => {
  if (!isObject(value) || value["type"] !== undefined) return []
  return Object.keys(value).flatMap((key) => {
    const name = listFields.some((each) => each.toLowerCase() === key.toLowerCase())
      ? undefined
      : NearMiss.nearest(key, listFields)
    return name === undefined || value[name] !== undefined ? [] : [foundAt(file, [key], {
      level: "warning",
      message: `runtimes do not know this field: did you mean ${name}?`,
      fix: `rename "${key}" to "${name}"`
    })]
  })
}

const problemsOf = (file: ConfigFile): ReadonlyArray<Found> => {
  if (!JsonSource.isSource(file.outcome)) return []
  const { value } = file.outcome
  const { plugins } = isObject(value) ? value : {}
  if (Array.isArray(plugins) && plugins.length > mostPlugins) {
    return [foundAt(file, ["plugins"], {
      level: "error",
      message: `found ${plugins.length} plugins, expected at most ${mostPlugins}: no others are looked at`,
      fix: "remove those that nobody needs"
    })]
  }
  const problems = NetworkConfigList.problems(value, { hasPluginsInFolder: file.beside.length > 0 })
  const beside = file.beside.flatMap((each) =>
    JsonSource.isSource(each.outcome)
      ? NetworkConfigList.pluginProblems(each.outcome.value).map((problem) => [each, problem] as const)
      : []
  )
  return [
    ...[...problems.map((problem) => [file, problem] as const), ...beside].map(([each, { message, path }]) =>
      foundAt(each, path, { level: "error", ...pluginOf(each, path), message, fix: fixOf(path) })
    ),
    ...misspelt(file, value)
  ]
}

export const specification: Check = {
  id: "specification",
  phase: "configuration",
  find: ({ file }) =>
    file === undefined || !JsonSource.isSource(file.outcome)
      ? { skipped: "there is no file that is JSON" }
      : problemsOf(file)
}

export const fileName: Check = {
  id: "file-name",
  phase: "configuration",
  find: ({ file }) => {
    if (file === undefined || file.isCached === true) return { skipped: "there is no file" }
    const value = JsonSource.isSource(file.outcome) ? file.outcome.value : undefined
    if (!ConfFolder.isLoadedName(file.path)) {
      return [foundAt(file, [], {
        level: "error",
        message: "runtimes load only files that end with .conflist, .conf or .json",
        fix: `mv ${Shell.word(file.path)} ${Shell.word(`${file.path.replace(/\.[^./]*$/, "")}.conflist`)}`
      })]
    }
    const isList = isObject(value) && value["plugins"] !== undefined
    const expectsList = file.path.endsWith(".conflist")
    if (!isObject(value) || isList === expectsList) return []
    if (!isList && typeof value["type"] !== "string") return []
    return [foundAt(file, [], {
      level: "error",
      message: isList
        ? "found a list of plugins, expected one plugin, as the file is not called .conflist"
        : "found one plugin, expected a list of plugins, as the file is called .conflist",
      fix: `mv ${Shell.word(file.path)} ${Shell.word(file.path.replace(/\.[^./]*$/, isList ? ".conflist" : ".conf"))}`
    })]
  }
}
