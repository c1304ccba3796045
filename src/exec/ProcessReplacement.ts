/** Replaces this process with a program, for hosts without the resources to run it beside us. */
import * as Fs from "node:fs"
import { Descriptors } from "./Descriptors.ts"
import type * as Execution from "./Execution.ts"
import * as Libc from "./Libc.ts"
import * as Pipes from "./Pipes.ts"

const string = (bytes: string | Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(bytes as string), Buffer.alloc(1)])

/** Signals that the engines ignore, by name and number. Programs expect their default actions. */
const ignoredByEngines = { SIGPIPE: 13, SIGXFSZ: 25 } as const

/** Makes descriptor 0 read these bytes. Opening a file uses the lowest free descriptor, so close 0 first. */
const provideStdin = (stdin: Uint8Array): void => {
  const libc = Libc.load()
  if (libc?.wasClosed(0) === true) return
  Fs.closeSync(0)
  const descriptors = new Descriptors()
  try {
    Pipes.fileWith(descriptors, stdin)
  } catch (error) {
    descriptors.close() // so that 0 is free again
    const pipe = libc?.pipe() // the file size limit is too low, but a small stdin fits into a pipe
    if (libc === undefined || pipe === undefined) throw error
    libc.setNonBlocking(pipe[1])
    if (Fs.writeSync(pipe[1], stdin) < stdin.length) throw error
  }
  libc?.clearCloseOnExec(0)
}

/** Replaces this process with a program. Throws if that fails. */
export const replaceProcess = (
  { argv, argv0, env, environment, moreStdin, stdin }: Execution.Invocation
): never => {
  const [file, ...args] = argv
  if (moreStdin !== undefined) throw new Error("its stdin is still arriving")
  if (stdin !== undefined) provideStdin(Buffer.from(stdin as string))
  const libc = Libc.load()
  for (const number of libc === undefined ? [] : Object.values(ignoredByEngines)) libc?.resetSignal(number)
  const entries = environment ??
    Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}`])
  libc?.execute(string(file), [argv0 ?? file, ...args].map(string), entries.map(string))
  if (libc !== undefined || process.execve === undefined) throw new Error("execve failed")
  // execve(2) resets handled signals to their defaults, and keeps ignored ones ignored.
  for (const name of Object.keys(ignoredByEngines)) process.on(name, () => {})
  return process.execve(file, [argv0 ?? file, ...args], env as NodeJS.ProcessEnv)
}
