/** The way of spans to a collector that does not always take them. Time is the test's. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Delivery from "../../src/export/Delivery.ts"
import * as Export from "../../src/export/Export.ts"
import { NotSent } from "../../src/export/OtlpCollector.ts"
import type { PartialSuccess } from "../../src/export/PartialSuccess.ts"
import { SpanQueue } from "../../src/export/SpanQueue.ts"
import type { Span } from "../../src/export/Spans.ts"
import { failingIpam, read } from "./records.ts"

const [span] = Export.spans(read(failingIpam()))
assert.isDefined(span)

const spansOf = (count: number, members: Partial<Span> = {}): ReadonlyArray<Span> =>
  Array.from({ length: count }, (_, index) => ({ ...span, ...members, spanId: String(index) }))

const url = "http://collector/v1/traces"

/** A collector that answers so, by the number of the request. */
const fake = (
  answer: (count: number) => "takes" | "takes in part" | "takes none" | "is down" | "refuses" | "hangs"
) => {
  const taken: Array<Span> = []
  const said: Array<string> = []
  const tried: Array<number> = []
  const failed = (isTransient: boolean) => new NotSent({ url, reason: "is down", isTransient, retryAfter: undefined })
  return {
    taken,
    said,
    tried,
    tell: (message: string) => Effect.sync(() => void said.push(message)),
    collector: {
      url,
      send: (spans: ReadonlyArray<Span>) =>
        Effect.suspend((): Effect.Effect<PartialSuccess | undefined, NotSent> => {
          tried.push(spans.length)
          switch (answer(tried.length - 1)) {
            case "takes":
              taken.push(...spans)
              return Effect.undefined
            case "takes in part":
              taken.push(...spans.slice(1))
              return Effect.succeed({ rejectedSpans: 1, message: "too old" })
            case "takes none":
              return Effect.succeed({ rejectedSpans: 1_000_000, message: "" })
            case "hangs":
              return Effect.never
            case "is down":
              return Effect.fail(failed(true))
            case "refuses":
              return Effect.fail(failed(false))
          }
        })
    }
  }
}

describe("spans that are sent in turn", () => {
  it.effect("are sent again until the collector takes them, and its failure is told once", () =>
    Effect.gen(function*() {
      const { collector, said, taken, tell, tried } = fake((count) => count % 2 === 0 ? "is down" : "takes")
      const sending = Delivery.inTurn(collector, tell)
      sending.push(spansOf(1100))
      const fiber = yield* Effect.forkChild(Effect.andThen(sending.pace, sending.finish))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Fiber.join(fiber), 1100)
      assert.deepStrictEqual(taken.map(({ spanId }) => spanId), spansOf(1100).map(({ spanId }) => spanId))
      assert.deepStrictEqual(tried, [512, 512, 512, 512, 76, 76])
      assert.deepStrictEqual(said, [`${url} is down: trying again`])
    }))

  it.effect("of which the collector refuses some do not count as sent, and are told once", () =>
    Effect.gen(function*() {
      const { collector, said, tell, tried } = fake(() => "takes in part")
      const sending = Delivery.inTurn(collector, tell)
      sending.push(spansOf(600))
      assert.strictEqual(yield* sending.finish, 598)
      assert.deepStrictEqual(tried, [512, 88])
      assert.deepStrictEqual(said, [`${url} refused some of the spans: too old`])
    }))

  it.effect("may be refused without a reason, and no more than were sent", () =>
    Effect.gen(function*() {
      const { collector, said, tell } = fake(() => "takes none")
      const sending = Delivery.inTurn(collector, tell)
      sending.push(spansOf(2))
      assert.strictEqual(yield* sending.finish, 0)
      assert.deepStrictEqual(said, [`${url} refused some of the spans`])
    }))

  it.effect("are sent again after 250 ms, and then after twice as long each time, up to 30 s, or half of that", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const collector = {
        url,
        send: () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            times.push(now)
            return Effect.fail(new NotSent({ url, reason: "is down", isTransient: true, retryAfter: undefined }))
          })
      }
      yield* Effect.scoped(Effect.gen(function*() {
        const { push } = yield* Delivery.background(collector, () => Effect.void)
        push(spansOf(1))
        yield* TestClock.adjust("10 minutes")
      }))
      const waits = times.slice(1).map((time, index) => time - times[index]!)
      assert.isAtLeast(waits.length, 19)
      for (const [index, wait] of waits.entries()) {
        const most = Math.min(250 * 2 ** index, 30_000)
        assert.isAtLeast(wait, Math.floor(most / 2), `attempt ${index}`)
        assert.isAtMost(wait, Math.ceil(most), `attempt ${index}`)
      }
    }))

  it.effect("are sent again when the collector asks for it", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const send = () =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          times.push(now)
          return times.length > 1
            ? Effect.undefined
            : Effect.fail(new NotSent({ url, reason: "is busy", isTransient: true, retryAfter: 7000 }))
        })
      const sending = Delivery.inTurn({ url, send }, () => Effect.void)
      sending.push(spansOf(1))
      const fiber = yield* Effect.forkChild(sending.finish)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.strictEqual(times[1]! - times[0]!, 7000)
    }))

  it.effect("are given up after a minute without success", () =>
    Effect.gen(function*() {
      const { collector, tell, tried } = fake(() => "is down")
      const sending = Delivery.inTurn(collector, tell)
      sending.push(spansOf(1))
      const fiber = yield* Effect.forkChild(Effect.flip(sending.finish))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).message, `${url} is down`)
      assert.isAtLeast(tried.length, 6)
      assert.isAtMost(tried.length, 12)
    }))

  it.effect("are given up at once where they are refused", () =>
    Effect.gen(function*() {
      const { collector, tell, tried } = fake(() => "refuses")
      const sending = Delivery.inTurn(collector, tell)
      sending.push(spansOf(1))
      yield* Effect.flip(sending.finish)
      assert.lengthOf(tried, 1)
    }))
})

describe("spans that are sent beside all else", () => {
  it.effect("are gathered for a second, and sent together", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell, tried } = fake(() => "takes")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(2))
      push(spansOf(3))
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(tried, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(tried, [5])
      assert.strictEqual(yield* finish, 0)
    })))

  it.effect("are sent by no request where there are none", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell, tried } = fake(() => "takes")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push([])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* finish, 0)
      assert.deepStrictEqual(tried, [])
    })))

  it.effect("are sent at the end without a wait", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, taken, tell } = fake(() => "takes")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(5))
      assert.strictEqual(yield* finish, 0)
      assert.lengthOf(taken, 5)
    })))

  it.effect("are sent at once where they are enough for a request, and the rest after a second", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell, tried } = fake(() => "takes")
      const { push } = yield* Delivery.background(collector, tell)
      push(spansOf(513))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(tried, [512])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(tried, [512, 1])
    })))

  it.effect("keep the end waiting while a collector that works takes its time", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell } = fake(() => "takes")
      const slow = { url, send: (spans: ReadonlyArray<Span>) => Effect.delay(collector.send(spans), 600) }
      const { finish, push } = yield* Delivery.background(slow, tell)
      push(spansOf(1))
      yield* TestClock.adjust("10 seconds")
      push(spansOf(600))
      const fiber = yield* Effect.forkChild(finish)
      yield* TestClock.adjust("1200 millis")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
    })))

  it.effect("that the collector refuses count as not taken, and do not keep later ones", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, said, taken, tell } = fake((count) => count === 0 ? "refuses" : "takes in part")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(3))
      yield* TestClock.adjust("1 second")
      push(spansOf(4))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* finish, 4)
      assert.lengthOf(taken, 3)
      assert.deepStrictEqual(said, [
        `${url} is down, keeping the newest 16 MiB of spans`,
        `${url} refused some of the spans: too old`
      ])
    })))

  it.effect("that made room for newer ones count as not taken", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, said, tell } = fake(() => "is down")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(2))
      yield* TestClock.adjust("10 seconds")
      push(spansOf(40, { name: "x".repeat(1_048_576) }))
      assert.strictEqual(yield* finish, 42)
      assert.deepStrictEqual(said, [`${url} is down: trying again, keeping the newest 16 MiB of spans`])
    })))

  it.effect("wait for a collector that is down, which is told once, and are sent when it is back", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, said, taken, tell } = fake((count) => count < 5 ? "is down" : "takes")
      const { push } = yield* Delivery.background(collector, tell)
      push(spansOf(5))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(taken, 5)
      assert.lengthOf(said, 1)
    })))

  it.effect("do not keep the end waiting where the collector is down, and are counted", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell } = fake(() => "is down")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(5))
      yield* TestClock.adjust("10 seconds")
      push(spansOf(2))
      assert.strictEqual(yield* finish, 7)
    })))

  it.effect("keep the end waiting for two seconds at most where the collector does not answer", () =>
    Effect.scoped(Effect.gen(function*() {
      const { collector, tell } = fake(() => "hangs")
      const { finish, push } = yield* Delivery.background(collector, tell)
      push(spansOf(5))
      const fiber = yield* Effect.forkChild(finish)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 5)
    })))
})

describe("spans that wait", () => {
  it("are the newest that fit into 16 MiB", () => {
    const queue = new SpanQueue()
    queue.push(spansOf(40, { name: "x".repeat(1_048_576) }))
    assert.strictEqual(queue.length, 15)
    assert.strictEqual(queue.dropped, 25)
    assert.strictEqual(queue.take()[0]?.spanId, "25")
  })

  it("are at least one, however long it is", () => {
    const queue = new SpanQueue()
    queue.push(spansOf(2, { name: "x".repeat(17 * 1_048_576) }))
    assert.deepStrictEqual([queue.length, queue.dropped], [1, 1])
  })

  it("are sent 512 at once, or as many as have a megabyte", () => {
    const queue = new SpanQueue()
    queue.push(spansOf(511))
    assert.isFalse(queue.hasBatch)
    queue.push(spansOf(2))
    assert.isTrue(queue.hasBatch)
    assert.lengthOf(queue.take(), 512)
    assert.strictEqual(queue.length, 1)
    queue.take()
    queue.push(spansOf(3, { name: "x".repeat(600_000) }))
    assert.isTrue(queue.hasBatch)
    assert.lengthOf(queue.take(), 2)
    assert.isFalse(queue.hasBatch)
  })

  it("come in their order, also where thousands were taken", () => {
    const queue = new SpanQueue()
    const ids = (spans: ReadonlyArray<Span>) => spans.map(({ spanId }) => spanId)
    queue.push(spansOf(4000))
    const taken = Array.from({ length: 7 }, () => ids(queue.take())).flat()
    assert.strictEqual(queue.length, 4000 - taken.length)
    queue.push(spansOf(1, { name: "last" }))
    taken.push(...ids(queue.take()))
    assert.deepStrictEqual(taken, [...ids(spansOf(4000)), "0"])
    assert.deepStrictEqual([queue.length, queue.take()], [0, []])
  })
})
