/** The records in the journal of this host. */
import * as Effect from "effect/Effect"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as Json from "../json/Json.ts"
import { Record } from "../record/Record.ts"
import { JournalUnreadable } from "./LogError.ts"

/** A `journalctl` match for each event that a record can have. */
const events = Record.members.map(({ fields }) => `CNI_EVENT=${fields.event.literal}`)

/** The record in a journal entry; empty if the entry has none. */
export const recordOf = (entry: string): string => {
  const members = Json.parse(entry)
  const record = Json.isObject(members) && Object.hasOwn(members, "CNI_RECORD") ? members["CNI_RECORD"] : ""
  // `journalctl` prints a field that is not plain text as a list of bytes.
  return Array.isArray(record) ? Buffer.from(record).toString() : String(record ?? "")
}

/** Runs `journalctl` to its end. */
const journalctl = Effect.fnUntraced(function*(
  flags: ReadonlyArray<string>,
  onStdout?: (bytes: Uint8Array) => void
) {
  const execution = yield* HostTools.run({
    argv: ["journalctl", "--no-pager", ...flags],
    onStdout
  }).pipe(Effect.mapError((cause) => new JournalUnreadable({ reason: cause.message, cause })))
  const said = Execution.text(execution.stderr).trim()
  if (execution.exitCode === 0) return said
  return yield* new JournalUnreadable({
    reason: said === "" ? `journalctl: ${Execution.ending(execution)}` : said
  })
})

/**
 * Reads the entries of all records as `journalctl` prints them: in pieces, one JSON object a line. With `follow` it
 * continues with new entries until interrupted. Fails if there is no journal, or no readable one.
 */
export const read = Effect.fnUntraced(function*(follow: boolean, onBytes: (bytes: Uint8Array) => void) {
  let isEmpty = true
  const flags = ["--output=json", "--all", ...(follow ? ["--follow", "--no-tail"] : []), ...events]
  yield* journalctl(flags, (bytes) => {
    isEmpty = false
    onBytes(bytes)
  })
  if (!isEmpty) return
  // With JSON output, `journalctl` does not report missing journal files.
  const said = yield* journalctl(["--lines=1"])
  if (said !== "") return yield* new JournalUnreadable({ reason: said })
})
