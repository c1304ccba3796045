/** Sends the records of each run to the sinks that its network configuration names. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import { combine } from "./CombinedSink.ts"
import { LogSink } from "./LogSink.ts"
import * as Registry from "./Registry.ts"

/** The sinks of `logFile` and `logSinks`. Where a configuration names none, nothing is logged. */
export const make = (runner: ProcessRunner["Service"]) =>
  LogSink.of({
    neverWaits: true,
    open: ({ environment, logTimeout, sinks }) =>
      Effect.forEach(sinks, (target) => Registry.open(target, environment, logTimeout)).pipe(
        Effect.map((writers) => combine(writers, logTimeout)),
        Effect.provideService(ProcessRunner, runner)
      )
  })

/** The sinks of the network configuration as a layer. */
export const layer = /* @__PURE__ */ Layer.effect(LogSink, /* @__PURE__ */ Effect.map(ProcessRunner, make))
