/** Writes records to stderr. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import type { Format, StderrTarget } from "../cni/Settings.ts"
import { render } from "../record/render.ts"
import * as descriptor from "../services/descriptor.ts"
import { LogSink, SinkFailed } from "../services/LogSink.ts"

const name = "stderr"

/** A descriptor of stderr whose writes do not wait for a reader, where there is one. */
const open = (): number => {
  try {
    return Fs.openSync("/proc/self/fd/2", Fs.constants.O_WRONLY | Fs.constants.O_APPEND | Fs.constants.O_NONBLOCK)
  } catch {
    return 2
  }
}

/** Writes records in the format that `target` names. */
export const make = (target: StderrTarget): LogSink["Service"] => {
  return LogSink.of({
    name,
    write: (record) =>
      Effect.acquireUseRelease(
        Effect.sync(open),
        (fd) => descriptor.write(fd, render(record, target.format)),
        (fd) => Effect.sync(() => fd === 2 || Fs.closeSync(fd))
      ).pipe(Effect.mapError((error) => new SinkFailed({ sink: name, reason: error.message })))
  })
}

/** The stderr of this process as the sink of all records. */
export const layer = (format: Format = "text"): Layer.Layer<LogSink> =>
  Layer.succeed(LogSink, make({ type: "stderr", format }))
