/** The executable on the CNI path: live services, and nothing else. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Called from "./Called.ts"
import * as Live from "./Live.ts"
import * as Passthrough from "./Passthrough.ts"
import * as Shim from "./Shim.ts"

/**
 * Ends the process. What still hangs, such as the look-up of a log host, is left: the answer is out. A
 * signal that came after it changes nothing.
 */
const teardown = (exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) process.exit(0)
  Runtime.defaultTeardown(exit, process.exit)
}

const called = Called.of(process)

const run = called === undefined
  ? Effect.provideContext(Passthrough.main, Live.context)
  : Effect.provideContext(Shim.main, Live.around(called))

NodeRuntime.runMain(run, { teardown })
