#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CombinedSink, ConfiguredSinks, JsonFormat, LogSink, Passthrough } from "cni-passthrough"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const collector = "http://127.0.0.1:8377/records"

class CollectorError extends Data.TaggedError("CollectorError")<{ readonly message: string }> {}

const post = (body: string) =>
  Effect.tryPromise({
    try: () => fetch(collector, { method: "POST", body, signal: AbortSignal.timeout(2000) }),
    catch: () => new CollectorError({ message: `the collector ${collector} does not answer` })
  })

const Collector = Layer.succeed(
  LogSink,
  LogSink.of({ write: (record) => post(JsonFormat.render(record)) })
)

/** Beside the sinks that the network configuration names. */
const Sinks = CombinedSink.layer(Collector, ConfiguredSinks.layer)

Passthrough.main.pipe(
  Effect.provide(Layer.provideMerge(Sinks, Passthrough.layer)),
  NodeRuntime.runMain
)
