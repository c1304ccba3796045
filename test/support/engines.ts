/** Runs programs of tests by the engines of the plugin: Node.js, and Bun, which the standalone executable has in it. */
import * as ChildProcess from "node:child_process"
import { createRequire } from "node:module"
import * as Path from "node:path"
import { path, repository } from "./plugin.ts"

const packages = createRequire(createRequire(import.meta.url).resolve("cni-passthrough-bun/package.json"))

const bun = packages.resolve(`@oven/bun-linux-${process.arch === "x64" ? "x64" : "aarch64"}/bin/bun`)

/** The engines, each with its executable. */
export const engines = { "Node.js": process.execPath, Bun: bun } as const

export type Engine = keyof typeof engines

export interface Start {
  readonly engine: Engine
  /** A TypeScript file, from the folder of the tests. */
  readonly program: string
  readonly args?: ReadonlyArray<string>
  /** A shell command that starts the program, which is `"$@"` in it. */
  readonly via?: string
  readonly env?: { readonly [name: string]: string }
  readonly cwd?: string
}

/** The command that starts a program. */
export const command = (
  { args = [], engine, program, via = "exec \"$@\"" }: Start
): readonly [shell: string, ...args: ReadonlyArray<string>] => [
  "/bin/sh",
  "-c",
  via,
  "sh",
  engines[engine],
  Path.join(repository, "test", program),
  ...args
]

/** How long a program may take that hangs, in milliseconds: far longer than all of them take on a busy machine. */
const patience = 30_000

/** Starts a program, in a process group that is killed where it hangs. */
export const spawn = (start: Start): ChildProcess.ChildProcessWithoutNullStreams => {
  const [shell, ...args] = command(start)
  const child = ChildProcess.spawn(shell, args, { env: { PATH: path, ...start.env }, cwd: "/", detached: true })
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), patience)
  child.once("close", () => clearTimeout(timer))
  return child
}

/** Runs a program to its end, or kills it where it hangs. */
export const run = (start: Start, options: ChildProcess.SpawnSyncOptions = {}) => {
  const [shell, ...args] = command(start)
  return ChildProcess.spawnSync(shell, args, {
    env: { PATH: path, ...start.env },
    cwd: start.cwd ?? "/",
    timeout: patience,
    killSignal: "SIGKILL",
    ...options,
    encoding: "utf8"
  })
}
