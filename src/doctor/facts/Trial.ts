/** What happens when a throw-away namespace is attached, checked, and detached again. */
import type { Call } from "../../runtime/Chain.ts"

/** A trial, as far as it went. */
export interface Trial {
  /** The calls of ADD, CHECK and DEL, in their order. */
  readonly calls: ReadonlyArray<Call>
  /** Why it could not be made; undefined where it was. */
  readonly problem: string | undefined
  /** What was there after it, and not before: a link, a rule, a reservation, each one line. */
  readonly left: ReadonlyArray<string>
}
