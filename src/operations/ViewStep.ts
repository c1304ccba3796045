/** A run of a plugin as shown to a person: plain data, independent of colour and width. */
import type { Excerpt } from "./Excerpt.ts"
import type * as OutputDiff from "./OutputDiff.ts"
import type * as ResultDiff from "./ResultDiff.ts"
import type * as StateChanges from "./StateChanges.ts"

/**
 * How a run ended, as far as known. `stopped`: it failed, or the runtime stopped, since the next tap was not reached.
 * `unseen`: no tap follows that could show it.
 */
export type State = "done" | "failed" | "unfinished" | "stopped" | "unseen"

/** A hook command that ran. */
export interface Hook {
  readonly command: string
  /** How it failed: `exit status 1`, `SIGKILL`; undefined if it succeeded. */
  readonly failure: string | undefined
  /** In milliseconds. */
  readonly durationMs: number
  readonly stdout: Excerpt
  readonly stderr: Excerpt
  /**
   * How stdout differs from that of the same command at the previous step, empty if it is the same; undefined if the
   * two cannot be compared.
   */
  readonly difference: ReadonlyArray<OutputDiff.Line> | undefined
}

/** The program of a plugin, as it ran. */
export interface Plugin {
  /** `exit status 0`, `SIGKILL`, `out of time`. */
  readonly ending: string
  /** Its stdout, if that is not its answer. */
  readonly stdout: Excerpt
  readonly stderr: Excerpt
  readonly truncated: boolean
}

/** One run of one plugin or of a tap, or a plugin between taps. */
export interface Step {
  /** Its run in the log; undefined for a plugin between taps. */
  readonly invocation: string | undefined
  readonly title: string
  /** `between` is a plugin without records, known only by what the taps beside it saw. */
  readonly kind: "plugin" | "tap" | "between"
  /** Set only if different from the operation, or from the run around it. */
  readonly command: string | undefined
  readonly ifname: string | undefined
  readonly network: string | undefined
  /** The invocation of the run around it, if that run is not logged. */
  readonly parent: string | undefined
  readonly state: State
  /** Whether it is a tap that adds nothing to the plugins beside it. */
  readonly isQuiet: boolean
  /** In milliseconds. */
  readonly durationMs: number | undefined
  /** What changed between the previous step and this one, if it is unknown which plugin did it. */
  readonly changesBefore: ReadonlyArray<ResultDiff.Change>
  /** What it did to the result. */
  readonly changes: ReadonlyArray<ResultDiff.Change>
  /** What it changed itself in network namespaces; undefined if not inspected. */
  readonly stateChanges: ReadonlyArray<StateChanges.StateChange> | undefined
  /** What could not be inspected, and why, unless an earlier step of the chain says so. */
  readonly notes: ReadonlyArray<string>
  readonly hooks: ReadonlyArray<Hook>
  readonly plugin: Plugin | undefined
  /** The code of its error document. */
  readonly code: number | undefined
  /** Why it failed: `code 11: no addresses`, followed by the details, if any. */
  readonly failure: ReadonlyArray<string>
  readonly args: string | undefined
  readonly path: string | undefined
  /** JSON text. */
  readonly config: string | undefined
  /** JSON text. */
  readonly result: string | undefined
  /** The runs that it started, in the order of time. */
  readonly nested: ReadonlyArray<Step>
}
