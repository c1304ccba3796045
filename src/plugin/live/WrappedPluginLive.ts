import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parentVariable } from "../../cni/Environment.ts"
import * as Execution from "../../exec/Execution.ts"
import * as IgnoredSignals from "../../exec/IgnoredSignals.ts"
import * as Libc from "../../exec/Libc.ts"
import { notStarted } from "../../exec/NodeProcessRunner.ts"
import * as OwnFolder from "../../exec/OwnFolder.ts"
import * as ProcessReplacement from "../../exec/ProcessReplacement.ts"
import { NotStarted, type ProcessRunner } from "../../exec/ProcessRunner.ts"
import * as StubFile from "../../exec/StubFile.ts"
import type { InvokedAs } from "../InvokedAs.ts"
import type { Unfinished } from "../StdinReader.ts"
import { WrappedPlugin } from "../WrappedPlugin.ts"

/** How much of a plugin's stdout, and of its stderr, is kept for the log, in bytes. All of it goes on. */
const limit = 64 * Execution.defaultLimit

const attempt = <A>(io: () => A): A | undefined => {
  try {
    return io()
  } catch {
    return undefined
  }
}

const identityOf = (file: string): string | undefined =>
  attempt(() => {
    const stat = Fs.statSync(file)
    return stat.isFile() ? `${stat.dev}:${stat.ino}` : undefined
  })

/** How long our configuration may be, in bytes. */
const longestConfig = 1_048_576

/** Our configuration; an empty text where something else is in its place: a pipe would keep the plugin waiting. */
const configOf = (folder: string): string | undefined =>
  attempt(() => {
    const file = Path.join(folder, OwnFolder.ownFolder, OwnFolder.config)
    const stat = Fs.statSync(file)
    return stat.isFile() && stat.size <= longestConfig ? Fs.readFileSync(file, "utf8") : ""
  })

/** The file that was put aside when a stub was put in the place of this one. */
const asideOf = (file: string): string =>
  Path.join(Path.dirname(file), OwnFolder.ownFolder, OwnFolder.plugins, Path.basename(file))

const isThere = (file: string): boolean => identityOf(file) !== undefined

/**
 * The plugin: put aside in the folder that we were called in, or in the one that a link there leads to, or else the next
 * file of its name that is not us: a stub of another folder is one as long as that folder has its plugin. What stands in
 * our place may be the plugin again, since an `unwrap`.
 */
const find = ({ argv0, folder, name }: InvokedAs, cniPath: string): string | undefined => {
  const place = Path.join(folder, name)
  const real = attempt(() => Fs.realpathSync(place)) ?? place
  const aside = [asideOf(place), asideOf(real)].find(isThere)
  if (aside !== undefined) return aside
  const us = new Set(
    ["/proc/self/exe", process.argv[1] ?? "", ...(StubFile.isStub(place) ? [argv0] : [])].map(identityOf)
  )
  return [folder, ...cniPath.split(":")].filter(Path.isAbsolute).map((each) => Path.join(each, name))
    .find((file) => isThere(file) && !us.has(identityOf(file)) && (!StubFile.isStub(file) || isThere(asideOf(file))))
}

/** What the kernel refuses, and Node.js would hand to a shell. */
const isProgram = (file: string): boolean => /^(?:#!|\x7fELF)/.test(StubFile.startOf(file) ?? "#!")

/**
 * The working directory for plugins, or undefined for ours. The standalone form has left its own, because Bun does not
 * start in a deleted directory, so we use that of our caller. Through /proc we can enter it even if it was deleted. If
 * that fails, or the caller is unknown, we use PWD.
 */
const callersFolder = (): string | undefined => {
  if (process.versions["bun"] === undefined) return undefined
  const { PWD = "" } = process.env
  return [`/proc/${process.ppid}/cwd`, ...Path.isAbsolute(PWD) ? [PWD] : []].find((folder) =>
    attempt(() => (Fs.accessSync(folder, Fs.constants.X_OK), Fs.statSync(folder).isDirectory())) === true
  )
}

/**
 * Lets a signal end this process. The engines have no name for some signals, and ignore others until a handler is set.
 */
const endBy = (name: string, number: number): void => {
  process.removeAllListeners(name)
  const libc = Libc.load()
  if (libc !== undefined) {
    libc.resetSignal(number)
    return libc.kill(process.pid, number)
  }
  attempt(() => process.on(name, () => {}).removeAllListeners(name)) // SIGKILL cannot have a handler
  process.kill(process.pid, number)
}

/** What the plugin finds around it. A stub of another folder has a log of its own, where nobody knows our run. */
const environmentOf = (file: string, env: { readonly [name: string]: string | undefined }) => {
  const parent = process.env[parentVariable]
  return parent !== undefined && StubFile.isStub(file) ? { ...env, [parentVariable]: parent } : env
}

/** U+FFFD, with which the engine replaces bytes that are not UTF-8. */
const isUnknown = (text: string | undefined): boolean => text?.includes("\ufffd") === true

/**
 * The plugin's whole environment as bytes, or undefined if all of it is UTF-8. One variable has a value that we set.
 */
const bytesOf = (env: { readonly [name: string]: string | undefined }): ReadonlyArray<Uint8Array> | undefined =>
  attempt(() => {
    const mine = Buffer.from(`${parentVariable}=`)
    const came: Array<Uint8Array> = []
    const all = Fs.readFileSync("/proc/self/environ")
    for (let from = 0; from < all.length;) {
      const end = all.indexOf(0, from)
      const entry = all.subarray(from, end < 0 ? all.length : end)
      if (!entry.subarray(0, mine.length).equals(mine)) came.push(entry)
      from += entry.length + 1
    }
    return [...came, Buffer.concat([mine, Buffer.from(env[parentVariable] ?? "")])]
  })

/**
 * The lowest limit of processes, which counts threads too, at which we run a plugin beside us. Our engine needs up to
 * fifteen, and aborts if it cannot start one.
 */
const leastProcesses = 40

/** The limit of processes for our user. */
const processLimit = (): number =>
  Libc.load()?.processLimit() ?? attempt(() => {
    const [, soft] = /^Max processes\s+(\d+)/m.exec(Fs.readFileSync("/proc/self/limits", "utf8")) ?? []
    return soft === undefined ? undefined : Number(soft)
  }) ?? Number.POSITIVE_INFINITY

/** How many more processes our cgroup allows; not a number if it has no limit. The first version has it in a folder. */
const cgroupRoom = (): number =>
  attempt(() => {
    const text = Fs.readFileSync("/proc/self/cgroup", "utf8")
    const [, first] = /^\d+:pids:(.*)/m.exec(text) ?? []
    const folder = `/sys/fs/cgroup${first === undefined ? /^0::(.*)/m.exec(text)?.[1] : `/pids${first}`}`
    const [max, current] = ["max", "current"].map((name) => Number(Fs.readFileSync(`${folder}/pids.${name}`, "utf8")))
    return Number(max) - Number(current)
  }) ?? Number.NaN

/** Whether there is room for a plugin beside us. The limit of a user does not apply to root. */
const hasRoom = (): boolean =>
  (process.getuid?.() === 0 || processLimit() >= leastProcesses) && !(cgroupRoom() < leastProcesses)

const noRoom = (file: string) => notStarted(file, Object.assign(new Error(), { code: "EAGAIN" }))

/** The wrapped plugin of this name on this host. `unfinished` is a stdin that is still arriving. */
export const make = (
  called: InvokedAs,
  runner: ProcessRunner["Service"],
  unfinished: () => Unfinished | undefined
) => {
  const { argv0, arguments: args, folder, name } = called
  const invocationOf = (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ): Execution.Invocation => {
    const [cwd, more, variables] = [callersFolder(), unfinished(), environmentOf(file, env)]
    const isOdd = Object.entries(env).some((entry) => entry.some(isUnknown)) || IgnoredSignals.atStart().length > 0
    const environment = isOdd && process.versions["bun"] !== undefined ? bytesOf(variables) : undefined
    return {
      argv: [file, ...args],
      argv0,
      env: variables,
      stdio: "pipes",
      foreground: true,
      limit,
      ...(variables === env ? { mark: `${parentVariable}=${env[parentVariable] ?? ""}` } : {}),
      ...(environment === undefined ? {} : { environment }),
      ...(stdin === undefined ? {} : { stdin }),
      ...(more === undefined ? {} : { moreStdin: more.next }),
      ...(cwd === undefined ? {} : { cwd })
    }
  }
  return WrappedPlugin.of({
    name,
    config: Effect.sync(() => configOf(folder)),
    find: (cniPath) => Effect.sync(() => find(called, cniPath)),
    run: (file, env, stdin) => {
      if (!isProgram(file)) {
        return new NotStarted({ program: file, code: "ENOEXEC", reason: "exec format error", cause: undefined })
      }
      return hasRoom() ? runner.run(invocationOf(file, env, stdin)) : noRoom(file)
    },
    become: (file, env, stdin) =>
      Effect.try({
        try: () => ProcessReplacement.replaceProcess(invocationOf(file, env, stdin)),
        catch: (cause) => notStarted(file, cause)
      }),
    end: ({ exitCode, signal }) =>
      Effect.callback(() => {
        if (signal === null) process.exit(exitCode ?? 0)
        const { signals } = process.getBuiltinModule("node:os").constants
        const number = signals[signal as NodeJS.Signals] ?? Number(/^SIG(\d+)$/.exec(signal)?.[1] ?? 0)
        endBy(signal, number)
        // Where a signal does not end us all the same, shells have a number for that.
        setTimeout(() => process.exit(128 + number), 100)
      })
  })
}
