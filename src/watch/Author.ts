/** The process that made a change: its command line, the processes that started it, and the plugin that it works for. */
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Json from "../json/Json.ts"
import * as Pod from "../operations/Pod.ts"
import * as Secrets from "../record/Secrets.ts"
import type { Committer } from "./NftMonitor.ts"
import * as PluginRun from "./PluginRun.ts"

/** A process. */
export const Process = Schema.Struct({
  pid: Schema.Finite,
  /** As the kernel names it, which is cut after 15 characters. */
  name: Schema.String,
  /** Left out if the process ended before it could be read. */
  commandLine: Schema.optionalKey(Schema.Array(Schema.String))
})

/** The process that made a change. */
export const Author = Schema.Struct({
  ...Process.fields,
  /** The processes that started it, the nearest first. Empty if they are not known. */
  parents: Schema.Array(Process),
  /** The plugin that it works for, according to the environment of it and its parents. */
  plugin: Schema.optionalKey(PluginRun.PluginRun),
  /** Whether it is known that it works for no plugin, because all these environments could be read. */
  isNoPlugin: Schema.Boolean
})

export type Process = typeof Process.Type
export type Author = typeof Author.Type

/** The most processes to name, and the most characters of a command line. */
const most = { parents: 8, characters: 2000 }

/** The inode of the first PID namespace, whose IDs the kernel reports. Source: include/linux/proc_ns.h. */
const firstNamespace = "pid:[4026531836]"

const attempt = <A>(io: () => A): A | undefined => {
  try {
    return io()
  } catch {
    return undefined // it has ended, or we may not
  }
}

/** Command lines may have passwords in them. */
const withoutSecrets = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const masked = Json.parse(Secrets.inJson(JSON.stringify(words)))
  return Array.isArray(masked) ? masked.map(String) : words
}

interface Found {
  readonly process: Process
  readonly parent: number
  readonly environment: ReadonlyMap<string, string> | undefined
}

const read = (folder: string, pid: number): Found | undefined => {
  const text = (name: string) => attempt(() => Fs.readFileSync(Path.join(folder, String(pid), name), "utf8"))
  const [name, stat, commandLine, environ] = ["comm", "stat", "cmdline", "environ"].map(text)
  if (name === undefined || stat === undefined) return undefined
  const words = (commandLine ?? "").slice(0, most.characters).split("\0")
  const variables = environ?.split("\0").map((each) => each.split(/=(.*)/s, 2) as [string, string])
  return {
    process: {
      pid,
      name: name.trimEnd(),
      ...(commandLine ? { commandLine: withoutSecrets(words.at(-1) === "" ? words.slice(0, -1) : words) } : {})
    },
    // The name in `stat` may contain parentheses.
    parent: Number(/^ \S (\d+)/.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1] ?? 0),
    environment: variables === undefined ? undefined : new Map(variables)
  }
}

/** The name of a process that runs a file in one of the folders of plugins; undefined for other processes. */
const pluginNameOf = ({ environment, process: { commandLine = [] } }: Found): string | undefined => {
  const folders = (environment?.get("CNI_PATH") ?? "").split(":").filter(Path.isAbsolute)
  const [file = ""] = commandLine
  return folders.some((folder) => file.startsWith(`${Path.resolve(folder)}/`)) ? Path.basename(file) : undefined
}

/** The plugin that one of these processes is: the nearest with the variables of a request. Its tools inherit those. */
const pluginOf = (line: ReadonlyArray<Found>): PluginRun.PluginRun | undefined => {
  const asked = line.filter(({ environment }) => environment?.has("CNI_COMMAND") === true)
  const owner = asked.find((each) => pluginNameOf(each) !== undefined) ?? asked[0]
  if (owner === undefined) return undefined
  const value = (name: string) => owner.environment?.get(`CNI_${name}`)
  return PluginRun.make({
    plugin: pluginNameOf(owner),
    command: value("COMMAND"),
    containerId: value("CONTAINERID"),
    ifname: value("IFNAME"),
    network: undefined,
    pod: Pod.of(value("ARGS") ?? "")
  })
}

/** Reads about a process what can still be read. Must be called at once: most of them end within milliseconds. */
export const of = ({ name, pid }: Committer, folder = "/proc"): Author => {
  const isFirst = attempt(() => Fs.readlinkSync(Path.join(folder, "self/ns/pid"))) === firstNamespace
  const own = isFirst ? read(folder, pid) : undefined
  // Another process may have got the ID since.
  if (own === undefined || own.process.name !== name) return { pid, name, parents: [], isNoPlugin: false }
  const line = [own]
  for (let next = own.parent; next > 1 && line.length <= most.parents;) {
    const parent = read(folder, next)
    if (parent === undefined) break
    line.push(parent)
    next = parent.parent
  }
  const plugin = pluginOf(line)
  return {
    ...own.process,
    parents: line.slice(1).map(({ process }) => process),
    ...(plugin === undefined ? {} : { plugin }),
    isNoPlugin: plugin === undefined && line.every(({ environment }) => environment !== undefined)
  }
}
