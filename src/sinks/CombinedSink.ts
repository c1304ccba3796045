/** Combines several sinks into one. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as GoDuration from "../json/GoDuration.ts"
import type { Record } from "../record/Record.ts"
import { LogSink, type Run, SinkFailed, type Writer } from "./LogSink.ts"

/** One or more sinks failed to write a record. The message joins their messages. */
export class SinksFailed extends Data.TaggedError("SinksFailed")<{ readonly errors: ReadonlyArray<unknown> }> {
  override readonly message = this.errors.map((error) => error instanceof Error ? error.message : String(error)).join(
    "; "
  )
}

/**
 * Fails an effect of a sink with {@link SinkFailed} after `left` milliseconds. `limit` is the total limit in
 * milliseconds, for the message.
 */
export const limited = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  { left, limit, name = "a log sink" }: {
    readonly left: number
    readonly limit: number
    readonly name?: string | undefined
  }
): Effect.Effect<A, E | SinkFailed, R> =>
  Effect.timeoutOrElse(effect, {
    duration: left,
    orElse: () => {
      const total = GoDuration.fromMillis(limit)
      const reason = `no answer in time: the records of a run may wait for ${total} in total ("logTimeout")`
      return Effect.fail(new SinkFailed({ sink: name, reason }))
    }
  })

/** Limits a writer to `limit` milliseconds for all records of a run together. */
const withTotalLimit = (writer: Writer, limit: number): Writer => {
  const { name } = writer
  let waited = 0
  return {
    write: Effect.fnUntraced(function*(record: Record) {
      const started = yield* Clock.currentTimeMillis
      const options = { left: Math.max(0, limit - waited), limit, name }
      const exit = yield* Effect.exit(limited(writer.write(record), options))
      waited += (yield* Clock.currentTimeMillis) - started
      return yield* exit
    })
  }
}

/**
 * Combines the writers of one run: each record goes to all of them, even if some fail. Fails with {@link SinksFailed}.
 * Each writer that may wait gets `limit` milliseconds for all records of the run together. A `limit` of 0 means no
 * limit.
 */
export const combine = (writers: ReadonlyArray<Writer>, limit: number): Writer => {
  const [first, ...others] = writers
  if (first?.neverWaits === true && others.length === 0) return first // nothing to combine and nothing to limit
  const timed = writers.map((writer) =>
    writer.neverWaits === true || limit === 0 ? writer : withTotalLimit(writer, limit)
  )
  return {
    neverWaits: true, // not longer than its limit
    write: Effect.fnUntraced(function*(record) {
      const exits = yield* Effect.forEach(timed, ({ write }) => Effect.exit(write(record)), {
        concurrency: "unbounded"
      })
      const errors = exits.flatMap((exit) => Exit.isFailure(exit) ? [Cause.squash(exit.cause)] : [])
      if (errors.length > 0) return yield* new SinksFailed({ errors })
    })
  }
}

/** Opens a sink for one run. If that fails or times out, every write fails with the same error. */
const openOne = (sink: LogSink["Service"], run: Run): Effect.Effect<Writer, never, Scope.Scope> => {
  if (!("open" in sink)) return Effect.succeed(sink)
  const { logTimeout } = run
  const opened = sink.neverWaits === true || logTimeout === 0
    ? sink.open(run)
    : limited(sink.open(run), { left: logTimeout, limit: logTimeout })
  return Effect.catchCause(opened, (cause) => Effect.succeed({ write: () => Effect.failCause(cause) }))
}

/** Opens several sinks for one run and combines them, with the time limit `run.logTimeout`. */
export const open = (sinks: ReadonlyArray<LogSink["Service"]>, run: Run): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.map(
    Effect.forEach(sinks, (sink) => openOne(sink, run), { concurrency: "unbounded" }),
    (writers) => combine(writers, run.logTimeout)
  )

/** A sink that passes each record to all given sinks, within the `logTimeout` of the network configuration. */
export const layer = <Sinks extends ReadonlyArray<Layer.Layer<LogSink, unknown, unknown>>>(
  ...sinks: Sinks
): Layer.Layer<LogSink, Layer.Error<Sinks[number]>, Layer.Services<Sinks[number]>> =>
  Layer.effect(
    LogSink,
    Effect.map(
      Effect.forEach(sinks, (sink) => Effect.map(Layer.build(sink), (context) => Context.get(context, LogSink))),
      (services) => LogSink.of({ open: (run) => open(services, run), neverWaits: true })
    )
  ) as never
