#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CombinedSink, ConfiguredSinks, Export, Passthrough } from "cni-passthrough"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Sends the spans of each run to a collector of OpenTelemetry, once the run has answered. */
const Spans = Export.layer({ url: "http://127.0.0.1:4318" })

/** Beside the sinks that the network configuration names. */
const Sinks = CombinedSink.layer(Spans, ConfiguredSinks.layer)

Passthrough.main.pipe(
  Effect.provide(Layer.provideMerge(Sinks, Passthrough.layer)),
  NodeRuntime.runMain
)
