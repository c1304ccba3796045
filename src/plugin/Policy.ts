/**
 * Restricts what network configurations may request. The policy is a file beside the plugin, out of reach of users who
 * may only write configurations, for example through an API that passes them to the runtime.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import type { Environment } from "../cni/Environment.ts"
import { type Verb, verbs } from "../cni/Verb.ts"
import * as Json from "../json/Json.ts"
import * as PathTemplate from "../sinks/PathTemplate.ts"
import type { Settings } from "./Settings.ts"

export const fileName = "passthrough.policy.json"

/** A valid policy. */
export interface Policy {
  readonly file: string
  /** Whether hooks may run. */
  readonly hooks: boolean
  /** The folders that log files may be in, or undefined for any folder. */
  readonly logFolders: ReadonlyArray<string> | undefined
}

/** An invalid policy forbids everything, because we cannot know what it was meant to forbid. */
export interface Broken {
  readonly file: string
  readonly problem: string
}

const isFolder = (value: unknown): value is string =>
  typeof value === "string" && Path.isAbsolute(value) && !value.split("/").includes("..") && !value.includes("\0")

const problemOf = (document: Json.JsonObject): string | undefined => {
  const { hooks, logFolders, ...others } = document
  const [other] = Object.keys(others)
  if (other !== undefined) return `${JSON.stringify(other)}: no such field, expected "hooks" or "logFolders"`
  if (hooks !== undefined && typeof hooks !== "boolean") {
    return `hooks: found ${Json.describe(hooks)}, expected a boolean`
  }
  const expected = "a list of absolute paths of folders"
  if (logFolders !== undefined && !Array.isArray(logFolders)) {
    return `logFolders: found ${Json.describe(logFolders)}, expected ${expected}`
  }
  const index = logFolders?.findIndex((folder) => !isFolder(folder)) ?? -1
  return index === -1
    ? undefined
    : `logFolders[${index}]: found ${Json.describe(logFolders?.[index])}, expected ${expected}`
}

/** Parses a policy. */
export const parse = (file: string, text: string): Policy | Broken => {
  const document = Json.parse(text)
  if (!Json.isObject(document)) return { file, problem: "it is not a JSON object" }
  const problem = problemOf(document)
  if (problem !== undefined) return { file, problem }
  const { hooks = true, logFolders } = document as Pick<Partial<Policy>, "hooks" | "logFolders">
  return { file, hooks, logFolders }
}

/** The policies of this host, and the resolution of log folders. */
export interface Policies {
  /** The policies that apply to the plugin. A request must satisfy all of them. */
  readonly read: Effect.Effect<ReadonlyArray<Policy | Broken>>
  /** Resolves the symbolic links of a folder's path, as far as it exists. Undefined if a link is broken. */
  readonly realFolder: (folder: string) => string | undefined
}

/** The policies of this host. Default: none. */
export const Policies = Context.Reference<Policies>("cni-passthrough/Policies", {
  defaultValue: () => ({ read: Effect.succeed([]), realFolder: (folder) => folder })
})

const isWithin = (folder: string, parent: string): boolean =>
  folder === parent || folder.startsWith(parent === "/" ? parent : `${parent}/`)

/** Whether a log at this path is in one of the folders once symbolic links are resolved. */
const isAllowed = (path: string, folders: ReadonlyArray<string>, { realFolder }: Policies): boolean => {
  if (path === "" || path.split("/").includes("..")) return false
  const folder = realFolder(Path.dirname(Path.resolve(path)))
  if (folder === undefined) return false
  return folders.map((each) => realFolder(Path.resolve(each))).some((each) =>
    each !== undefined && isWithin(folder, each)
  )
}

const verbNames = Object.keys(verbs) as ReadonlyArray<Verb>

const noHooks: Settings["hooks"] = { ADD: [], DEL: [], CHECK: [], GC: [], STATUS: [], VERSION: [] }

/** Removes what the policies forbid from the settings, and describes each removed field. */
export const apply = (
  settings: Settings,
  { environment, found, logFile, policies }: {
    readonly environment: Environment
    readonly found: ReadonlyArray<Policy | Broken>
    /** The value of the field `logFile`. */
    readonly logFile: unknown
    readonly policies: Policies
  }
): { readonly settings: Settings; readonly forbidden: ReadonlyArray<string> } => {
  const forbidden: Array<string> = []
  let { hooks, sinks } = settings
  for (const policy of found) {
    if ("problem" in policy) {
      forbidden.push(`hooks and logs are forbidden because ${policy.file} cannot be used: ${policy.problem}`)
      hooks = noHooks
      sinks = []
      continue
    }
    const { file, logFolders } = policy
    if (!policy.hooks) {
      const named = verbNames.filter((verb) => hooks[verb].length > 0).map((verb) => `hook${verb}`)
      forbidden.push(...named.map((name) => `${name}: commands are forbidden by ${file} ("hooks": false)`))
      hooks = noHooks
    }
    if (logFolders === undefined) continue
    sinks = sinks.filter((sink) => {
      if (sink.type !== "file") return true
      const path = PathTemplate.expand(sink.path, environment)
      if (isAllowed(path, logFolders, policies)) return true
      const where = logFolders.length === 0 ? "no folder" : logFolders.join(", ")
      const field = sink === settings.sinks[0] && sink.path === logFile ? "logFile" : "logSinks"
      const reason = `forbidden by ${file}, which allows logs in ${where} ("logFolders")`
      forbidden.push(`${field}: the file ${JSON.stringify(path)} is ${reason}`)
      return false
    })
  }
  return { settings: { ...settings, hooks, sinks }, forbidden }
}
