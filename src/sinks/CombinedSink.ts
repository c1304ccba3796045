/** Several sinks as one. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { LogSink } from "../services/LogSink.ts"

/** Some of several sinks could not take a record. The message has the messages of all of them. */
export class SinksFailed extends Data.TaggedError("SinksFailed")<{ readonly errors: ReadonlyArray<Error> }> {
  override readonly message = this.errors.map((error) => error.message).join("; ")
}

/** Writes to every sink, whichever fails. */
export const make = (sinks: ReadonlyArray<LogSink["Service"]>): LogSink["Service"] =>
  LogSink.of({
    write: Effect.fnUntraced(function*(record) {
      const errors: Array<Error> = []
      for (const sink of sinks) {
        const exit = yield* Effect.exit(sink.write(record))
        if (Exit.isFailure(exit)) errors.push(Cause.squash(exit.cause) as Error)
      }
      if (errors.length > 0) return yield* new SinksFailed({ errors })
    })
  })

/** Each record goes to every one of these sinks. */
export const layer = <Sinks extends ReadonlyArray<Layer.Layer<LogSink, unknown, unknown>>>(
  ...sinks: Sinks
): Layer.Layer<LogSink, Layer.Error<Sinks[number]>, Layer.Services<Sinks[number]>> =>
  Layer.effect(
    LogSink,
    Effect.map(
      Effect.forEach(sinks, (sink) => Effect.map(Layer.build(sink), (context) => Context.get(context, LogSink))),
      make
    )
  ) as never
