/** The connections of a program while it runs. */
import type { OutputBuffer } from "./OutputBuffer.ts"
import type { Program, Started } from "./Program.ts"

/** The stdin, stdout and stderr of a program. */
export interface Stdio {
  readonly stdout: OutputBuffer
  readonly stderr: OutputBuffer
  /** Whether the program's stdout is not captured. */
  readonly stdoutUnseen?: boolean
  /** Starts the program, and begins to write its stdin and to read its output. Fails like `Spawn.start`. */
  readonly start: (program: Program) => Started
  /** Calls `listener` once no process holds stdout or stderr. */
  readonly onClose: (listener: () => void) => void
  /** Reads what is available now and closes our ends. Background processes can still write. */
  readonly release: () => void
}
