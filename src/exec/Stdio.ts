/** What a program reads and writes while it runs. */
import type { OutputBuffer } from "./OutputBuffer.ts"
import type * as Spawn from "./Spawn.ts"

/** The three descriptors of a program, and our ends of them. */
export interface Stdio {
  readonly stdout: OutputBuffer
  readonly stderr: OutputBuffer
  /** Whether the program's stdout is not captured. */
  readonly stdoutUnseen?: boolean
  /** Starts a program with them, and begins to write its stdin and to read its output. As `Spawn.start`. */
  readonly start: (program: Spawn.Program) => Spawn.Started
  /** Calls `listener` once nothing holds stdout and stderr any more. */
  readonly onClose: (listener: () => void) => void
  /** Reads what is there now, and lets go of all ends. Processes in the background that hold the others can write on. */
  readonly release: () => void
}
