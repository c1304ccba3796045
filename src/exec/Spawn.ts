/**
 * Starts programs. Under Bun, programs that get descriptors are started with Bun's own function: its
 * `node:child_process` takes 3 ms more, as long as an empty plugin.
 */
import type * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Libc from "./Libc.ts"
import * as PosixSpawn from "./PosixSpawn.ts"
import type { Descriptors, Program, Started } from "./Program.ts"

/** Loaded with the first program. It takes as long to load as all of Effect, and most requests run no program. */
export const childProcess = (): typeof ChildProcess => process.getBuiltinModule("node:child_process")

/** Starts a program with Node.js. Some errors are thrown; others go to the `error` event. */
export const spawn = (
  { argv: [file, ...args], ...options }: Program,
  stdio: ReadonlyArray<number | "ignore" | "pipe">
): ChildProcess.ChildProcess => childProcess().spawn(file, args, { ...options, stdio: [...stdio] })

/** Adapts a child process of Node.js. */
export const ofNode = (child: ChildProcess.ChildProcess): Started => ({
  pid: child.pid,
  kill: (signal) => void child.kill(signal),
  onExit: (listener) => void child.once("exit", listener),
  onError: (listener) => void child.on("error", listener),
  unref: () => child.unref()
})

/** The part of Bun's `Subprocess` that we use. */
interface BunProcess {
  readonly pid: number
  readonly kill: (signal: string) => void
  readonly unref: () => void
}

interface Bun {
  readonly spawn: (options: object) => BunProcess
}

/**
 * Throws if no descriptor is free. Bun needs one for a program that it has just started, and kills the program if it gets
 * none. By then, the program may have done some of its work.
 */
const checkDescriptors = (): void => {
  try {
    Fs.closeSync(Fs.openSync("/", "r"))
  } catch (error) {
    if (["EMFILE", "ENFILE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error
  }
}

const startByBun = ({ spawn }: Bun, { argv, ...options }: Program, stdio: Descriptors): Started => {
  let listener: Parameters<Started["onExit"]>[0] = () => {}
  checkDescriptors()
  const child = spawn({
    cmd: argv,
    ...options,
    stdio,
    // A signal without a name is reported as its number.
    onExit: (_: BunProcess, exitCode: number | null, signal: string | number | null) =>
      listener(exitCode, typeof signal === "number" ? `SIG${signal}` : signal)
  })
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    onExit: (given) => {
      listener = given
    },
    onError: () => {},
    unref: () => child.unref()
  }
}

const SIGCHLD = 17

let learnsOfExits = false

/**
 * Resets SIGCHLD once. If we inherited it as ignored, the kernel would discard the exit status of our programs, and Bun
 * would report 0.
 */
const learnOfExits = (): void => {
  if (!learnsOfExits) Libc.load()?.resetSignal(SIGCHLD)
  learnsOfExits = true
}

/** Starts a program with descriptors. If that fails, throws or calls `onError`. */
export const start = (program: Program, stdio: Descriptors): Started => {
  const { Bun } = globalThis as { Bun?: Bun }
  const open = stdio.flatMap((each) => each === "closed" ? [] : [each])
  if (Bun === undefined) return ofNode(spawn(program, open))
  learnOfExits()
  return program.environment === undefined && open.length === stdio.length
    ? startByBun(Bun, program, open)
    : PosixSpawn.start(program, stdio)
}
