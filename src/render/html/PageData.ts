/**
 * The content of a report besides its records: operations as shown to a person, without what the page extracts from the
 * records on demand. Empty members are left out.
 */
import type { Line } from "../../operations/OutputDiff.ts"
import type { Change } from "../../operations/ResultDiff.ts"

/** A hook command that ran. Its output is in its record. */
export interface Hook {
  readonly command: string
  readonly failure?: string | undefined
  /** In milliseconds. */
  readonly durationMs: number
  readonly difference?: ReadonlyArray<Line> | undefined
}

/** One run of one plugin or of a tap, or a plugin between taps. */
export interface Step {
  readonly title: string
  readonly kind: "plugin" | "tap" | "between"
  readonly state: "done" | "failed" | "unfinished" | "stopped" | "unseen"
  /** Set only if different from the operation. */
  readonly command?: string | undefined
  readonly ifname?: string | undefined
  readonly network?: string | undefined
  /** When it began, in milliseconds after the operation; absent if unknown. */
  readonly start?: number | undefined
  /** In milliseconds. */
  readonly durationMs?: number | undefined
  /** How its program ended: `exit status 1`. */
  readonly ending?: string | undefined
  readonly failure?: ReadonlyArray<string> | undefined
  readonly changesBefore?: ReadonlyArray<Change> | undefined
  readonly changes?: ReadonlyArray<Change> | undefined
  /** What it changed in network namespaces; absent if not inspected. */
  readonly stateChanges?: ReadonlyArray<Change> | undefined
  /** What others changed there at the same time. */
  readonly othersChanges?: ReadonlyArray<Change> | undefined
  readonly notes?: ReadonlyArray<string> | undefined
  readonly hooks?: ReadonlyArray<Hook> | undefined
  /** The indices of its records. */
  readonly records?: ReadonlyArray<number> | undefined
  readonly nested?: ReadonlyArray<Step> | undefined
}

/** One operation on an attachment. */
export interface Operation {
  readonly command?: string | undefined
  readonly ifname?: string | undefined
  readonly containerId?: string | undefined
  readonly network?: string | undefined
  readonly netns?: string | undefined
  readonly args?: string | undefined
  /** RFC 3339, as in the record. */
  readonly time: string
  readonly hasFailed: boolean
  readonly failure?: string | undefined
  /** In milliseconds. */
  readonly durationMs?: number | undefined
  readonly steps: ReadonlyArray<Step>
  /** What a DEL left of what its ADD made. */
  readonly leftovers?: ReadonlyArray<string> | undefined
}

/** A finding of doctor. */
export interface Finding {
  readonly level: "error" | "warning" | "note"
  readonly check: string
  readonly plugin?: string | undefined
  readonly message: string
  readonly evidence: ReadonlyArray<string>
  readonly fix: {
    readonly text: string
    /** Each as one line for a shell. */
    readonly commands: ReadonlyArray<string>
    readonly cuts?: string | undefined
  }
  readonly file?: string | undefined
  readonly line?: number | undefined
}

/** A packet that trace followed, or waited for. */
export interface Trace {
  /** Its sender and its destination. */
  readonly title: string
  /** Its path, a line for each namespace and hook, and for each rule. */
  readonly path: ReadonlyArray<string>
  /** How it ended: the first line says how, the others say why. */
  readonly end: ReadonlyArray<string>
  readonly state: "good" | "bad" | "unknown"
}

/** The whole report, apart from its records. */
export interface Report {
  /** Undefined if trace did not run. */
  readonly traces?: ReadonlyArray<Trace> | undefined
  /** Undefined if doctor did not run. */
  readonly findings?: ReadonlyArray<Finding> | undefined
  readonly operations: ReadonlyArray<Operation>
}
