/** Records as spans and metrics, and the sink that sends each run's. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Export from "../../src/export/Export.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { called } from "../operations/records.ts"
import { decode } from "../support/otlp.ts"
import { failingIpam, read } from "./records.ts"

const url = "http://127.0.0.1:4318"

/** Writes the records of a run to the sink, with this in place of the network, and closes it. */
const running = (fetch: typeof globalThis.fetch) =>
  Effect.gen(function*() {
    const sink = yield* LogSink
    assert.isTrue(sink.neverWaits)
    if (!("open" in sink)) return assert.fail("a sink that is opened for each run")
    yield* Effect.scoped(Effect.gen(function*() {
      const log = yield* Effect.orDie(sink.open({} as never))
      assert.isTrue(log.neverWaits)
      for (const record of read(failingIpam())) yield* log.write(record)
    }))
  }).pipe(
    Effect.provide(Export.layer({ url, format: "json" })),
    Effect.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)),
    Effect.exit
  )

/** The message of the defect that a run ended with. */
const defectOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "none"
  const defect = exit.cause.reasons.find(Cause.isDieReason)?.defect
  return defect instanceof Error ? defect.message : String(defect)
}

describe("the sink of a collector", () => {
  it.effect("sends the spans of a run once it has ended, in one request", () =>
    Effect.gen(function*() {
      const bodies: Array<Buffer> = []
      const exit = yield* running(async (_, init) => {
        bodies.push(Buffer.from(await new Response(init?.body).arrayBuffer()))
        return new Response()
      })
      assert.isTrue(Exit.isSuccess(exit))
      assert.lengthOf(bodies, 1)
      assert.lengthOf(decode(bodies[0]!, "application/json"), 4)
    }))

  it.effect("ends with a defect if the collector refuses them", () =>
    Effect.gen(function*() {
      const exit = yield* running(async () => new Response(null, { status: 400 }))
      assert.strictEqual(defectOf(exit), `${url}/v1/traces answers 400`)
    }))

  it.effect("waits for the collector for one second", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(running(() => new Promise(() => {})))
      yield* TestClock.adjust(999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(defectOf(yield* Fiber.join(fiber)), `${url}/v1/traces does not answer`)
    }))

  it.effect("is not made for what is no URL", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Export.layer({ url: "h" }))))
      assert.strictEqual(error._tag, "NotACollector")
    }))
})

describe("a VERSION that went well", () => {
  const version = called({}, { event: "result" }).map((record) => ({ ...record, command: "VERSION" }))

  it("has no spans, but is counted", () => {
    assert.deepStrictEqual(Export.spans(read(version)), [])
    assert.include(Export.metrics(read(version)), `command="VERSION"`)
  })
})

describe("what looks like a secret", () => {
  it("is masked in spans", () => {
    const records = failingIpam().map((record) => ({ ...record, args: "K8S_POD_NAME=web;password=hunter2" }))
    const text = JSON.stringify(Export.spans(read(records)))
    assert.notInclude(text, "hunter2")
    assert.include(text, "multus")
  })
})
