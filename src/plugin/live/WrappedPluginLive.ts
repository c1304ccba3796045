/** Finds the original of a wrapped plugin, and runs it or becomes it. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parentVariable, traceVariable } from "../../cni/Environment.ts"
import * as Execution from "../../exec/Execution.ts"
import * as IgnoredSignals from "../../exec/IgnoredSignals.ts"
import * as Libc from "../../exec/Libc.ts"
import { notStarted } from "../../exec/NodeProcessRunner.ts"
import * as ProcessReplacement from "../../exec/ProcessReplacement.ts"
import * as ProcessRoom from "../../exec/ProcessRoom.ts"
import { NotStarted, type ProcessRunner } from "../../exec/ProcessRunner.ts"
import * as StubFile from "../../exec/StubFile.ts"
import * as WrapFolder from "../../exec/WrapFolder.ts"
import type { InvokedAs } from "../InvokedAs.ts"
import type { Unfinished } from "../StdinReader.ts"
import { WrappedPlugin } from "../WrappedPlugin.ts"

/** How many bytes of a plugin's stdout, and of its stderr, to keep for the log. All of it is passed on. */
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

/** The maximum size of our configuration, in bytes. */
const longestConfig = 1_048_576

/**
 * Reads our configuration. Returns an empty text if it is not a regular file or is too large: a pipe would keep the
 * plugin waiting.
 */
const configOf = (folder: string): string | undefined =>
  attempt(() => {
    const file = Path.join(folder, WrapFolder.ownFolder, WrapFolder.config)
    const stat = Fs.statSync(file)
    return stat.isFile() && stat.size <= longestConfig ? Fs.readFileSync(file, "utf8") : ""
  })

/** Returns the place to which `wrap` moves a plugin's original file. */
const originalOf = (file: string): string =>
  Path.join(Path.dirname(file), WrapFolder.ownFolder, WrapFolder.plugins, Path.basename(file))

const isThere = (file: string): boolean => identityOf(file) !== undefined

/**
 * Finds the original file of the plugin. Looks where `wrap` sets it aside, in the folder that we were called in or in
 * the folder to which a link there leads. Otherwise takes the next file of its name that is not us. After an `unwrap`,
 * that is the plugin in its own place. A stub of another folder counts only if that folder has its plugin.
 */
const find = ({ argv0, folder, name }: InvokedAs, cniPath: string): string | undefined => {
  const place = Path.join(folder, name)
  const real = attempt(() => Fs.realpathSync(place)) ?? place
  const original = [originalOf(place), originalOf(real)].find(isThere)
  if (original !== undefined) return original
  const us = new Set(
    ["/proc/self/exe", process.argv[1] ?? "", ...(StubFile.isStub(place) ? [argv0] : [])].map(identityOf)
  )
  return [folder, ...cniPath.split(":")].filter(Path.isAbsolute).map((each) => Path.join(each, name))
    .find((file) => isThere(file) && !us.has(identityOf(file)) && (!StubFile.isStub(file) || isThere(originalOf(file))))
}

/** Whether the kernel can execute a file. Node.js would pass others to a shell. */
const isProgram = (file: string): boolean => /^(?:#!|\x7fELF)/.test(StubFile.startOf(file) ?? "#!")

/**
 * Ends this process with a signal. The engines have no names for some signals, and ignore others until a handler is
 * set.
 */
const endWithSignal = (name: string, number: number): void => {
  process.removeAllListeners(name)
  const libc = Libc.load()
  if (libc !== undefined) {
    libc.resetSignal(number)
    return libc.kill(process.pid, number)
  }
  attempt(() => process.on(name, () => {}).removeAllListeners(name)) // SIGKILL cannot have a handler
  process.kill(process.pid, number)
}

/**
 * Returns the environment of the plugin. A stub in another folder has its own log, which does not contain our run, so
 * it gets our parent, if there is one, as its parent.
 */
const environmentOf = (file: string, env: { readonly [name: string]: string | undefined }) => {
  const parent = process.env[parentVariable]
  return parent !== undefined && StubFile.isStub(file) ? { ...env, [parentVariable]: parent } : env
}

/** Whether a text contains U+FFFD, with which the engine replaces bytes that are not UTF-8. */
const isLossy = (text: string | undefined): boolean => text?.includes("\ufffd") === true

/**
 * Returns the plugin's whole environment as bytes, with our values of the variables that we set. Returns undefined if we
 * cannot read our own environment.
 */
const bytesOf = (env: { readonly [name: string]: string | undefined }): ReadonlyArray<Uint8Array> | undefined =>
  attempt(() => {
    const isInTrace = env[traceVariable] !== process.env[traceVariable]
    const names = isInTrace ? [parentVariable, traceVariable] : [parentVariable]
    const starts = names.map((name) => Buffer.from(`${name}=`))
    const inherited: Array<Uint8Array> = []
    const all = Fs.readFileSync("/proc/self/environ")
    for (let from = 0; from < all.length;) {
      const end = all.indexOf(0, from)
      const entry = all.subarray(from, end < 0 ? all.length : end)
      if (!starts.some((start) => entry.subarray(0, start.length).equals(start))) inherited.push(entry)
      from += entry.length + 1
    }
    return [...inherited, ...names.map((name) => Buffer.from(`${name}=${env[name] ?? ""}`))]
  })

const noRoom = (file: string) => notStarted(file, Object.assign(new Error(), { code: "EAGAIN" }))

/** The wrapped plugin on this host. `unfinished` returns a stdin that is still arriving. */
export const make = (
  invokedAs: InvokedAs,
  runner: ProcessRunner["Service"],
  unfinished: () => Unfinished | undefined
) => {
  const { argv0, arguments: args, folder, name } = invokedAs
  const invocationOf = (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ): Execution.Invocation => {
    const [more, variables] = [unfinished(), environmentOf(file, env)]
    const needsBytes = Object.entries(env).some((entry) => entry.some(isLossy)) || IgnoredSignals.atStart().length > 0
    const environment = needsBytes && process.versions["bun"] !== undefined ? bytesOf(variables) : undefined
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
      ...(more === undefined ? {} : { moreStdin: more.next })
    }
  }
  return WrappedPlugin.of({
    name,
    config: Effect.sync(() => configOf(folder)),
    find: (cniPath) => Effect.sync(() => find(invokedAs, cniPath)),
    run: (file, env, stdin) => {
      if (!isProgram(file)) {
        return new NotStarted({ program: file, code: "ENOEXEC", reason: "exec format error", cause: undefined })
      }
      return ProcessRoom.hasRoom() ? runner.run(invocationOf(file, env, stdin)) : noRoom(file)
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
        endWithSignal(signal, number)
        // If the signal does not end this process, exit with the status that shells use for it.
        setTimeout(() => process.exit(128 + number), 100)
      })
  })
}
