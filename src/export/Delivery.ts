/** Brings spans to a collector, again and again while it does not take them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as OtlpCollector from "./OtlpCollector.ts"
import { SpanQueue } from "./SpanQueue.ts"
import type { Span } from "./Spans.ts"

/** The time between attempts, in milliseconds. It doubles each time. */
const pause = { first: 250, most: 30_000 }

/** How long spans are gathered before they are sent, in milliseconds. */
const gathering = 1000

/** How long the end of a process may wait for a collector that works, in milliseconds. */
const lastWait = 2000

type Tell = (message: string) => Effect.Effect<void>

/** When to try again, and until when. */
interface Persistence {
  readonly onFailure: (error: OtlpCollector.NotSent) => Effect.Effect<void>
  /** Called with why the collector refused some of the spans. */
  readonly onRefusal: (reason: string) => Effect.Effect<void>
  /** How long to try, in milliseconds. */
  readonly patience: number
}

/**
 * Sends spans until the collector takes them, and returns how many of them it refused. Fails if it refuses all, or
 * when patience runs out.
 */
const persist = Effect.fnUntraced(function*(
  collector: OtlpCollector.OtlpCollector,
  spans: ReadonlyArray<Span>,
  { onFailure, onRefusal, patience }: Persistence
) {
  const begin = yield* Clock.currentTimeMillis
  for (let next = pause.first;; next = Math.min(2 * next, pause.most)) {
    const outcome = yield* Effect.result(collector.send(spans))
    if (Result.isSuccess(outcome)) {
      if (outcome.success === undefined) return 0
      const { message, rejectedSpans } = outcome.success
      yield* onRefusal(message)
      return Math.min(rejectedSpans, spans.length)
    }
    const error = outcome.failure
    yield* onFailure(error)
    const waiting = error.retryAfter ?? next * (yield* Random.nextBetween(0.5, 1))
    if (!error.isTransient || (yield* Clock.currentTimeMillis) + waiting - begin > patience) return yield* error
    yield* Effect.sleep(waiting)
  }
})

/** Reports the first message only. */
const once = (tell: Tell): Tell => {
  let isTold = false
  return (message) =>
    Effect.suspend(() => {
      if (isTold) return Effect.void
      isTold = true
      return tell(message)
    })
}

/** Reports the first failure, and the first refusal. */
const reporting = (collector: OtlpCollector.OtlpCollector, tellFailure: Tell, tellRefusal: Tell) => {
  const [sayFailure, sayRefusal] = [once(tellFailure), once(tellRefusal)]
  return {
    onFailure: ({ isTransient, message }: OtlpCollector.NotSent) =>
      sayFailure(isTransient ? `${message}: trying again` : message),
    onRefusal: (reason: string) =>
      sayRefusal(`${collector.url} refused some of the spans${reason === "" ? "" : `: ${reason}`}`)
  }
}

/** How long to try to send spans of a log that has ended, in milliseconds. */
const patience = 60_000

/** Sends spans in turn with what makes them. */
export interface InTurn {
  readonly push: (spans: ReadonlyArray<Span>) => void
  /** Sends what was pushed, but for a rest that is worth no request yet. Fails if the collector takes no more. */
  readonly pace: Effect.Effect<void, OtlpCollector.NotSent>
  /** Sends the rest, and returns how many spans were sent. */
  readonly finish: Effect.Effect<number, OtlpCollector.NotSent>
}

/** Sends spans to a collector in turn with what makes them. */
export const inTurn = (collector: OtlpCollector.OtlpCollector, tell: Tell): InTurn => {
  const queue = new SpanQueue()
  const persistence = { ...reporting(collector, tell, tell), patience }
  let sent = 0
  const sendWhile = (isDue: () => boolean) =>
    Effect.gen(function*() {
      while (isDue()) {
        const batch = queue.take()
        sent += batch.length - (yield* persist(collector, batch, persistence))
      }
    })
  return {
    push: (spans) => queue.push(spans),
    pace: sendWhile(() => queue.hasBatch),
    finish: Effect.map(sendWhile(() => queue.length > 0), () => sent)
  }
}

/** Sends spans as they come, beside all else. */
export interface Background {
  /** Takes spans, and never waits. */
  readonly push: (spans: ReadonlyArray<Span>) => void
  /**
   * Sends what is left, if the collector works, and returns how many spans it did not take. Waits for a short time at
   * most.
   */
  readonly finish: Effect.Effect<number>
}

/** Begins to send spans beside all else, until the scope closes. Memory stays bounded: then the oldest spans are lost. */
export const background = Effect.fnUntraced(function*(collector: OtlpCollector.OtlpCollector, tell: Tell) {
  const queue = new SpanQueue()
  const arrived = yield* Latch.make(false)
  const hurry = yield* Latch.make(false)
  /** Open while there is nothing to wait for: all is sent, or the collector does not work. */
  const settled = yield* Latch.make(true)
  let isDown = false
  let inFlight = 0
  let refused = 0
  const report = reporting(collector, (message) => tell(`${message}, keeping the newest 16 MiB of spans`), tell)
  const onFailure = (error: OtlpCollector.NotSent) => {
    isDown = error.isTransient
    if (isDown) settled.openUnsafe()
    return report.onFailure(error)
  }

  const round = Effect.fnUntraced(function*() {
    yield* arrived.await
    if (!queue.hasBatch) yield* Effect.raceFirst(hurry.await, Effect.sleep(gathering))
    const batch = queue.take()
    inFlight = batch.length
    const outcome = yield* Effect.result(
      persist(collector, batch, { ...report, onFailure, patience: Number.POSITIVE_INFINITY })
    )
    refused += Result.isFailure(outcome) ? batch.length : outcome.success
    isDown = false
    inFlight = 0
    if (queue.length > 0) return
    arrived.closeUnsafe()
    settled.openUnsafe()
  })
  yield* Effect.forkScoped(Effect.forever(round()))

  return {
    push: (spans) => {
      queue.push(spans)
      if (queue.length === 0) return
      arrived.openUnsafe()
      if (!isDown) settled.closeUnsafe()
    },
    finish: Effect.gen(function*() {
      hurry.openUnsafe()
      yield* Effect.timeoutOption(settled.await, lastWait)
      return queue.length + inFlight + queue.dropped + refused
    })
  } satisfies Background as Background
})
