/** The records in the journal of this host. */
import * as Effect from "effect/Effect"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as Json from "../json/Json.ts"
import { Record } from "../record/Record.ts"
import { JournalUnreadable } from "./LogError.ts"

/** The events that records tell of. */
const events = Record.members.map(({ fields }) => `CNI_EVENT=${fields.event.literal}`)

/** The record that an entry of the journal has; an empty text where it has none. */
export const recordOf = (entry: string): string => {
  const members = Json.parse(entry)
  const record = Json.isObject(members) && Object.hasOwn(members, "CNI_RECORD") ? members["CNI_RECORD"] : ""
  // What is not plain text comes as a list of bytes.
  return Array.isArray(record) ? Buffer.from(record).toString() : String(record ?? "")
}

/** Runs `journalctl` to its end. */
const journalctl = Effect.fnUntraced(function*(
  flags: ReadonlyArray<string>,
  onStdout?: (bytes: Uint8Array) => void
) {
  const { exitCode, signal, stderr } = yield* HostTools.run({
    argv: ["journalctl", "--no-pager", ...flags],
    ...(onStdout === undefined ? {} : { onStdout })
  }).pipe(Effect.mapError((cause) => new JournalUnreadable({ reason: cause.message, cause })))
  const said = Execution.text(stderr).trim()
  if (exitCode === 0) return said
  return yield* new JournalUnreadable({
    reason: said === "" ? `journalctl: ${signal ?? `exit status ${exitCode}`}` : said
  })
})

/**
 * Reads the entries of all records as `journalctl` prints them, one JSON object a line, in pieces. With `follow` it
 * goes on with new ones until it is interrupted. Fails where there is no journal, or none that may be read.
 */
export const read = Effect.fnUntraced(function*(follow: boolean, onBytes: (bytes: Uint8Array) => void) {
  let isEmpty = true
  const flags = ["--output=json", "--all", ...(follow ? ["--follow", "--no-tail"] : []), ...events]
  yield* journalctl(flags, (bytes) => {
    isEmpty = false
    onBytes(bytes)
  })
  if (!isEmpty) return
  // With JSON it does not say that there are no journal files.
  const said = yield* journalctl(["--lines=1"])
  if (said !== "") return yield* new JournalUnreadable({ reason: said })
})
