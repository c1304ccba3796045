/** Sends each record to the sinks that the network configuration of its request names. */
import * as Layer from "effect/Layer"
import type { Request } from "../cni/Request.ts"
import type { SinkTarget } from "../cni/Settings.ts"
import { LogSink } from "../services/LogSink.ts"
import * as CombinedSink from "./CombinedSink.ts"
import * as FileSink from "./FileSink.ts"
import * as JournaldSink from "./JournaldSink.ts"
import * as StderrSink from "./StderrSink.ts"
import * as SyslogSink from "./SyslogSink.ts"

const make = (target: SinkTarget): LogSink["Service"] => {
  switch (target.type) {
    case "file":
      return FileSink.make(target)
    case "syslog":
      return SyslogSink.make(target)
    case "journald":
      return JournaldSink.make(target)
    case "stderr":
      return StderrSink.make(target)
  }
}

const made = new WeakMap<Request, LogSink["Service"]>()

/** The sinks of a request. They are the same for all of its records, for they share the time that they may wait. */
const sinksOf = (request: Request): LogSink["Service"] => {
  const sinks = made.get(request) ??
    CombinedSink.make(request.settings.sinks.map(make), request.settings.logTimeout)
  made.set(request, sinks)
  return sinks
}

/** The sinks of `logFile` and `logSinks`. Where a configuration names none, nothing is logged. */
export const live = LogSink.of({ write: (record) => sinksOf(record.request).write(record) })

/** The live sinks as a layer. */
export const layer = /* @__PURE__ */ Layer.succeed(LogSink, live)
