/** Why a log cannot be shown, with one class for each cause. */
import * as Data from "effect/Data"
import { isPlatformError } from "effect/PlatformError"

/** The operating system's reason, in words. */
const reasonOf = (error: unknown): string => {
  if (!isPlatformError(error)) return error instanceof Error ? error.message : String(error)
  const { reason } = error
  if (reason._tag === "NotFound") return "there is no such file"
  if (reason._tag === "PermissionDenied") return "permission denied"
  return reason.cause instanceof Error ? reason.cause.message : reason.message
}

/** A log, or a folder of logs, cannot be read. */
export class Unreadable extends Data.TaggedError("Unreadable")<{
  readonly name: string
  readonly cause: unknown
}> {
  override readonly message = `cannot read ${this.name}: ${reasonOf(this.cause)}`
}

/** A folder was named instead of a file. */
export class IsFolder extends Data.TaggedError("IsFolder")<{ readonly path: string }> {
  override readonly message = `${this.path} is a folder: name its files, such as '${
    this.path.replace(/\/+$/, "")
  }/*.jsonl'`
}

/** No file matches a pattern. */
export class NoMatch extends Data.TaggedError("NoMatch")<{ readonly pattern: string }> {
  override readonly message = `no file matches ${this.pattern}`
}

/** How many characters of a line that is not a record the message quotes. */
const shown = 60

/** A log has lines, but none of them is a record. */
export class NotRecords extends Data.TaggedError("NotRecords")<{
  readonly name: string
  /** The first line that is not blank. */
  readonly first: string
  /** Whether the log has the format `text`. */
  readonly isText: boolean
}> {
  override readonly message = `${this.name} has no JSON records: ${
    this.isText
      ? "it is a text log, which is for reading as it is; for \"show\", log with \"format\": \"json\" (or \"logFormat\": \"json\")"
      : `found ${JSON.stringify(this.first.length > shown ? `${this.first.slice(0, shown)}…` : this.first)} ` +
        "in its first line, expected one JSON object a line with \"event\" and \"invocation\""
  }`
}

/** No log was named, and stdin is empty. */
export class NothingRead extends Data.TaggedError("NothingRead")<{ readonly example: string }> {
  override readonly message = `stdin is empty, which was read as no log was named: name one, such as '${this.example}'`
}

/** `journalctl` failed. */
export class JournalUnreadable extends Data.TaggedError("JournalUnreadable")<{
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `cannot read the journal: ${this.reason}`
}

export type LogError = Unreadable | IsFolder | NoMatch | NotRecords | NothingRead | JournalUnreadable
