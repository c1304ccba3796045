/** A run of a plugin as a person sees it: plain data, without colour and width. */
import type { Excerpt } from "./Excerpt.ts"
import type * as OutputDiff from "./OutputDiff.ts"
import type * as ResultDiff from "./ResultDiff.ts"
import type * as StateChanges from "./StateChanges.ts"

/**
 * How a run ended: well, badly, or nobody knows. `stopped`: it failed, or the runtime stopped, for the next tap was not
 * reached. `unseen`: no tap comes after it.
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
   * What is different from the stdout of the same command at the step before it, nothing where it is the same; undefined
   * where the two cannot be compared.
   */
  readonly difference: ReadonlyArray<OutputDiff.Line> | undefined
}

/** The program that a plugin is, as it ran. */
export interface Plugin {
  /** `exit status 0`, `SIGKILL`, `out of time`. */
  readonly ending: string
  /** What it wrote to stdout where that is not its answer. */
  readonly stdout: Excerpt
  readonly stderr: Excerpt
  readonly truncated: boolean
}

/** One run of one plugin or of a tap, or a plugin between taps. */
export interface Step {
  /** The run of it in the log; undefined for one between taps. */
  readonly invocation: string | undefined
  readonly title: string
  /** `between` is a plugin that left no records: what is known of it is what the taps beside it saw. */
  readonly kind: "plugin" | "tap" | "between"
  /** What is not the same as of the operation, or of the run around it. */
  readonly command: string | undefined
  readonly ifname: string | undefined
  readonly network: string | undefined
  /** The invocation of the run around it, where that is not logged. */
  readonly parent: string | undefined
  readonly state: State
  /** Whether it is a tap that has nothing to tell but what stands at the plugins beside it. */
  readonly isQuiet: boolean
  /** In milliseconds. */
  readonly durationMs: number | undefined
  /** What changed between the step before it and this one, where nothing tells which plugin did it. */
  readonly changesBefore: ReadonlyArray<ResultDiff.Change>
  /** What it did to the result. */
  readonly changes: ReadonlyArray<ResultDiff.Change>
  /** What it changed itself in network namespaces; undefined if nobody looked. */
  readonly stateChanges: ReadonlyArray<StateChanges.StateChange> | undefined
  /** What could not be looked at there, and why, where no step before it in the chain says so. */
  readonly notes: ReadonlyArray<string>
  readonly hooks: ReadonlyArray<Hook>
  readonly plugin: Plugin | undefined
  /** The code of its error document. */
  readonly code: number | undefined
  /** Why it failed: `code 11: no addresses`; the details after it, if there are any. */
  readonly failure: ReadonlyArray<string>
  readonly args: string | undefined
  readonly path: string | undefined
  /** JSON text. */
  readonly config: string | undefined
  /** JSON text. */
  readonly result: string | undefined
  /** What it started, in the order of time. */
  readonly nested: ReadonlyArray<Step>
}
