/**
 * Finds and runs tools of the host such as `ip`, `nft` and `logger`. Plugin folders on PATH are skipped, because
 * `bridge` is both a tool of iproute2 and a CNI plugin.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { searchPath } from "../cni/Environment.ts"
import type * as Execution from "./Execution.ts"
import { NotStarted, ProcessRunner } from "./ProcessRunner.ts"
import * as StubFile from "./StubFile.ts"
import * as WrapFolder from "./WrapFolder.ts"

type Variables = Execution.Invocation["env"]

/** The tools of the host. */
export interface Tools {
  /**
   * Returns the absolute path of a tool, or undefined if PATH has it only in plugin folders or not at all, and none of
   * the other folders has it. These may be plugin folders: k3s has its plugins and its tools in one.
   */
  readonly find: (name: string, others?: ReadonlyArray<string>) => string | undefined
  readonly env: Variables
}

/** A variable in the environment of the tools that we start. A shim that finds it takes no snapshot of the host. */
export const insideTool = "PASSTHROUGH_INSIDE_TOOL"

/** The folders where runtimes and distributions install plugins. */
const knownPluginFolders = [
  "/opt/cni/bin",
  "/usr/lib/cni",
  "/usr/libexec/cni",
  "/usr/local/lib/cni",
  "/usr/local/libexec/cni"
]

const identityOf = (path: string): string | undefined => {
  try {
    const stat = Fs.statSync(path, { throwIfNoEntry: false })
    return stat && `${stat.dev}:${stat.ino}`
  } catch {
    return undefined
  }
}

const realFolderOf = (file: string): string | undefined => {
  try {
    return Path.dirname(Fs.realpathSync(file))
  } catch {
    return undefined
  }
}

const isExecutable = (file: string): boolean => {
  try {
    const stat = Fs.statSync(file, { throwIfNoEntry: false })
    return stat !== undefined && stat.isFile() && (stat.mode & 0o111) !== 0
  } catch {
    return false
  }
}

/**
 * Returns the absolute folders of PATH, then the `sbin` folders, which PATH often lacks for users other than root.
 * Relative folders are skipped, because they depend on the working directory.
 */
const foldersOf = (variables: Variables): ReadonlyArray<string> => {
  const folders = searchPath({ variables }).split(":").filter(Path.isAbsolute)
  return process.getuid?.() === 0 ? folders : [...folders, "/usr/sbin", "/sbin"]
}

const withoutCni = (variables: Variables): Variables =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith("CNI_")))

/**
 * Returns the tools that a process with this environment finds. `pluginFolders` are plugin folders that CNI_PATH does
 * not name.
 */
export const make = (variables: Variables, pluginFolders: ReadonlyArray<string> = []): Tools => {
  const named = [...(variables["CNI_PATH"] ?? "").split(":"), ...pluginFolders].filter(Path.isAbsolute)
  let plugins: ReadonlySet<string | undefined> | undefined
  let folders: ReadonlyArray<string> | undefined
  const isOfPlugins = (folder: string): boolean => {
    plugins ??= new Set([...knownPluginFolders, ...named].map(identityOf).filter((each) => each !== undefined))
    return plugins.has(identityOf(folder)) || Fs.existsSync(Path.join(folder, WrapFolder.ownFolder))
  }
  const toolFolders = () => folders ??= foldersOf(variables).filter((folder) => !isOfPlugins(folder))
  const own = () => ["/proc/self/exe", process.argv[1] ?? ""].map(identityOf)
  const isTool = (file: string): boolean =>
    isExecutable(file) && !isOfPlugins(realFolderOf(file) ?? "/") && !StubFile.isStub(file) &&
    !own().includes(identityOf(file))
  return {
    find: (name, others = []) =>
      toolFolders().map((folder) => Path.join(folder, name)).find(isTool) ??
        others.map((folder) => Path.join(folder, name)).find((file) => isExecutable(file) && !StubFile.isStub(file)),
    get env() {
      return { ...withoutCni(variables), PATH: toolFolders().join(":"), LC_ALL: "C", [insideTool]: "1" }
    }
  }
}

/** The tools of this process. */
export const HostTools: Context.Reference<Tools> = Context.Reference("cni-passthrough/HostTools", {
  defaultValue: () => make(process.env)
})

/** Runs an effect that does not look for tools in these plugin folders. */
export const withoutPluginFolders =
  (pluginFolders: ReadonlyArray<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, HostTools, make(process.env, pluginFolders))

/** A call of a tool. */
export interface Call extends Omit<Execution.Invocation, "env"> {
  /** The path of the network namespace to run in. Default: ours. */
  readonly netns?: string | undefined
}

/** The program and the arguments of a call, with absolute paths, and the environment of tools. */
export const located = Effect.fnUntraced(function*({ argv: [tool, ...args], netns }: Pick<Call, "argv" | "netns">) {
  const { env, find } = yield* HostTools
  const pathOf = (name: string) => Path.isAbsolute(name) ? name : find(name)
  const missing = (program: string) =>
    new NotStarted({ program, code: "ENOENT", reason: "no such file or directory", cause: undefined })
  const file = pathOf(tool)
  if (file === undefined) return yield* missing(tool)
  if (netns === undefined) return { argv: [file, ...args] as const, env }
  const nsenter = pathOf("nsenter")
  if (nsenter === undefined) return yield* missing("nsenter")
  return { argv: [nsenter, `--net=${netns}`, "--", file, ...args] as const, env }
})

/** Runs a tool. Fails with code `ENOENT` if the tool, or `nsenter` for another namespace, is not found. */
export const run = Effect.fnUntraced(function*({ argv, netns, ...options }: Call) {
  const runner = yield* ProcessRunner
  return yield* runner.run({ ...options, ...(yield* located({ argv, netns })) })
})
