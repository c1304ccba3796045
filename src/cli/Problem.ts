/** What the command tells people when it cannot do what they asked for. */
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

/** Ends the command with a message for people and an exit status for scripts: 1 failed, 2 could not even start. */
export class Problem extends Data.TaggedError("Problem")<{ readonly message: string; readonly status: 1 | 2 }> {
  override get [CliError.userMessage]() {
    return this.message
  }
  override get [Runtime.errorExitCode]() {
    return this.status
  }
  override readonly [Runtime.errorReported] = false
}

/** The command did its work, said all there is to say, and the outcome is bad: exit status 1. */
export class Unsuccessful extends Data.TaggedError("Unsuccessful") {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}
