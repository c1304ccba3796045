/** Why a log cannot be shown, one class a cause. */
import * as Data from "effect/Data"
import { isPlatformError } from "effect/PlatformError"

/** What the operating system says, in words. */
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

/** How much of a line that is no record is told, in characters. */
const shown = 60

/** A log has lines, and none of them is a record. */
export class NotRecords extends Data.TaggedError("NotRecords")<{
  readonly name: string
  /** The first line that has something in it. */
  readonly first: string
  /** Whether it is a log in the format `text`. */
  readonly isText: boolean
}> {
  override readonly message = `${this.name} has no JSON records: ${
    this.isText
      ? "it is a text log, which is for reading as it is; for \"show\", log with \"format\": \"json\" (or \"logFormat\": \"json\")"
      : `found ${JSON.stringify(this.first.length > shown ? `${this.first.slice(0, shown)}…` : this.first)} ` +
        "in its first line, expected one JSON object a line with \"event\" and \"invocation\""
  }`
}

/** There is nothing in what was read because nobody named a log. */
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

/** Why a log cannot be shown. */
export type LogError = Unreadable | IsFolder | NoMatch | NotRecords | NothingRead | JournalUnreadable
