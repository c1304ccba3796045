/** What running runtimes say about themselves, asked by crictl, by their own command, or by podman. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as HostTools from "../exec/HostTools.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as ToolOutput from "../exec/ToolOutput.ts"
import * as Json from "../json/Json.ts"
import * as Attachments from "./Attachments.ts"

/** The networks that a runtime has loaded. */
export interface Loaded {
  /** In the runtime's order, without its loopback; with the text of their files if the runtime has it. */
  readonly networks: ReadonlyArray<{ readonly name: string; readonly source: string | undefined }>
  /** Why it has none. */
  readonly problem: string | undefined
}

/** What a runtime says. Fields that it does not report are missing. */
export interface Answer {
  readonly pluginFolders?: ReadonlyArray<string> | undefined
  readonly confDir?: string
  readonly version?: string
  readonly loaded?: Loaded
  readonly source: string
}

/** The runtime to ask. */
export interface Asked {
  readonly name: string
  readonly endpoint: string | undefined
  readonly configFile: string | undefined
  readonly programFolder: string | undefined
}

/** Parses a TOML string or a list of strings. */
const strings = (value: string): ReadonlyArray<string> =>
  [...value.matchAll(/"[^"]*"|'[^']*'/g)].map(([quoted]) => quoted.slice(1, -1))

/** Returns the strings of a key in a TOML text, or undefined if the key is missing, empty or commented out. */
export const valueOf = (text: string, key: string): ReadonlyArray<string> | undefined => {
  const value = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(\\[[^\\]]*\\]|"[^"]*"|'[^']*')`, "m").exec(text)?.[1]
  const found = value === undefined ? [] : strings(value).filter((each) => each !== "")
  return found.length === 0 ? undefined : found
}

/** Returns a section of a TOML text, or an empty text if there is none of this name. */
export const sectionOf = (text: string, name: string): string =>
  text.split(/^[ \t]*(?=\[[^[\]]+\][ \t]*(?:#.*)?$)/m).find((section) => section.startsWith(`[${name}]`)) ?? ""

const objectOf = (value: unknown): Json.JsonObject => Json.isObject(value) ? value : {}

const stringsOf = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string" && item !== "") : []

/**
 * Reads `crictl info` of containerd. Source: containerd, `internal/cri/server/status.go` and go-cni, `ConfigResult`.
 */
export const ofCrictlInfo = (output: string): Answer | undefined => {
  const document = objectOf(Json.parse(output))
  const cni = objectOf(document["cniconfig"])
  const status = document["lastCNILoadStatus"]
  const settings = objectOf(objectOf(document["config"])["cni"])
  const single = stringsOf([settings["binDir"]])
  const folders = [stringsOf(cni["PluginDirs"]), stringsOf(settings["binDirs"]), single].find((each) => each.length > 0)
  const [confDir] = stringsOf([cni["PluginConfDir"], settings["confDir"]])
  if (folders === undefined && confDir === undefined) return undefined
  const networks = Array.isArray(cni["Networks"]) ? cni["Networks"] : []
  const all = networks.flatMap((network: unknown) => {
    const { Name: name, Source: source } = objectOf(objectOf(network)["Config"])
    return typeof name === "string" && name !== Attachments.loopbackNetwork
      ? [{ name, source: typeof source === "string" ? source : undefined }]
      : []
  })
  return {
    source: "crictl info",
    ...(folders === undefined ? {} : { pluginFolders: folders }),
    ...(confDir === undefined ? {} : { confDir }),
    ...(typeof status === "string"
      ? {
        loaded: {
          networks: all,
          problem: status === "OK" ? undefined : status
        }
      }
      : {})
  }
}

/** Reads `crictl version`. */
export const versionIn = (output: string): string | undefined => /^RuntimeVersion:\s*v?(\S+)/m.exec(output)?.[1]

/** Reads `containerd config dump`, of any version of the configuration. */
export const ofContainerdDump = (output: string): Answer | undefined => {
  const folders = valueOf(output, "bin_dirs") ?? valueOf(output, "bin_dir")
  const [confDir] = valueOf(output, "conf_dir") ?? []
  return folders === undefined || confDir === undefined
    ? undefined
    : { pluginFolders: folders, confDir, source: "containerd config dump" }
}

/** Reads `crio config`, in which defaults are commented out. */
export const ofCrioConfig = (output: string): Answer | undefined => {
  const text = output.replaceAll(/^# (?=(?:network_dir|plugin_dirs) = )/gm, "").replaceAll(/^# (?=\t?"|\])/gm, "")
  const folders = valueOf(text, "plugin_dirs")
  const [confDir] = valueOf(text, "network_dir") ?? []
  return folders === undefined || confDir === undefined
    ? undefined
    : { pluginFolders: folders, confDir, source: "crio config" }
}

/** Reads `podman info --format json`. */
export const ofPodmanInfo = (output: string): Answer | undefined => {
  const document = objectOf(Json.parse(output))
  const backend = objectOf(document["host"])["networkBackend"]
  const version = objectOf(document["version"])["Version"]
  return {
    source: "podman info",
    ...(typeof version === "string" ? { version } : {}),
    ...(backend === "netavark" ? { pluginFolders: undefined } : {})
  }
}

/** Folders of tools that PATH may lack. */
const toolFolders = ["/usr/local/bin", "/opt/bin", "/var/lib/rancher/rke2/bin"]

/** Finds a tool of a runtime: on PATH, beside the program of the runtime, or where it is often installed. */
export const findTool = Effect.fnUntraced(function*({ programFolder }: Pick<Asked, "programFolder">, tool: string) {
  const { find } = yield* HostTools.HostTools
  return find(tool, [...programFolder === undefined ? [] : [programFolder], ...toolFolders])
})

const configFlag = (configFile: string | undefined): ReadonlyArray<string> =>
  configFile === undefined ? [] : ["--config", configFile]

/** Asks a runtime. Undefined if it does not answer. */
export const ask = Effect.fnUntraced(function*(
  asked: Asked
): Effect.fn.Return<Answer | undefined, never, ProcessRunner> {
  const { configFile, endpoint, name } = asked
  const outputOf = Effect.fnUntraced(function*(tool: string, ...args: ReadonlyArray<string>) {
    const path = yield* findTool(asked, tool)
    return path === undefined ? undefined : Result.getOrUndefined(yield* ToolOutput.of([path, ...args]))
  })
  if (name === "podman") {
    const output = yield* outputOf("podman", "info", "--format", "json")
    return output === undefined ? undefined : ofPodmanInfo(output)
  }
  const crictl = (what: string) =>
    endpoint === undefined ? Effect.undefined : outputOf("crictl", "--runtime-endpoint", endpoint, what)
  const version = versionIn((yield* crictl("version")) ?? "")
  const known = version === undefined ? {} : { version }
  if (name === "containerd") {
    const info = ofCrictlInfo((yield* crictl("info")) ?? "")
    if (info !== undefined) return { ...info, ...known }
    const dump = ofContainerdDump((yield* outputOf("containerd", ...configFlag(configFile), "config", "dump")) ?? "")
    return dump && { ...dump, ...known }
  }
  if (name === "CRI-O") {
    const config = ofCrioConfig((yield* outputOf("crio", ...configFlag(configFile), "config")) ?? "")
    return config && { ...config, ...known }
  }
  return undefined
})
