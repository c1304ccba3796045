/** The records in the journal of this host. */
import * as Effect from "effect/Effect"
import * as Execution from "../exec/Execution.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
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

/**
 * Reads the entries of all records as `journalctl` prints them, one JSON object a line, in pieces. With `follow` it
 * goes on with new ones until it is interrupted.
 */
export const read = Effect.fnUntraced(function*(follow: boolean, onBytes: (bytes: Uint8Array) => void) {
  const runner = yield* ProcessRunner
  const { exitCode, signal, stderr } = yield* runner.run({
    argv: [
      "journalctl",
      "--output=json",
      "--all",
      "--no-pager",
      ...(follow ? ["--follow", "--no-tail"] : []),
      ...events
    ],
    env: process.env,
    onStdout: onBytes
  }).pipe(Effect.mapError((cause) => new JournalUnreadable({ reason: cause.message, cause })))
  if (exitCode === 0) return
  const said = Execution.text(stderr).trim()
  return yield* new JournalUnreadable({
    reason: said === "" ? `journalctl: ${signal ?? `exit status ${exitCode}`}` : said
  })
})
