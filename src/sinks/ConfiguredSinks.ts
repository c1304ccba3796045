/** Sends each record to the sinks that the network configuration of its request names. */
import * as Layer from "effect/Layer"
import { LogSink } from "../services/LogSink.ts"
import * as CombinedSink from "./CombinedSink.ts"
import * as FileSink from "./FileSink.ts"

/** The sinks of `logFile` and `logSinks`. Where a configuration names none, nothing is logged. */
export const live = LogSink.of({
  write: (record) => CombinedSink.make(record.request.settings.sinks.map(FileSink.make)).write(record)
})

/** The live sinks as a layer. */
export const layer = Layer.succeed(LogSink, live)
