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

/** A log has lines, and none of them is a record. */
export class NotRecords extends Data.TaggedError("NotRecords")<{ readonly name: string }> {
  override readonly message =
    `${this.name} has no JSON records: it seems to be a text log, which is for reading as it is; for "show", log with "format": "json" (or "logFormat": "json")`
}

/** `journalctl` failed. */
export class JournalUnreadable extends Data.TaggedError("JournalUnreadable")<{
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `cannot read the journal: ${this.reason}`
}

/** Why a log cannot be shown. */
export type LogError = Unreadable | IsFolder | NoMatch | NotRecords | JournalUnreadable
