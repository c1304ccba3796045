/** Sends records to systemd-journald with separate fields, so that `journalctl CNI_CONTAINERID=…` finds them. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as Field from "../json/Field.ts"
import * as JournalFormat from "../record/JournalFormat.ts"
import type { Record } from "../record/Record.ts"
import { type LogSink, SinkFailed } from "./LogSink.ts"
import * as SinkKind from "./SinkKind.ts"
import type { JournaldTarget } from "./SinkTarget.ts"
import * as UtilLinuxLogger from "./UtilLinuxLogger.ts"

const name = "journald"
const socket = "/run/systemd/journal/socket"

/** The fields of a journald sink. */
export const fields = () =>
  Schema.Struct({
    type: Schema.Literal("journald"),
    /** The program name in the journal (SYSLOG_IDENTIFIER). */
    identifier: Schema.optionalKey(Field.identifier())
  })

type Fields = Omit<ReturnType<typeof fields>["Type"], "type">

const send = Effect.fnUntraced(function*(record: Record, identifier: string) {
  // `logger` reports no error if the socket is missing.
  if (!Fs.existsSync(socket)) {
    return yield* new SinkFailed({
      sink: name,
      reason: `there is no ${socket}: does systemd-journald run on this host?`
    })
  }
  const lines = JournalFormat.render(record, { identifier, pid: process.pid })
  yield* Effect.mapError(
    UtilLinuxLogger.send(["--journald"], `${lines.join("\n")}\n`),
    (cause) => new SinkFailed({ sink: name, reason: cause.message, cause })
  )
})

/** The sink `journald`. */
export const kind = {
  fields,
  complete: (fields: Fields): JournaldTarget => ({ identifier: "cni-passthrough", ...fields }),
  open: ({ identifier }: JournaldTarget) =>
    Effect.map(ProcessRunner, (runner) => ({
      name,
      write: (record: Record) => Effect.provideService(send(record, identifier), ProcessRunner, runner)
    }))
}

/** A {@link LogSink} that sends all records to the journal of this host. */
export const layer = (target: Fields = {}): Layer.Layer<LogSink, never, ProcessRunner> => SinkKind.layer(kind, target)
