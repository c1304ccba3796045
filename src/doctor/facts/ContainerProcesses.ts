/** The processes that do CNI work for containers: runtimes, their shims, and plugins. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** A process that works for a container. */
export interface ContainerProcess {
  readonly pid: number
  /** Its name, as `ps` shows it. */
  readonly name: string
  /** CNI_CONTAINERID and CNI_IFNAME of a plugin; empty for other processes. */
  readonly containerId: string
  readonly ifname: string
  /** The arguments of a runtime or of its shim, joined by NUL; empty for other processes. */
  readonly args: string
}

/** Executables that take the identifiers of their containers as arguments. */
const runtime =
  /^(?:containerd-shim\S*|conmon|conmonrs|crun|runc|youki|runsc|kata-runtime|podman|buildah|crio|nerdctl|ctr)$/

/**
 * The name of an executable, from its link in /proc. A package may have replaced the file of a running program, and
 * runc and crun start copies of themselves.
 */
const executableOf = (link: string): string => {
  const path = link.replace(/ \(deleted\)$/, "")
  const copy = /^\/memfd:(runc|crun)_/.exec(path)?.[1]
  return copy ?? path.slice(path.lastIndexOf("/") + 1)
}

/** The IDs of all processes. */
export const pids = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory("/proc"), () => [])
  return names.filter((name) => /^\d+$/.test(name)).map(Number)
})

const read = Effect.fnUntraced(function*(pid: number, name: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/${name}`), () => "")
})

/** A process, its parent, and so on. The name in `stat` may contain parentheses. */
const lineOf = Effect.fnUntraced(function*(pid: number) {
  const line: Array<number> = []
  for (let next = pid; next > 0 && !line.includes(next);) {
    line.push(next)
    const stat = yield* read(next, "stat")
    next = Number(/^ \S (\d+)/.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1] ?? 0)
  }
  return line as ReadonlyArray<number>
})

const look = Effect.fnUntraced(function*(pid: number) {
  const fs = yield* FileSystem.FileSystem
  const environment = (yield* read(pid, "environ")).split("\0")
  const valueOf = (name: string) =>
    environment.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? ""
  const command = yield* read(pid, "cmdline")
  const [program = ""] = command.split("\0")
  // Without permission to read the link, use the name that the process gives itself.
  const executable = executableOf(yield* Effect.orElseSucceed(fs.readLink(`/proc/${pid}/exe`), () => program))
  const containerId = valueOf("CNI_CONTAINERID")
  const args = runtime.test(executable) ? command : ""
  if (containerId === "" && args === "") return []
  const name = (yield* read(pid, "comm")).trim() || executable
  return [{ pid, name, containerId, ifname: valueOf("CNI_IFNAME"), args } satisfies ContainerProcess]
})

const all = Effect.fnUntraced(function*() {
  return (yield* Effect.forEach(yield* pids(), look, { concurrency: 16 })).flat() as ReadonlyArray<ContainerProcess>
})

/**
 * All such processes except the ancestors and the descendants of this one. A shell may well have a container's
 * identifier in the line that runs this command, and a script may have it in its environment.
 */
export const list = Effect.fnUntraced(function*() {
  const own = yield* lineOf(process.pid)
  return (yield* Effect.filter(
    (yield* all()).filter(({ pid }) => !own.includes(pid)),
    ({ pid }) => Effect.map(lineOf(pid), (line) => !line.includes(process.pid)),
    { concurrency: 16 }
  )) as ReadonlyArray<ContainerProcess>
})

/** The attachments that running plugins handle, according to their environment. */
export const attachments = Effect.fnUntraced(function*() {
  return (yield* all()).flatMap(({ containerId, ifname }) =>
    containerId === "" || ifname === "" ? [] : [{ containerID: containerId, ifname }]
  )
})

/** Identifiers of at least this length are also found within a word, such as `libpod-<ID>.scope`. */
const unmistakable = 12

const isAmong = (args: string, containerId: string): boolean => {
  if (containerId.length >= unmistakable) return args.includes(containerId)
  const name = containerId.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  return new RegExp(`(?<![\\w.-])${name}(?![\\w.-])`).test(args)
}

/** The process that works for a container; undefined if there is none. */
export const of = (processes: ReadonlyArray<ContainerProcess>, containerId: string): ContainerProcess | undefined =>
  containerId === ""
    ? undefined
    : processes.find((each) => each.containerId === containerId || isAmong(each.args, containerId))

/** `process 4711 (conmon) is working for it` */
export const inWords = ({ name, pid }: ContainerProcess): string => `process ${pid} (${name}) is working for it`
