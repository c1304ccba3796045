/** Several sinks as one. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { Request } from "../cni/Request.ts"
import type { LogRecord } from "../record/LogRecord.ts"
import { LogSink, SinkFailed } from "../services/LogSink.ts"

/** Some of several sinks could not take a record. The message has the messages of all of them. */
export class SinksFailed extends Data.TaggedError("SinksFailed")<{ readonly errors: ReadonlyArray<Error> }> {
  override readonly message = this.errors.map((error) => error.message).join("; ")
}

/** How long the records of a run may wait for sinks, unless it is said otherwise, in milliseconds. */
export const defaultWait = 2000

/**
 * Writes to every sink at once, whichever fails. Sinks that have a `name` are those that may keep us waiting: for all
 * records of a run together that takes `wait` milliseconds at most, without an end where `wait` is 0.
 */
export const make = (sinks: ReadonlyArray<LogSink["Service"]>, wait = defaultWait): LogSink["Service"] => {
  const [first, ...others] = sinks
  if (first !== undefined && others.length === 0 && first.name === undefined) return first // nothing to combine

  const waited = new WeakMap<Request, number>()

  const attempt = (record: LogRecord, left: number) => (sink: LogSink["Service"]) => {
    const { name } = sink
    if (name === undefined || wait === 0) return Effect.exit(sink.write(record))
    const reason = `no answer in time: the records of a run may wait for ${wait / 1000} s altogether ("logTimeout")`
    const orElse = () => Effect.fail(new SinkFailed({ sink: name, reason }))
    return Effect.exit(Effect.timeoutOrElse(sink.write(record), { duration: left, orElse }))
  }

  return LogSink.of({
    write: Effect.fnUntraced(function*(record) {
      const started = yield* Clock.currentTimeMillis
      const before = waited.get(record.request) ?? 0
      const left = Math.max(0, wait - before)
      const exits = yield* Effect.forEach(sinks, attempt(record, left), { concurrency: "unbounded" })
      waited.set(record.request, before + (yield* Clock.currentTimeMillis) - started)
      const errors = exits.flatMap((exit) => Exit.isFailure(exit) ? [Cause.squash(exit.cause) as Error] : [])
      if (errors.length > 0) return yield* new SinksFailed({ errors })
    })
  })
}

/** Each record goes to every one of these sinks. */
export const layer = <Sinks extends ReadonlyArray<Layer.Layer<LogSink, unknown, unknown>>>(
  ...sinks: Sinks
): Layer.Layer<LogSink, Layer.Error<Sinks[number]>, Layer.Services<Sinks[number]>> =>
  Layer.effect(
    LogSink,
    Effect.map(
      Effect.forEach(sinks, (sink) => Effect.map(Layer.build(sink), (context) => Context.get(context, LogSink))),
      (services) => make(services)
    )
  ) as never
