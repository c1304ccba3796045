/** Records as spans of OpenTelemetry and as metrics of Prometheus, with what looks like a secret masked. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Collector from "../operations/Collector.ts"
import * as Filter from "../operations/Filter.ts"
import type { Record } from "../record/Record.ts"
import * as Secrets from "../record/Secrets.ts"
import { LogSink } from "../sinks/LogSink.ts"
import { Metrics } from "./Metrics.ts"
import * as OtlpCollector from "./OtlpCollector.ts"
import * as Spans from "./Spans.ts"

export { NotACollector, NotSent } from "./OtlpCollector.ts"
export type { Options } from "./OtlpCollector.ts"
export type { Span } from "./Spans.ts"

const operationsOf = (records: Iterable<Record>) => {
  const collector = new Collector.Collector()
  for (const record of records) collector.add(Secrets.inRecord(record))
  return collector.operations()
}

/** The spans of all operations in these records. VERSION is left out where it went well. */
export const spans = (records: Iterable<Record>): ReadonlyArray<Spans.Span> =>
  operationsOf(records).filter((operation) => Filter.matches({}, operation)).flatMap(Spans.of)

/** The metrics of all operations in these records, in the text format of Prometheus. */
export const metrics = (records: Iterable<Record>): string => {
  const collected = new Metrics()
  for (const operation of operationsOf(records)) collected.add(operation)
  return collected.text()
}

/** How long a run may wait for a collector after it has answered, in milliseconds. */
const timeout = 1000

/** A sink that sends the spans of each run to a collector, once the run has answered. */
export const layer = (options: OtlpCollector.Options): Layer.Layer<LogSink, OtlpCollector.NotACollector> =>
  Layer.effect(
    LogSink,
    Effect.map(OtlpCollector.make(options), ({ send, url }) =>
      LogSink.of({
        neverWaits: true,
        open: Effect.fnUntraced(function*() {
          const records: Array<Record> = []
          yield* Effect.addFinalizer(() =>
            Effect.suspend(() => send(spans(records))).pipe(
              Effect.timeoutOrElse({
                duration: timeout,
                orElse: () => Effect.die(new Error(`${url} does not answer`))
              }),
              Effect.orDie
            )
          )
          return { neverWaits: true, write: (record) => Effect.sync(() => records.push(record)) }
        })
      }))
  ).pipe(Layer.provide(FetchHttpClient.layer))
