/**
 * Finds the container runtimes of a host and their folders: from their processes and files, and on this host also from
 * their own answers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as SmallFile from "../host/SmallFile.ts"
import * as RuntimeAnswers from "./RuntimeAnswers.ts"

/** A runtime that may call plugins. */
export interface Runtime {
  readonly name: string
  /** Its plugin folders, or undefined if it sets up networks without plugins. */
  readonly pluginFolders: ReadonlyArray<string> | undefined
  /** Its folder of network configurations. */
  readonly confDir: string
  /** The file or the command that says so, or `its default`. */
  readonly source: string
  /** Only if the running runtime says it. */
  readonly version: string | undefined
  /** The configuration file that its command line names. */
  readonly configFile: string | undefined
  /** The networks that it has loaded, if it says so. */
  readonly loaded: RuntimeAnswers.Loaded | undefined
  /** Where its CRI listens, for crictl; undefined if it has none. */
  readonly endpoint: string | undefined
  /** The folder of its program, which k3s and RKE2 share with its tools; undefined if it is unknown. */
  readonly programFolder: string | undefined
}

/** What is not known of a runtime before it is asked. */
const unasked = {
  configFile: undefined,
  endpoint: undefined,
  loaded: undefined,
  programFolder: undefined,
  version: undefined
} as const

/** The default folder of network configurations of most runtimes. */
const usualConfDir = "/etc/cni/net.d"

/** The maximum size of a configuration file, in bytes. */
const maxSize = 1_048_576

/** Reads a file below a root. Returns an empty text if it is not a regular file, is too large, or cannot be read. */
const textIn = Effect.fnUntraced(function*(root: string, file: string) {
  const path = yield* Path.Path
  return yield* Effect.orElseSucceed(SmallFile.textOf(path.join(root, file), maxSize), () => "")
})

/** Lists the drop-in files of a folder below a root, highest precedence first. */
const dropIns = Effect.fnUntraced(function*(root: string, folder: string, ending = ".conf") {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(path.join(root, folder)), (): Array<string> => [])
  return names.filter((name) => name.endsWith(ending)).toSorted().toReversed().map((name) => `${folder}/${name}`)
})

/** Returns the value of the first of these keys in the first of these files that has one, and the file. */
const firstWith = Effect.fnUntraced(
  function*(root: string, files: ReadonlyArray<string>, keys: ReadonlyArray<string>, section?: string) {
    for (const file of files) {
      const whole = yield* textIn(root, file)
      const text = section === undefined ? whole : RuntimeAnswers.sectionOf(whole, section)
      const value = keys.map((key) => RuntimeAnswers.valueOf(text, key)).find((each) => each !== undefined)
      if (value !== undefined) return { value, source: file }
    }
    return undefined
  }
)

type CommandLine = ReadonlyArray<string>

/** A process that may be a runtime. */
interface Process {
  readonly words: CommandLine
  /** The folder of its executable; undefined if it is unknown. */
  readonly folder: string | undefined
}

/**
 * Lists root's processes in the host's mount namespace. Other users, and containers, could name a process like a runtime.
 */
const processesOf = Effect.fnUntraced(function*(root: string) {
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
      const executable = yield* Effect.option(fs.readLink(path.join(folder, "exe")))
      return Option.toArray(line).map((words): Process => ({
        words: words.split("\0"),
        folder: Option.getOrUndefined(Option.map(executable, path.dirname))
      }))
    }),
    { concurrency: 16 }
  )
  return lines.flat()
})

const programOf = ({ words: [program = ""] }: Process): string => program.slice(program.lastIndexOf("/") + 1)

/** Returns the value of a flag: `--config X` or `--config=X`. */
const flagOf = (words: CommandLine, ...flags: ReadonlyArray<string>): string | undefined =>
  words.flatMap((word, index) =>
    flags.includes(word)
      ? [words[index + 1]]
      : flags.some((flag) => word.startsWith(`${flag}=`))
      ? [word.slice(word.indexOf("=") + 1)]
      : []
  )[0]

/** What names the socket of a CRI, the strongest first: flags, a key in a section of the configuration, or a default. */
interface Listening {
  readonly flags: ReadonlyArray<string>
  readonly section: string
  readonly key: string
  readonly socket: string
}

/** A daemon whose configuration files name its folders. */
interface Daemon {
  readonly name: string
  readonly program: string
  /** The keys of its folders of plugins, the strongest first, and of its folder of network configurations. */
  readonly keys: { readonly plugins: ReadonlyArray<string>; readonly confDir: string }
  readonly fallback: { readonly plugins: ReadonlyArray<string>; readonly confDir: string }
  /** Where its CRI listens; undefined if it has none. */
  readonly listens: Listening | undefined
}

/** The names of containerd's CRI in `disabled_plugins`. */
const criPlugins = /^(?:cri|io\.containerd\.grpc\.v1\.cri|io\.containerd\.cri\.v1\.runtime)$/

/** Reads what the configuration of a daemon says. */
const daemon = Effect.fnUntraced(function*(
  { fallback, keys, listens, name }: Daemon,
  root: string,
  { folder, words }: Process,
  files: ReadonlyArray<string>
) {
  const configFile = flagOf(words, "--config", "-c", "-config")
  const own = configFile === undefined ? files : [configFile]
  const plugins = yield* firstWith(root, own, keys.plugins)
  const confDir = yield* firstWith(root, own, [keys.confDir])
  const disabled = yield* firstWith(root, own, ["disabled_plugins"])
  const socket = listens && (flagOf(words, ...listens.flags) ??
    (yield* firstWith(root, own, [listens.key], listens.section))?.value[0] ?? listens.socket)
  return {
    runtime: {
      ...unasked,
      name,
      pluginFolders: plugins?.value.flatMap((value) => value.split(":")) ?? fallback.plugins,
      confDir: confDir?.value[0] ?? fallback.confDir,
      source: plugins?.source ?? confDir?.source ?? "its default",
      endpoint: socket && `unix://${socket.replace(/^unix:\/\//, "")}`,
      configFile,
      programFolder: folder
    } satisfies Runtime,
    hasCri: disabled?.value.some((plugin) => criPlugins.test(plugin)) !== true
  }
})

/**
 * Finds the daemons of one kind by their processes. The containerd of Docker runs beside that of k3s, and without its CRI
 * calls no plugins itself, so it comes last.
 */
const daemons = Effect.fnUntraced(function*(
  kind: Daemon,
  root: string,
  processes: ReadonlyArray<Process>,
  files: ReadonlyArray<string>
) {
  const own = processes.filter((each) => programOf(each) === kind.program)
  const found = yield* Effect.forEach(own, (process) => daemon(kind, root, process, files))
  const ordered = [...found.filter(({ hasCri }) => hasCri), ...found.filter(({ hasCri }) => !hasCri)]
  return [...new Map(ordered.map(({ runtime }) => [`${runtime.configFile} ${runtime.endpoint}`, runtime])).values()]
})

const containerd: Daemon = {
  name: "containerd",
  program: "containerd",
  keys: { plugins: ["bin_dirs", "bin_dir"], confDir: "conf_dir" },
  fallback: { plugins: ["/opt/cni/bin"], confDir: usualConfDir },
  listens: {
    flags: ["--address", "-a"],
    section: "grpc",
    key: "address",
    socket: "/run/containerd/containerd.sock"
  }
}

const crio: Daemon = {
  name: "CRI-O",
  program: "crio",
  keys: { plugins: ["plugin_dirs"], confDir: "network_dir" },
  fallback: { plugins: ["/opt/cni/bin", "/usr/libexec/cni"], confDir: usualConfDir },
  listens: { flags: ["--listen"], section: "crio.api", key: "listen", socket: "/var/run/crio/crio.sock" }
}

/** Source: Nomad's documentation, `client` block: `cni_path`, `cni_config_dir`. */
const nomad: Daemon = {
  name: "Nomad",
  program: "nomad",
  keys: { plugins: ["cni_path"], confDir: "cni_config_dir" },
  fallback: { plugins: ["/opt/cni/bin"], confDir: "/opt/cni/config" },
  listens: undefined
}

/** Where nerdctl is installed. It has no daemon of its own. */
const nerdctlPrograms = ["/usr/local/bin/nerdctl", "/usr/bin/nerdctl"]

const nerdctlConfig = "/etc/nerdctl/nerdctl.toml"

/** Finds nerdctl beside a containerd. Source: nerdctl's documentation, `config.md`: `cni_path`, `cni_netconfpath`. */
const nerdctl = Effect.fnUntraced(function*(root: string, processes: ReadonlyArray<Process>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (!processes.some((each) => programOf(each) === "containerd")) return []
  const isThere = (program: string) => Effect.orElseSucceed(fs.exists(path.join(root, program)), () => false)
  if ((yield* Effect.filter(nerdctlPrograms, isThere)).length === 0) return []
  const plugins = yield* firstWith(root, [nerdctlConfig], ["cni_path"])
  const confDir = yield* firstWith(root, [nerdctlConfig], ["cni_netconfpath"])
  return [
    {
      ...unasked,
      name: "nerdctl",
      pluginFolders: plugins?.value ?? ["/opt/cni/bin"],
      confDir: confDir?.value[0] ?? usualConfDir,
      source: plugins?.source ?? confDir?.source ?? "its default"
    } satisfies Runtime
  ]
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
  const confDir = yield* firstWith(root, files, ["network_config_dir"])
  const podman = { ...unasked, name: "podman", confDir: confDir?.value[0] ?? usualConfDir }
  if (backend === "netavark") return [{ ...podman, pluginFolders: undefined, source } satisfies Runtime]
  if (backend !== "cni") return []
  const folders = yield* firstWith(root, files, ["cni_plugin_dirs"])
  return [
    {
      ...podman,
      pluginFolders: folders?.value ?? podmanFolders,
      source: folders?.source ?? source
    } satisfies Runtime
  ]
})

/** Finds the runtimes of the host with this root folder. */
export const find = Effect.fnUntraced(function*(root: string) {
  const processes = yield* processesOf(root)
  const found = yield* Effect.all([
    daemons(containerd, root, processes, [
      ...yield* dropIns(root, "/etc/containerd/conf.d", ".toml"),
      "/etc/containerd/config.toml"
    ]),
    daemons(crio, root, processes, [...yield* dropIns(root, "/etc/crio/crio.conf.d"), "/etc/crio/crio.conf"]),
    podman(root),
    nerdctl(root, processes),
    daemons(nomad, root, processes, yield* dropIns(root, "/etc/nomad.d", ".hcl"))
  ])
  return found.flat() as ReadonlyArray<Runtime>
})

/** A runtime by its own answer if it can be asked, or else by its files. */
const asked = Effect.fnUntraced(function*(runtime: Runtime) {
  const answer = yield* RuntimeAnswers.ask(runtime)
  return answer === undefined ? runtime : { ...runtime, ...answer }
})

/** Finds runtimes. */
type Search = Effect.Effect<ReadonlyArray<Runtime>, never, FileSystem.FileSystem | Path.Path | ProcessRunner>

const search: Search = Effect.flatMap(
  find("/"),
  (found) =>
    Effect.forEach(found, (runtime) => runtime.name === "podman" ? Effect.succeed(runtime) : asked(runtime), {
      concurrency: "unbounded"
    })
)

/** The runtimes of this host: daemons by their own answers, or else by their files. */
export const Runtimes: Context.Reference<Search> = Context.Reference<Search>("cni-passthrough/Runtimes", {
  defaultValue: () => search
})

/** Asks podman too. That is slow, so only for output that people read. */
export const withPodman = (runtimes: ReadonlyArray<Runtime>) =>
  Effect.forEach(runtimes, (runtime) => runtime.name === "podman" ? asked(runtime) : Effect.succeed(runtime))

/** `containerd 2.3.4, conf /etc/cni/net.d, plugins /opt/cni/bin (crictl info)` */
export const inWords = ({ confDir, name, pluginFolders, source, version }: Runtime): string => {
  const who = version === undefined ? name : `${name} ${version}`
  return pluginFolders === undefined
    ? `${who} makes networks with netavark, which calls no plugins, so there is nothing to wrap: its rules are in the ` +
      `table netavark of nftables, or in the chains NETAVARK-* of iptables (${source})`
    : `${who}, conf ${confDir}, plugins ${pluginFolders.join(":")} (${source})`
}
