/** A finding of doctor: one problem, the plugin to blame, the evidence, and the fix. */
import type * as Fix from "./Fix.ts"
import type * as Flow from "./flow/Flow.ts"

/**
 * `error`: attachments or traffic fail because of it. `warning`: they will fail, or some of them do. `note`: worth
 * knowing.
 */
export type Level = "error" | "warning" | "note"

/** A place in a file, counted from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One problem, as a check reports it. */
export interface Found extends Partial<Place> {
  readonly level: Level
  /** The type of the plugin to blame; absent if the host is to blame. */
  readonly plugin?: string
  /** One line: what was found, what was expected, where. */
  readonly message: string
  /** Lines that prove it: a rule, a link, what a plugin wrote. */
  readonly evidence: ReadonlyArray<string>
  /** The flows that it stops; by default, those of its check. */
  readonly stops?: ReadonlyArray<Flow.Kind>
  /** How to fix it. A plain text says what a person has to edit or decide. */
  readonly fix: Fix.Fix | string
}

/** One problem, as reports contain it. */
export interface Finding extends Omit<Found, "fix"> {
  readonly fix: Fix.Fix
  /** The name of the network; absent if the finding concerns several, or if the network cannot be read. */
  readonly network?: string
  /** The identifier of the check that found it. */
  readonly check: string
}

const levels: ReadonlyArray<Level> = ["error", "warning", "note"]

/** Sorts the gravest first, and keeps the order of equally grave findings. */
export const byGravity = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.toSorted((left, right) => levels.indexOf(left.level) - levels.indexOf(right.level))
