/** The executable on the CNI path: runs the plugin, or the shim of a wrapped plugin, with the live services. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as IgnoredSignals from "../exec/IgnoredSignals.ts"
import * as InvokedAs from "./InvokedAs.ts"
import * as Live from "./Live.ts"
import * as Passthrough from "./Passthrough.ts"
import * as Shim from "./Shim.ts"

/**
 * Exits without waiting for pending work, such as the lookup of a log host. The answer is out, so an interruption after
 * it exits with status 0.
 */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

const invokedAs = InvokedAs.of(process)

/** The signals that stop a run. A shim ignores those that it inherited as ignored, as its plugin would. */
const stopping = { SIGINT: 2, SIGTERM: 15 } as const

/**
 * Like Effect's platform `runMain`, except that it respects ignored signals, and reports failures only in the log and
 * on stdout.
 */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const ignored = invokedAs === undefined ? [] : IgnoredSignals.atStart()
  const stop = () => fiber.interruptUnsafe(fiber.id)
  const names = (["SIGINT", "SIGTERM"] as const).filter((name) => !ignored.includes(stopping[name]))
  for (const name of names) process.on(name, stop)
  fiber.addObserver((exit) => {
    for (const name of names) process.removeListener(name, stop)
    teardown(exit, process.exit)
  })
})

const run = invokedAs === undefined
  ? Effect.provideContext(Passthrough.main, Live.context)
  : Effect.provideContext(Shim.main, Live.shimContext(invokedAs))

runMain(run, { teardown, disableErrorReporting: true })
