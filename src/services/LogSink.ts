import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { LogRecord } from "../record/LogRecord.ts"

/** A sink could not take a record. */
export class SinkFailed extends Data.TaggedError("SinkFailed")<{ readonly sink: string; readonly reason: string }> {
  override readonly message = `${this.sink}: ${this.reason}`
}

/**
 * Takes the records of a run, one after the other. A sink fails with an error of its own; its `message` should name
 * the sink and say what to do, for it is what a runtime shows.
 */
export class LogSink extends Context.Service<LogSink, {
  /** What to call a sink that ran out of time. Only sinks that may keep a run waiting need one. */
  readonly name?: string
  /** Takes one record. What it succeeds with is of no interest; when it does, the record is there for others to see. */
  readonly write: (record: LogRecord) => Effect.Effect<unknown, Error>
}>()("cni-passthrough/LogSink") {}
