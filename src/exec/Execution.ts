/** How to run a process, and what it did. Hooks, plugins and tools all use this model. */

/** A process to run. */
export interface Invocation {
  /** The program and its arguments. */
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
  /** The whole environment. */
  readonly env: { readonly [name: string]: string | undefined }
  /**
   * The whole environment as bytes, one `NAME=value` each, instead of `env`. The program then also ignores the signals
   * that this process ignores. Bun only: Node.js supports neither.
   */
  readonly environment?: ReadonlyArray<Uint8Array>
  /** Its argv[0]. Default: the program. */
  readonly argv0?: string
  /** Its stdin. Default: empty, or, for a foreground program, the rest of our stdin. */
  readonly stdin?: string | Uint8Array
  /**
   * Returns the bytes that follow `stdin`: an empty array if nothing has arrived yet, and undefined at the end. Never
   * blocks. For pipes only.
   */
  readonly moreStdin?: () => Uint8Array | undefined
  /** Milliseconds until it is killed together with its process group. Default: 0, which means no limit. */
  readonly timeout?: number
  /** How many bytes of stdout, and of stderr, to keep. Default: {@link defaultLimit}. */
  readonly limit?: number
  /** Receives stdout as it arrives, instead of keeping it. For sockets only, and for programs that run indefinitely. */
  readonly onStdout?: ((chunk: Uint8Array) => void) | undefined
  /**
   * How stdin, stdout and stderr are connected. `sockets`, the default, cost nothing. `pipes` (with a file for stdin)
   * take longer to create, but can be opened by name (`cat /dev/stdin`) and outlive this process. Hooks and plugins,
   * which other people wrote, need them.
   */
  readonly stdio?: "sockets" | "pipes"
  /**
   * When the process counts as ended. `close`, the default, waits until no process holds stdout or stderr, as runtimes
   * do for plugins. `exit`, for pipes only, does not wait for background processes, which live on.
   */
  readonly until?: "exit" | "close"
  /**
   * Whether the program runs in the foreground, as if in our place: its output goes straight to ours, stop signals are
   * forwarded to it, and it is killed if we are killed. For pipes only. Default: false.
   */
  readonly foreground?: boolean
  /** For a foreground program: a text that only its environment contains, to identify its process. */
  readonly mark?: string
}

/** The default number of bytes to keep of stdout, and of stderr. */
export const defaultLimit = 1_048_576

/** How a process ended. */
export interface Ending {
  /** Null if a signal ended it or it was never started. */
  readonly exitCode: number | null
  /** The signal that ended it, such as `SIGKILL`, or null. */
  readonly signal: string | null
  /** Whether it was killed because it reached its timeout. */
  readonly timedOut: boolean
}

/** A process that ran, with its input and output. A killed process has the output until then. */
export interface Execution extends Ending {
  readonly argv: ReadonlyArray<string>
  readonly stdin: string | Uint8Array
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Whether it wrote more than the limit. */
  readonly truncated: boolean
  /** Whether stdout was not captured because the program wrote directly to ours. Default: false. */
  readonly stdoutUnseen?: boolean
  /** Milliseconds from its start until it exited or, with `until: "close"`, until no process held its output. */
  readonly durationMs: number
}

/** Whether a process exited with status 0 within its time. */
export const succeeded = ({ exitCode, timedOut }: Pick<Ending, "exitCode" | "timedOut">): boolean =>
  exitCode === 0 && !timedOut

/** Decodes output as UTF-8. Invalid bytes become U+FFFD. */
export const text = (output: Uint8Array): string =>
  Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString()

/** How a program ended: `exit status 1`, `killed by SIGKILL`. */
export const ending = ({ exitCode, signal }: Pick<Ending, "exitCode" | "signal">): string =>
  signal === null ? `exit status ${exitCode}` : `killed by ${signal}`
