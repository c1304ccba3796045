import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { LogSink, Passthrough, Summary } from "cni-passthrough"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** One line on stderr for each record. */
const Lines = Layer.succeed(
  LogSink,
  LogSink.of({ write: (record) => Console.error(Summary.render(record)) })
)

Passthrough.main.pipe(
  Effect.provide(Layer.provideMerge(Lines, Passthrough.layer)),
  NodeRuntime.runMain
)
