/** The attempt to run the fix of a finding. */
import type { Finding } from "../../../doctor/Finding.ts"

/** How a fix ended. */
export interface Attempt {
  readonly finding: Finding
  /**
   * `fixed`: the finding is gone, and there are no more errors than before. `no-help`: the commands ran, but that is not
   * the case, is not known, or did not last. `failed`: a command failed. `not-run`: it cuts traffic and was not allowed,
   * or the user said no.
   */
  readonly outcome: "fixed" | "no-help" | "failed" | "not-run"
  /** Why it is not fixed; empty if it is. */
  readonly reason: string
}
