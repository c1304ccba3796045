import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parentVariable } from "../../cni/Environment.ts"
import { Descriptors } from "../../exec/Descriptors.ts"
import * as Execution from "../../exec/Execution.ts"
import { notStarted } from "../../exec/NodeProcessRunner.ts"
import * as OwnFolder from "../../exec/OwnFolder.ts"
import * as Pipes from "../../exec/Pipes.ts"
import { NotStarted, type ProcessRunner } from "../../exec/ProcessRunner.ts"
import * as StubFile from "../../exec/StubFile.ts"
import type { Called } from "../Called.ts"
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
const find = ({ argv0, folder, name }: Called, cniPath: string): string | undefined => {
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
 * The working directory of our caller, which plugins are started in. The standalone form has left it for one that is
 * certain to be there.
 */
const callersFolder = (): string | undefined =>
  process.versions["bun"] === undefined ? undefined : attempt(() => {
    const folder = Fs.readlinkSync(`/proc/${process.ppid}/cwd`)
    return Fs.existsSync(folder) ? folder : undefined
  })

/** What the plugin finds around it. A stub of another folder has a log of its own, where nobody knows our run. */
const environmentOf = (file: string, env: { readonly [name: string]: string | undefined }) => {
  const parent = process.env[parentVariable]
  return parent !== undefined && StubFile.isStub(file) ? { ...env, [parentVariable]: parent } : env
}

/** The plugin of this name on this host. */
export const make = (called: Called, runner: ProcessRunner["Service"]) => {
  const { argv0, arguments: args, folder, name } = called
  return WrappedPlugin.of({
    name,
    config: Effect.sync(() => configOf(folder)),
    find: (cniPath) => Effect.sync(() => find(called, cniPath)),
    run: (file, env, stdin) => {
      if (!isProgram(file)) {
        return new NotStarted({ program: file, code: "ENOEXEC", reason: "exec format error", cause: undefined })
      }
      const cwd = callersFolder()
      return runner.run({
        argv: [file, ...args],
        argv0,
        env: environmentOf(file, env),
        stdio: "pipes",
        inOurPlace: true,
        limit,
        ...(stdin === undefined ? {} : { stdin }),
        ...(cwd === undefined ? {} : { cwd })
      })
    },
    become: (file, env, stdin) =>
      Effect.try({
        try: () => {
          if (stdin !== undefined) {
            Fs.closeSync(0)
            Pipes.fileWith(new Descriptors(), stdin) // gets the lowest descriptor that is free: 0
          }
          const cwd = callersFolder()
          if (cwd !== undefined) process.chdir(cwd)
          if (process.execve === undefined) throw new Error("this Node.js cannot replace itself")
          return process.execve(file, [argv0, ...args], env as NodeJS.ProcessEnv)
        },
        catch: (cause) => notStarted(file, cause)
      }),
    end: ({ exitCode, signal }) =>
      Effect.callback(() => {
        if (signal === null) process.exit(exitCode ?? 0)
        if (signal === "SIGPIPE") process.on(signal, () => {}) // the runtimes ignore it until somebody listened to it
        process.removeAllListeners(signal)
        process.kill(process.pid, signal)
        // Where a signal does not end us all the same, shells have a number for that.
        const number = process.getBuiltinModule("node:os").constants.signals[signal as NodeJS.Signals] ?? 0
        setTimeout(() => process.exit(128 + number), 100)
      })
  })
}
