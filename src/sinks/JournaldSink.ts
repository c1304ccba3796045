/** Sends records to systemd-journald, with fields of their own: `journalctl CNI_CONTAINERID=…` finds them. */
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
import * as UtilLinuxLogger from "./UtilLinuxLogger.ts"

const name = "journald"
const socket = "/run/systemd/journal/socket"

/** The fields of a journald sink. */
export const fields = () =>
  Schema.Struct({
    type: Schema.Literal("journald"),
    /** What the journal sees as the name of the program. */
    identifier: Schema.optionalKey(Field.identifier())
  })

type Fields = Omit<ReturnType<typeof fields>["Type"], "type">

type Target = Required<Fields>

const send = Effect.fnUntraced(function*(record: Record, identifier: string) {
  // Without this, `logger` would say nothing where nothing listens.
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

/** The journal of this host as the sink of records. */
export const kind = {
  fields,
  complete: (fields: Fields): Target => ({ identifier: "cni-passthrough", ...fields }),
  open: ({ identifier }: Target) =>
    Effect.map(ProcessRunner, (runner) => ({
      name,
      write: (record: Record) => Effect.provideService(send(record, identifier), ProcessRunner, runner)
    }))
}

/** The journal of this host as the sink of all records. */
export const layer = (target: Fields = {}): Layer.Layer<LogSink, never, ProcessRunner> => SinkKind.layer(kind, target)
