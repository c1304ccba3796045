/** Network configurations, as container runtimes load them. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as CniVersion from "../cni/CniVersion.ts"
import { describe } from "../cni/describe.ts"
import { identifier } from "../cni/Environment.ts"
import { isObject } from "../cni/isObject.ts"
import * as JsonSource from "./JsonSource.ts"
import { Problem } from "./Problem.ts"

/** The configuration of one plugin of a chain. */
export interface PluginConfig {
  readonly type: string
  /** What to call it: its label or its type, with a number where it is not the first of that name. */
  readonly title: string
  readonly config: { readonly [field: string]: unknown }
}

/** A chain of plugins. Source: CNI specification, section 1, "Network configuration format". */
export interface Conflist {
  readonly path: string
  readonly text: string
  readonly name: string
  /** The version that all plugins are called with: the newest of `cniVersions` and `cniVersion` that we speak. */
  readonly cniVersion: string
  readonly plugins: ReadonlyArray<PluginConfig>
  readonly disableCheck: boolean
  readonly disableGC: boolean
}

const isTrue = (value: unknown): boolean => value === true || (typeof value === "string" && /^true$/i.test(value))

/** What is wrong with a document, and where: the path of the value in it. */
export interface DocumentProblem {
  readonly path: string
  readonly message: string
}

/** The version that runtimes choose. Source: libcni, `NetworkConfFromBytes`. */
const negotiate = (document: { readonly [key: string]: unknown }): string => {
  const { cniVersion, cniVersions } = document
  const stated = typeof cniVersion === "string" && cniVersion !== "" ? [cniVersion] : []
  if (!Array.isArray(cniVersions)) return stated[0] ?? CniVersion.implied
  const known = [...cniVersions.filter((version) => typeof version === "string"), ...stated]
    .filter((version) => CniVersion.isVersion(version) && CniVersion.isAtLeast(CniVersion.newest, version))
  return known.reduce(
    (best, version) => CniVersion.isAtLeast(version, best) ? version : best,
    stated[0] ?? CniVersion.implied
  )
}

/** What the specification and libcni ask of a document, apart from what each plugin asks of its own part. */
export const documentProblems = (value: unknown): ReadonlyArray<DocumentProblem> => {
  if (!isObject(value)) return [{ path: "", message: `found ${describe(value)}, expected an object` }]
  const problems: Array<DocumentProblem> = []
  const expect = (path: string, found: unknown, isRight: boolean, expected: string) => {
    if (!isRight) problems.push({ path, message: `found ${describe(found)}, expected ${expected}` })
  }
  const { cniVersion, cniVersions, name, plugins, type } = value
  expect(
    "name",
    name,
    typeof name === "string" && identifier.test(name),
    "a letter or digit, then letters, digits, '_', '.' or '-'"
  )
  expect(
    "cniVersion",
    cniVersion,
    cniVersion === undefined ||
      (typeof cniVersion === "string" && (cniVersion === "" || CniVersion.isSupported(cniVersion))),
    `one of ${CniVersion.supported.join(", ")}`
  )
  if (cniVersions !== undefined) {
    expect("cniVersions", cniVersions, Array.isArray(cniVersions), "a list of versions")
    for (const [index, version] of (Array.isArray(cniVersions) ? cniVersions : []).entries()) {
      expect(
        `cniVersions[${index}]`,
        version,
        typeof version === "string" && CniVersion.isVersion(version),
        "a version such as \"1.0.0\""
      )
    }
  }
  if (plugins === undefined && typeof type === "string") return problems // a configuration of one plugin
  expect("plugins", plugins, Array.isArray(plugins) && plugins.length > 0, "a list of at least one plugin")
  for (const [index, plugin] of (Array.isArray(plugins) ? plugins : []).entries()) {
    const path = `plugins[${index}]`
    if (!isObject(plugin)) {
      expect(path, plugin, false, "an object")
      continue
    }
    expect(
      `${path}.type`,
      plugin["type"],
      typeof plugin["type"] === "string" && /^[^/\s]+$/.test(plugin["type"]),
      "the name of a plugin, which is a file on the CNI path"
    )
  }
  return problems
}

const nameOf = ({ label, type }: { readonly [field: string]: unknown }): string =>
  typeof label === "string" && label !== "" ? label : String(type)

const titleOf = (
  config: { readonly [field: string]: unknown },
  before: ReadonlyArray<{ readonly [field: string]: unknown }>
): string => {
  const count = 1 + before.filter((other) => nameOf(other) === nameOf(config)).length
  return count === 1 ? nameOf(config) : `${nameOf(config)} ${count}`
}

/** Reads a document that has no problems. */
export const make = (path: string, text: string, value: unknown): Conflist => {
  const document = isObject(value) ? value : {}
  const { disableCheck, disableGC, name, plugins } = document
  const configs = Array.isArray(plugins) ? plugins.filter(isObject) : [document]
  return {
    path,
    text,
    name: String(name),
    cniVersion: negotiate(document),
    plugins: configs.map((config, index) => ({
      type: String(config["type"]),
      title: titleOf(config, configs.slice(0, index)),
      config
    })),
    disableCheck: isTrue(disableCheck),
    disableGC: isTrue(disableGC)
  }
}

/** One problem on one line, with its place. */
export const explain = (path: string, text: string, offset: number, message: string): string => {
  const { column, line } = JsonSource.position(text, offset)
  return `${path}:${line}:${column}: ${message}`
}

const read = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(path).pipe(
    Effect.mapError((error) => new Problem({ message: `cannot read ${path}: ${error.message}`, status: 2 }))
  )
})

/** The file for an argument: a path, or the name of a network, which is looked for as libcni does. */
export const find = Effect.fnUntraced(function*(fileOrName: string, confDir: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (fileOrName.includes("/") || /\.(?:conflist|conf|json)$/.test(fileOrName)) return fileOrName
  const names = yield* Effect.catch(fs.readDirectory(confDir), () => Effect.succeed([]))
  const seen: Array<string> = []
  for (const file of names.filter((name) => /\.(?:conflist|conf|json)$/.test(name)).sort()) {
    const source = JsonSource.parse(yield* read(path.join(confDir, file)))
    const name = "value" in source && isObject(source.value) ? source.value["name"] : undefined
    if (name === fileOrName) return path.join(confDir, file)
    if (typeof name === "string") seen.push(name)
  }
  const known = seen.length === 0 ? "it has no networks" : `it has ${seen.join(", ")}`
  return yield* new Problem({ message: `no network ${JSON.stringify(fileOrName)} in ${confDir}: ${known}`, status: 2 })
})

/** Loads a configuration, or fails with all that is wrong with it. */
export const load = Effect.fnUntraced(function*(fileOrName: string, confDir: string) {
  const path = yield* find(fileOrName, confDir)
  const text = yield* read(path)
  const source = JsonSource.parse(text)
  if (!("value" in source)) {
    return yield* new Problem({ message: explain(path, text, source.offset, source.message), status: 2 })
  }
  const problems = documentProblems(source.value)
  if (problems.length > 0) {
    const lines = problems.map(({ message, path: at }) =>
      explain(path, text, source.ranges.get(at)?.start ?? 0, `${at}: ${message}`)
    )
    return yield* new Problem({ message: lines.join("\n"), status: 2 })
  }
  return make(path, text, source.value)
})
