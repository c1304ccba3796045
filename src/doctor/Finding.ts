/** What doctor says about a network: one thing that is wrong, who is to blame, how it knows, and what to do. */
import type * as Fix from "./Fix.ts"

/**
 * `error`: an attachment or traffic fails because of it. `warning`: it will, or it does for some. `note`: worth knowing.
 */
export type Level = "error" | "warning" | "note"

/** A place in a file, from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One thing that is wrong, as a check finds it. */
export interface Found extends Partial<Place> {
  readonly level: Level
  /** The type of the plugin that is to blame; left out where it is the host. */
  readonly plugin?: string
  /** One line: what was found, what was expected, where. */
  readonly message: string
  /** Lines that prove it: a rule, a link, what a plugin wrote. */
  readonly evidence: ReadonlyArray<string>
  /** How to fix it. A plain text says what a person has to edit or decide. */
  readonly fix: Fix.Fix | string
}

/** One thing that is wrong. */
export interface Finding extends Omit<Found, "fix"> {
  readonly fix: Fix.Fix
  /** The check that found it, by its identifier. */
  readonly check: string
}

const levels: ReadonlyArray<Level> = ["error", "warning", "note"]

/** The gravest first; what is equally grave stays in its order. */
export const byGravity = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.toSorted((left, right) => levels.indexOf(left.level) - levels.indexOf(right.level))
