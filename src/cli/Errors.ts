/** How the command ends if it could not do its task: a message for people, an exit status for scripts. */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

/** 1: the work was done, with a bad outcome. 2: the work could not begin. */
export type Status = 1 | 2

/** Ends the command with a message. */
export class Told extends Data.TaggedError("Told")<{
  readonly message: string
  readonly status: Status
  readonly cause?: unknown
}> {
  override get [CliError.userMessage]() {
    return this.message
  }
  override get [Runtime.errorExitCode]() {
    return this.status
  }
  override readonly [Runtime.errorReported] = false
}

/** The command did its work and reported everything, with a bad outcome: exit status 1. */
export class Unsuccessful extends Data.TaggedError("Unsuccessful") {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

/** The command could not inspect everything, and said so: exit status 2. */
export class Incomplete extends Data.TaggedError("Incomplete") {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** The command line is invalid, and the command said why: exit status 2. */
export class Misused extends Data.TaggedError("Misused") {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** Maps the error of an invalid command line to {@link Misused}. */
export const misused = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Misused, R> =>
  Effect.mapError(
    effect,
    (error) =>
      CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length > 0 ? new Misused() : error
  )

/** Errors after work that was done, with a bad outcome. After any other error, the work could not begin. */
const outcomes: ReadonlySet<string> = new Set(["PluginFailed", "ResultNotKept", "RecordsLost", "NoVersions", "NotSent"])

/** Prints any error that a command fails with, as a message for people. */
export const tell = <A, E extends Error & { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Told | Unsuccessful | Incomplete, R> =>
  Effect.mapError(effect, (error) =>
    error instanceof Unsuccessful || error instanceof Incomplete
      ? error
      : new Told({ message: error.message, status: outcomes.has(error._tag) ? 1 : 2, cause: error }))

/** Logs defects of ours on stderr. NodeRuntime would log them on stdout, which scripts read. */
export const reported = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(effect, (cause) =>
    Cause.hasInterruptsOnly(cause) || !Runtime.getErrorReported(Cause.squash(cause))
      ? Effect.void
      : Effect.logError(cause))
