/** Finds the container runtimes of a host and their plugin folders, from their processes and files. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as SmallFile from "../host/SmallFile.ts"

/** A runtime that may call plugins. */
export interface Runtime {
  readonly name: string
  /** Its plugin folders, or undefined if it sets up networks without plugins. */
  readonly pluginFolders: ReadonlyArray<string> | undefined
  /** The file that says so, or `its default`. */
  readonly source: string
  /** Where its CRI listens, for crictl; undefined if that is not known. */
  readonly endpoint: string | undefined
}

/** The maximum size of a configuration file, in bytes. */
const maxSize = 1_048_576

/** Reads a file below a root. Returns an empty text if it is not a regular file, is too large, or cannot be read. */
const textIn = Effect.fnUntraced(function*(root: string, file: string) {
  const path = yield* Path.Path
  return yield* Effect.orElseSucceed(SmallFile.textOf(path.join(root, file), maxSize), () => "")
})

/** Lists the drop-in files of a folder below a root, highest precedence first. */
const dropIns = Effect.fnUntraced(function*(root: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(path.join(root, folder)), (): Array<string> => [])
  return names.filter((name) => name.endsWith(".conf")).toSorted().toReversed().map((name) => `${folder}/${name}`)
})

/** Parses a TOML string or a list of strings. */
const strings = (value: string): ReadonlyArray<string> =>
  [...value.matchAll(/"[^"]*"|'[^']*'/g)].map(([quoted]) => quoted.slice(1, -1))

/** Returns the strings of a key in a TOML file, or undefined if the key is missing or commented out. */
const valueOf = (text: string, key: string): ReadonlyArray<string> | undefined => {
  const value = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(\\[[^\\]]*\\]|"[^"]*"|'[^']*')`, "m").exec(text)?.[1]
  const found = value === undefined ? [] : strings(value).filter((each) => each !== "")
  return found.length === 0 ? undefined : found
}

/** Returns the value of the first of these keys in the first of these files that has one, and the file. */
const firstWith = Effect.fnUntraced(
  function*(root: string, files: ReadonlyArray<string>, keys: ReadonlyArray<string>) {
    for (const file of files) {
      const text = yield* textIn(root, file)
      const value = keys.map((key) => valueOf(text, key)).find((each) => each !== undefined)
      if (value !== undefined) return { value, source: file }
    }
    return undefined
  }
)

/**
 * Reads the command lines of root's processes in the host's mount namespace. Other users, and containers, could name a
 * process like a runtime.
 */
const commandLines = Effect.fnUntraced(function*(root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const proc = path.join(root, "proc")
  const pids = yield* Effect.orElseSucceed(fs.readDirectory(proc), (): Array<string> => [])
  const mountsOf = (pid: string) => Effect.option(fs.readLink(path.join(proc, pid, "ns/mnt")))
  const uidOf = (file: string) =>
    Effect.map(Effect.option(fs.stat(file)), (info) => Option.flatMap(info, ({ uid }) => uid))
  const administrator = yield* uidOf(proc)
  const own = yield* mountsOf("1")
  const lines = yield* Effect.forEach(
    pids.filter((name) => /^\d+$/.test(name)),
    Effect.fnUntraced(function*(pid) {
      const folder = path.join(proc, pid)
      if (Option.getOrUndefined(yield* uidOf(folder)) !== Option.getOrUndefined(administrator)) return []
      const mounts = yield* mountsOf(pid)
      if (Option.isSome(own) && Option.isSome(mounts) && mounts.value !== own.value) return []
      const line = yield* Effect.option(fs.readFileString(path.join(folder, "cmdline")))
      return Option.toArray(line).map((words) => words.split("\0"))
    }),
    { concurrency: 16 }
  )
  return lines.flat()
})

type CommandLine = ReadonlyArray<string>

const programOf = ([program = ""]: CommandLine): string => program.slice(program.lastIndexOf("/") + 1)

/** Returns the value of a flag: `--config X` or `--config=X`. */
const flagOf = (words: CommandLine, ...flags: ReadonlyArray<string>): string | undefined =>
  words.flatMap((word, index) =>
    flags.includes(word)
      ? [words[index + 1]]
      : flags.some((flag) => word.startsWith(`${flag}=`))
      ? [word.slice(word.indexOf("=") + 1)]
      : []
  )[0]

/** Finds a daemon whose configuration file names the plugin folders. */
const daemon = (
  name: string,
  program: string,
  keys: ReadonlyArray<string>,
  fallback: ReadonlyArray<string>,
  { flags, socket }: { readonly flags: ReadonlyArray<string>; readonly socket: string }
) =>
  Effect.fnUntraced(function*(root: string, processes: ReadonlyArray<CommandLine>, files: ReadonlyArray<string>) {
    const words = processes.find((each) => programOf(each) === program)
    if (words === undefined) return []
    const named = flagOf(words, "--config", "-c")
    const found = yield* firstWith(root, named === undefined ? files : [named], keys)
    const endpoint = `unix://${(flagOf(words, ...flags) ?? socket).replace(/^unix:\/\//, "")}`
    return [{ name, pluginFolders: found?.value ?? fallback, source: found?.source ?? "its default", endpoint }]
  })

const containerd = daemon("containerd", "containerd", ["bin_dirs", "bin_dir"], ["/opt/cni/bin"], {
  flags: ["--address", "-a"],
  socket: "/run/containerd/containerd.sock"
})
const crio = daemon("CRI-O", "crio", ["plugin_dirs"], ["/opt/cni/bin", "/usr/libexec/cni"], {
  flags: ["--listen"],
  socket: "/var/run/crio/crio.sock"
})

/** Podman's default plugin folders. Source: containers/common, `pkg/config/default.go`. */
const podmanFolders = [
  "/usr/local/libexec/cni",
  "/usr/libexec/cni",
  "/usr/local/lib/cni",
  "/usr/lib/cni",
  "/opt/cni/bin"
]

/** The network backend that podman chose when it created its storage. */
const chosenBackend = "/var/lib/containers/storage/defaultNetworkBackend"

/** Finds podman from its files, because it has no daemon. It uses either CNI or netavark, which calls no plugins. */
const podman = Effect.fnUntraced(function*(root: string) {
  const files = [
    ...yield* dropIns(root, "/etc/containers/containers.conf.d"),
    "/etc/containers/containers.conf",
    "/usr/share/containers/containers.conf"
  ]
  const configured = yield* firstWith(root, files, ["network_backend"])
  const chosen = (yield* textIn(root, chosenBackend)).trim()
  const backend = configured?.value[0] ?? chosen
  const source = configured?.source ?? chosenBackend
  if (backend === "netavark") return [{ name: "podman", pluginFolders: undefined, source, endpoint: undefined }]
  if (backend !== "cni") return []
  const folders = yield* firstWith(root, files, ["cni_plugin_dirs"])
  return [{
    name: "podman",
    pluginFolders: folders?.value ?? podmanFolders,
    source: folders?.source ?? source,
    endpoint: undefined
  }]
})

/** Finds the runtimes of the host with this root folder. */
export const find = Effect.fnUntraced(function*(root: string) {
  const processes = yield* commandLines(root)
  const found = yield* Effect.all([
    containerd(root, processes, ["/etc/containerd/config.toml"]),
    crio(root, processes, [...yield* dropIns(root, "/etc/crio/crio.conf.d"), "/etc/crio/crio.conf"]),
    podman(root)
  ])
  return found.flat() as ReadonlyArray<Runtime>
})

/** The runtimes of this host. */
export const Runtimes = Context.Reference("cni-passthrough/Runtimes", { defaultValue: () => find("/") })
