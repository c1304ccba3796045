/** Puts a program into the place of this process for good, where there is no room for it beside us. */
import * as Fs from "node:fs"
import { Descriptors } from "./Descriptors.ts"
import type * as Execution from "./Execution.ts"
import * as Libc from "./Libc.ts"
import * as Pipes from "./Pipes.ts"

const string = (bytes: string | Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(bytes as string), Buffer.alloc(1)])

/** What we ignore and programs do not, by name and number: our engine does. */
const ignoredByEngines = { SIGPIPE: 13, SIGXFSZ: 25 } as const

/** Makes the descriptor 0 one that reads these bytes. It is the lowest, so it is the one that is opened next. */
const provideStdin = (stdin: Uint8Array): void => {
  const libc = Libc.load()
  if (libc?.wasClosed(0) === true) return
  Fs.closeSync(0)
  try {
    Pipes.fileWith(new Descriptors(), stdin)
  } catch (error) {
    const pipe = libc?.pipe() // the size of files is limited, and stdin is small: it fits into a pipe
    if (libc === undefined || pipe === undefined) throw error
    libc.neverWait(pipe[1])
    if (Fs.writeSync(pipe[1], stdin) < stdin.length) throw error
  }
  libc?.keepOpen(0)
}

/** Lets a program take our place. Throws where that is impossible. */
export const replaceUs = ({ argv, argv0, cwd, env, environment, moreStdin, stdin }: Execution.Invocation): never => {
  const [file, ...args] = argv
  if (moreStdin !== undefined) throw new Error("its stdin has not come to its end")
  if (stdin !== undefined) provideStdin(Buffer.from(stdin as string))
  if (cwd !== undefined) process.chdir(cwd)
  const libc = Libc.load()
  for (const number of libc === undefined ? [] : Object.values(ignoredByEngines)) libc?.resetSignal(number)
  const entries = environment ??
    Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}`])
  libc?.execute(string(file), [argv0 ?? file, ...args].map(string), entries.map(string))
  if (libc !== undefined || process.execve === undefined) throw new Error("it cannot take our place")
  // A signal that is listened to gets its default in the new program, one that is ignored stays ignored.
  for (const name of Object.keys(ignoredByEngines)) process.on(name, () => {})
  return process.execve(file, [argv0 ?? file, ...args], env as NodeJS.ProcessEnv)
}
