/** A process that ran: the one model for hooks, plugins and tools. */

/** What to run, and how. */
export interface Invocation {
  /** The program, and its arguments. */
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
  /** All variables of its environment. */
  readonly env: { readonly [name: string]: string | undefined }
  /**
   * The whole environment as bytes, `NAME=value` each, instead of `env`. The program then also ignores the signals that
   * this process ignores. Bun only: Node.js supports neither.
   */
  readonly environment?: ReadonlyArray<Uint8Array>
  /** What it finds as its own name (argv[0]). Default: the program. */
  readonly argv0?: string
  /** What it can read on stdin. Default: nothing, or, in our place, what is left of ours. */
  readonly stdin?: string | Uint8Array
  /**
   * Reads what follows `stdin`, for pipes only. Returns an empty array if nothing has arrived, and undefined at the
   * end. Never blocks.
   */
  readonly moreStdin?: () => Uint8Array | undefined
  /** Its working directory. Default: ours. */
  readonly cwd?: string
  /** Milliseconds until it is killed with its process group; 0, the default, where it may take as long as it wants. */
  readonly timeout?: number
  /** How much of stdout, and of stderr, is kept, in bytes. Default: {@link defaultLimit}. */
  readonly limit?: number
  /** Gets stdout as it comes, of which nothing is kept then; for sockets alone. For programs that go on and on. */
  readonly onStdout?: (chunk: Uint8Array) => void
  /**
   * `sockets`, the default, cost nothing. `pipes` (and a file for stdin) take a moment, can be opened by name
   * (`cat /dev/stdin`), and outlive us: for programs that others wrote, hooks and plugins.
   */
  readonly stdio?: "sockets" | "pipes"
  /**
   * `close`, the default: waits until nothing holds stdout and stderr any more, as runtimes do for plugins. `exit`, for
   * pipes alone: what the program leaves in the background is not waited for, and lives on.
   */
  readonly until?: "exit" | "close"
  /**
   * Whether the program stands in for us, for pipes only: its output goes straight to ours, signals to stop us are
   * forwarded to it, and it is killed if we are killed. Default: false.
   */
  readonly inOurPlace?: boolean
  /** If it stands in for us: a text that is only in its environment, and identifies it. */
  readonly mark?: string
}

/** How much of stdout, and of stderr, is kept unless it is said otherwise, in bytes. */
export const defaultLimit = 1_048_576

/** How a process ended. */
export interface Ending {
  /** Null where a signal ended it, or where it was never started. */
  readonly exitCode: number | null
  /** The signal that ended it, such as `SIGKILL`; null where none did. */
  readonly signal: string | null
  /** Whether it was killed because its time was up. */
  readonly timedOut: boolean
}

/** A process that ran, with all that went in and came out, also where it was killed. */
export interface Execution extends Ending {
  readonly argv: ReadonlyArray<string>
  readonly stdin: string | Uint8Array
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Whether it wrote more than is kept. */
  readonly truncated: boolean
  /** Whether stdout was not captured, because the program wrote directly to ours. Default: false. */
  readonly stdoutUnseen?: boolean
  /** From its start until it ended, or until its output was let go of where that was waited for, in milliseconds. */
  readonly durationMs: number
}

/** Whether a process did what it should. */
export const succeeded = ({ exitCode, timedOut }: Pick<Ending, "exitCode" | "timedOut">): boolean =>
  exitCode === 0 && !timedOut

/** Output as text. Bytes that are not UTF-8 are U+FFFD. */
export const text = (output: Uint8Array): string =>
  Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString()
