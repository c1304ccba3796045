/** What the specification and libcni require of a network configuration. */
import * as Result from "effect/Result"
import * as CniVersion from "../../cni/CniVersion.ts"
import * as NetworkConfigList from "../../cni/NetworkConfigList.ts"
import * as ConfFolder from "../../conf/ConfFolder.ts"
import { describe, isObject } from "../../json/Json.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import type { Check } from "../Check.ts"
import { type ConfigFile, foundAt, mostPlugins } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as NearMiss from "../NearMiss.ts"

/** Fields of a list, and of all plugins. A name that is nearly one of them is a mistake. */
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

/**
 * The CNI versions that all plugins with known versions support. If no plugin's versions are known, all that we
 * support.
 */
const spoken = ({ plugins }: Facts): ReadonlyArray<string> => {
  const known = [...plugins.values()].flatMap(({ versions }) =>
    versions !== undefined && Result.isSuccess(versions) ? [versions.success] : []
  )
  const common = CniVersion.supported.filter((version) => known.every((each) => each.includes(version)))
  return common.length === 0 ? CniVersion.supported : common
}

const fixOf = (path: NetworkConfigList.Problem["path"], versions: ReadonlyArray<string>): string => {
  const [key] = path.slice(-1)
  if (key === "cniVersion") return `set "cniVersion" to one of ${versions.join(", ")}`
  return `correct ${key === undefined ? "the document" : JSON.stringify(key)}`
}

/** Unknown keys of a list that nearly match a known one. */
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

/** libcni before 1.3 rejects "true" as a string. Of the boolean fields only this one predates that release. */
const textSwitch = (file: ConfigFile, value: unknown): ReadonlyArray<Found> => {
  const { disableCheck } = isObject(value) ? value : {}
  if (typeof disableCheck !== "string" || !/^(?:true|false)$/i.test(disableCheck)) return []
  return [foundAt(file, ["disableCheck"], {
    level: "warning",
    message:
      `found the string ${JSON.stringify(disableCheck)}, expected ${disableCheck.toLowerCase()} without quotes: ` +
      "runtimes with libcni before 1.3 refuse the file",
    fix: "remove the quotes"
  })]
}

/** What the specification requires of delegates. */
const delegateProblems = ({ chain, delegates }: Facts): ReadonlyArray<Found> => {
  const misplaced = chain.flatMap(({ at, config, file, type }) => {
    const expected = (key: string, isRight: (value: unknown) => boolean, what: string): ReadonlyArray<Found> =>
      config[key] === undefined || config[key] === null || isRight(config[key]) ? [] : [foundAt(file, [...at, key], {
        level: "error",
        plugin: type,
        message: `found ${describe(config[key])}, expected ${what}`,
        fix: `correct ${JSON.stringify(key)}`
      })]
    if (type === "flannel") return expected("delegate", isObject, "an object: the configuration of one plugin")
    if (type !== "multus") return []
    const isList = (value: unknown) => Array.isArray(value) && value.every(isObject)
    return [
      ...expected("delegates", isList, "a list of objects: configurations of plugins, or lists with plugins"),
      ...expected("clusterNetwork", (value) => typeof value === "string", "a string: a network, or the path of a file")
    ]
  })
  const theirs = delegates.filter(({ at }) => at.at(-1) !== "ipam").flatMap(({ at, config, file, type }) =>
    NetworkConfigList.pluginProblems({ type, ...config }).map(({ message, path }) =>
      foundAt(file, [...at, ...path], { level: "error", plugin: type, message, fix: fixOf(path, []) })
    )
  )
  return [...misplaced, ...theirs]
}

const problemsOf = (file: ConfigFile, facts: Facts): ReadonlyArray<Found> => {
  if (!JsonSource.isSource(file.outcome)) return []
  const { value } = file.outcome
  const { plugins } = isObject(value) ? value : {}
  if (Array.isArray(plugins) && plugins.length > mostPlugins) {
    return [foundAt(file, ["plugins"], {
      level: "error",
      message: `found ${plugins.length} plugins, expected at most ${mostPlugins}: no others are looked at`,
      fix: "remove the plugins that are not needed"
    })]
  }
  const versions = spoken(facts)
  const problems = NetworkConfigList.problems(value, { hasPluginsInFolder: file.beside.length > 0 })
  const beside = file.beside.flatMap((each) =>
    JsonSource.isSource(each.outcome)
      ? NetworkConfigList.pluginProblems(each.outcome.value).map((problem) => [each, problem] as const)
      : []
  )
  return [
    ...[...problems.map((problem) => [file, problem] as const), ...beside].map(([each, { message, path }]) =>
      foundAt(each, path, { level: "error", ...pluginOf(each, path), message, fix: fixOf(path, versions) })
    ),
    ...delegateProblems(facts),
    ...textSwitch(file, value),
    ...misspelt(file, value)
  ]
}

export const specification: Check = {
  id: "specification",
  phase: "configuration",
  find: (facts) =>
    facts.file === undefined || !JsonSource.isSource(facts.file.outcome)
      ? { skipped: "there is no file that is JSON" }
      : problemsOf(facts.file, facts)
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
        fix: Fix.run(
          "rename the file",
          Fix.command("mv -n", file.path, `${file.path.replace(/\.[^./]*$/, "")}.conflist`)
        )
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
      fix: Fix.run(
        "rename the file",
        Fix.command("mv -n", file.path, file.path.replace(/\.[^./]*$/, isList ? ".conflist" : ".conf"))
      )
    })]
  }
}
