/** Sends the records of each run to the sinks in its network configuration. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import { combine } from "./CombinedSink.ts"
import { LogSink, type Opener } from "./LogSink.ts"
import * as Registry from "./Registry.ts"

/** The sinks of `logFile` and `logSinks`. If the configuration has neither, nothing is logged. */
export const make = (runner: ProcessRunner["Service"]): Opener => ({
  neverWaits: true,
  open: ({ environment, logTimeout, sinks }) =>
    Effect.forEach(sinks, (target) => Registry.open(target, environment, logTimeout)).pipe(
      Effect.map((writers) => combine(writers, logTimeout)),
      Effect.provideService(ProcessRunner, runner)
    )
})

/** A {@link LogSink} that writes to the sinks in the network configuration. */
export const layer = /* @__PURE__ */ Layer.effect(LogSink, /* @__PURE__ */ Effect.map(ProcessRunner, make))
