/** A program to start, and a program that was started. */
import type * as Execution from "./Execution.ts"

/** A program to start. */
export interface Program {
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
  readonly env: Execution.Invocation["env"]
  /** The environment as bytes, see `Execution.Invocation`. */
  readonly environment?: Execution.Invocation["environment"]
  /** Its argv[0]. Default: the program. */
  readonly argv0?: string
  /** Whether to start it in a new process group. */
  readonly detached: boolean
}

/** A program's stdin, stdout or stderr: one of our descriptors, /dev/null, or, under Bun, a closed descriptor. */
export type Descriptors = ReadonlyArray<number | "ignore" | "pipe" | "closed">

/** A started program. Without a `pid`, it could not be started, and `onError` will be called. */
export interface Started {
  readonly pid: number | undefined
  readonly kill: (signal: NodeJS.Signals) => void
  /** Calls `listener` when the program has ended. Either the exit status or the signal is null. */
  readonly onExit: (listener: (exitCode: number | null, signal: string | null) => void) => void
  readonly onError: (listener: (error: Error) => void) => void
  /** No longer keeps this process alive. */
  readonly unref: () => void
}
