/** The export flags, and the export of operations with the metrics of this host, from a log or as they come. */
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Delivery from "../export/Delivery.ts"
import { Metrics } from "../export/Metrics.ts"
import * as OtlpCollector from "../export/OtlpCollector.ts"
import * as Spans from "../export/Spans.ts"
import * as Filter from "../operations/Filter.ts"
import type { Operation } from "../operations/Operation.ts"
import * as Escape from "../record/Escape.ts"
import * as HostMetrics from "./HostMetrics.ts"
import type * as OnHost from "./OnHost.ts"
import * as PrometheusTarget from "./PrometheusTarget.ts"

export const flags = {
  otlp: Flag.String("otlp").pipe(
    Flag.withDescription(
      "Send spans to this OpenTelemetry collector, such as http://127.0.0.1:4318 " +
        "(default: OTEL_EXPORTER_OTLP_ENDPOINT)"
    ),
    Flag.withMetavar("url"),
    Flag.optional
  ),
  prometheus: PrometheusTarget.flag
}

/** The values of {@link flags}. */
export interface Asked extends OnHost.Asked {
  readonly otlp: Option.Option<string>
  readonly prometheus: Option.Option<PrometheusTarget.Target>
}

/** The time between two writes of a file of metrics, and between two looks at this host, in milliseconds. */
const writing = 5000
const looking = 60_000

/** Tells something on stderr, on one line. */
export const tell = (message: string) => Console.error(Escape.inLine(message))

/** Whether an operation has spans. Runtimes ask for versions all the time, so VERSION has them only where it failed. */
const hasSpans = (operation: Operation): boolean => Filter.matches({}, operation)

/** Finds where to send spans and give metrics. Fails at once if that is not possible. */
export const open = Effect.fnUntraced(function*(asked: Asked) {
  const options = yield* OtlpCollector.optionsFromEnvironment(Option.getOrUndefined(asked.otlp))
  const collector = options === undefined
    ? undefined
    : yield* Effect.provide(OtlpCollector.make(options), FetchHttpClient.layer)
  const metrics = new Metrics()
  const place = Option.isNone(asked.prometheus)
    ? undefined
    : yield* PrometheusTarget.open(asked.prometheus.value, metrics, asked)
  return { collector, metrics, place }
})

export type Opened = Effect.Success<ReturnType<typeof open>>

/** Exports the operations of a log that is read to its end. */
export const inTurn = ({ collector, metrics, place }: Opened, host: HostMetrics.Places) => {
  const sending = collector === undefined ? undefined : Delivery.inTurn(collector, tell)
  let count = 0
  return {
    /** Takes operations, and sends what is due before more are read. */
    take: Effect.fnUntraced(function*(operations: ReadonlyArray<Operation>) {
      for (const operation of operations) {
        if (place !== undefined) metrics.add(operation)
        if (sending === undefined || !hasSpans(operation)) continue
        count++
        sending.push(Spans.of(operation))
        yield* sending.pace
      }
    }),
    /** Sends and writes the rest, and returns what was done, in words. */
    finish: Effect.gen(function*() {
      const done: Array<string> = []
      if (place !== undefined) {
        yield* HostMetrics.refreshPlugins(metrics, host)
        yield* HostMetrics.refreshNetworks(metrics, host)
        yield* place.publish
        done.push(place.needsUs ? `metrics are at ${place.name} until this is stopped` : `wrote ${place.name}`)
      }
      if (sending !== undefined) {
        done.push(`sent ${yield* sending.finish} spans of ${count} operations to ${collector?.url}`)
      }
      return done
    })
  }
}

/** Exports operations in the background until the scope closes. Its failures stop nothing else. */
export const begin = Effect.fnUntraced(function*(
  { collector, metrics, place }: Opened,
  host: HostMetrics.Places
) {
  const sending = collector === undefined ? undefined : yield* Delivery.background(collector, tell)
  let written: string | undefined
  let isTold = false
  const publish = Effect.suspend(() => {
    const text = metrics.text()
    if (place === undefined || text === written) return Effect.void
    written = text
    return Effect.catch(place.publish, (error) => {
      written = undefined
      if (isTold) return Effect.void
      isTold = true
      return tell(`${error.message}: trying again`)
    })
  })
  if (place !== undefined) {
    const round = Effect.andThen(HostMetrics.refreshPlugins(metrics, host), publish)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(round, Effect.sleep(writing))))
    const look = HostMetrics.refreshNetworks(metrics, host)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.sleep(looking))))
  }
  return {
    /** Takes an operation, and never waits. */
    take: (operation: Operation) => {
      metrics.add(operation)
      if (hasSpans(operation)) sending?.push(Spans.of(operation))
    },
    /** Sends and writes what is left. Waits for a short time at most. */
    finish: Effect.gen(function*() {
      if (place !== undefined) yield* HostMetrics.refreshPlugins(metrics, host)
      yield* publish
      const lost = sending === undefined ? 0 : yield* sending.finish
      if (lost > 0) yield* tell(`${lost} spans were not sent to ${collector?.url}`)
    })
  }
})

export type Running = Effect.Success<ReturnType<typeof begin>>
