/** How the command ends where it could not do what it was asked for: a message for people, an exit status for scripts. */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

/** 1: the work was done and its outcome is bad. 2: it could not even begin. */
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

/** The command did its work, said all there is to say, and the outcome is bad: exit status 1. */
export class Unsuccessful extends Data.TaggedError("Unsuccessful") {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

/** The command could not look at all of it, and said so: exit status 2. */
export class Incomplete extends Data.TaggedError("Incomplete") {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** The command line could not be understood, and people were told why: exit status 2. */
export class Misused extends Data.TaggedError("Misused") {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** Ends a command whose command line could not be understood as one that could not begin. */
export const misused = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Misused, R> =>
  Effect.mapError(
    effect,
    (error) =>
      CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length > 0 ? new Misused() : error
  )

/** Errors that mean that the work was done, and its outcome is bad. All others mean that it could not begin. */
const outcomes: ReadonlySet<string> = new Set(["PluginFailed", "ResultNotKept", "RecordsLost", "NoVersions"])

/** Tells people about any error that a command fails with. */
export const tell = <A, E extends Error & { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Told | Unsuccessful | Incomplete, R> =>
  Effect.mapError(effect, (error) =>
    error instanceof Unsuccessful || error instanceof Incomplete
      ? error
      : new Told({ message: error.message, status: outcomes.has(error._tag) ? 1 : 2, cause: error }))

/** Logs what is a defect of ours. NodeRuntime would do so on stdout, which scripts read. */
export const reported = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(effect, (cause) =>
    Cause.hasInterruptsOnly(cause) || !Runtime.getErrorReported(Cause.squash(cause))
      ? Effect.void
      : Effect.logError(cause))
