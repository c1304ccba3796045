/** Sends records to systemd-journald, with fields of their own: `journalctl CNI_CONTAINERID=…` finds them. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import type { JournaldTarget } from "../cni/Settings.ts"
import * as JournalFormat from "../record/JournalFormat.ts"
import { LogSink, SinkFailed } from "../services/LogSink.ts"
import * as logger from "./logger.ts"

const name = "journald"
const socket = "/run/systemd/journal/socket"

/** Sends records under the identifier that `target` names. */
export const make = (target: JournaldTarget): LogSink["Service"] =>
  LogSink.of({
    name,
    write: Effect.fnUntraced(function*(record) {
      // Without this, `logger` would say nothing where nobody listens.
      if (!Fs.existsSync(socket)) {
        return yield* new SinkFailed({
          sink: name,
          reason: `there is no ${socket}: does systemd-journald run on this host?`
        })
      }
      const fields = JournalFormat.render(record, target.identifier)
      yield* Effect.mapError(
        logger.run(["--journald"], `${fields.join("\n")}\n`, record.request.environment),
        (error) => new SinkFailed({ sink: name, reason: error.message })
      )
    })
  })

/** The journal of this host as the sink of all records. */
export const layer = (identifier = "cni-passthrough"): Layer.Layer<LogSink> =>
  Layer.succeed(LogSink, make({ type: "journald", identifier }))
