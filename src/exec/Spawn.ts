/**
 * Starts a program. Under Bun by its own function, where the program gets descriptors: Bun's `node:child_process` takes
 * 3 ms more, as long as an empty plugin.
 */
import type * as ChildProcess from "node:child_process"
import type * as Execution from "./Execution.ts"
import * as Libc from "./Libc.ts"
import * as PosixSpawn from "./PosixSpawn.ts"

/** A program, and how it is started. */
export interface Program {
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
  readonly env: Execution.Invocation["env"]
  /** The environment as bytes, see `Execution.Invocation`. */
  readonly environment?: Execution.Invocation["environment"]
  /** What it finds as its own name. Default: the program. */
  readonly argv0?: string
  /** Its working directory. Default: ours. */
  readonly cwd?: string
  /** Whether it is in a process group of its own. */
  readonly detached: boolean
}

/** A program's stdin, stdout or stderr: one of our descriptors, /dev/null, or, under Bun, a closed descriptor. */
export type Descriptors = ReadonlyArray<number | "ignore" | "pipe" | "closed">

/** A program that was started, or, without a `pid`, could not be: then it has an error. */
export interface Started {
  readonly pid: number | undefined
  readonly kill: (signal: NodeJS.Signals) => void
  /** Calls `listener` when it has ended, with null for the exit status or for the signal. */
  readonly onExit: (listener: (exitCode: number | null, signal: string | null) => void) => void
  readonly onError: (listener: (error: Error) => void) => void
  /** Stops to keep us running. */
  readonly unref: () => void
}

/** Loaded with the first program: it would take as long as all of Effect, and most requests run none. */
export const childProcess = (): typeof ChildProcess => process.getBuiltinModule("node:child_process")

/** Starts a program the way of Node.js. Throws some of what makes that impossible. */
export const spawn = (
  { argv: [file, ...args], ...options }: Program,
  stdio: ReadonlyArray<number | "ignore" | "pipe">
): ChildProcess.ChildProcess => childProcess().spawn(file, args, { ...options, stdio: [...stdio] })

/** The program behind a process of Node.js. */
export const ofNode = (child: ChildProcess.ChildProcess): Started => ({
  pid: child.pid,
  kill: (signal) => void child.kill(signal),
  onExit: (listener) => void child.once("exit", listener),
  onError: (listener) => void child.on("error", listener),
  unref: () => child.unref()
})

/** What we use of Bun's own process. */
interface BunProcess {
  readonly pid: number
  readonly kill: (signal: string) => void
  readonly unref: () => void
}

interface Bun {
  readonly spawn: (options: object) => BunProcess
}

const startByBun = ({ spawn }: Bun, { argv, ...options }: Program, stdio: Descriptors): Started => {
  let listener: Parameters<Started["onExit"]>[0] = () => {}
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

/** A caller may ignore SIGCHLD. A process that inherits that gets no exit status of its children: 0 would be read. */
const learnOfExits = (): void => {
  if (!learnsOfExits) Libc.load()?.resetSignal(SIGCHLD)
  learnsOfExits = true
}

/** Starts a program with descriptors. Throws what makes that impossible, or gives it to `onError`. */
export const start = (program: Program, stdio: Descriptors): Started => {
  const { Bun } = globalThis as { Bun?: Bun }
  const open = stdio.flatMap((each) => each === "closed" ? [] : [each])
  if (Bun === undefined) return ofNode(spawn(program, open))
  learnOfExits()
  return program.environment === undefined && open.length === stdio.length
    ? startByBun(Bun, program, open)
    : PosixSpawn.start(program, stdio)
}
