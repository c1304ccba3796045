/** The executable on the CNI path: live services, and nothing else. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Live from "./Live.ts"
import * as Passthrough from "./Passthrough.ts"

Passthrough.main.pipe(
  Effect.provideContext(Live.context),
  // Whatever still hangs, such as the name of a log host that nobody resolves: the answer is out.
  NodeRuntime.runMain({ teardown: (exit) => Runtime.defaultTeardown(exit, process.exit) })
)
