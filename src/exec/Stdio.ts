/** What a program reads and writes while it runs. */
import type * as ChildProcess from "node:child_process"
import type { Kept } from "./Kept.ts"

/** The three descriptors of a program, and our ends of them. */
export interface Stdio {
  /** What the program is started with. */
  readonly options: ChildProcess.StdioOptions
  readonly stdout: Kept
  readonly stderr: Kept
  /** Begins to write stdin and to read the output, once the program is started. */
  readonly attach: (child: ChildProcess.ChildProcess) => void
  /** Calls `listener` once nothing holds stdout and stderr any more. */
  readonly onClose: (listener: () => void) => void
  /** Reads what is there now, and lets go of all ends. Processes in the background that hold the others can write on. */
  readonly release: () => void
}
