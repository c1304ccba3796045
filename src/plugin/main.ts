/** The executable on the CNI path: live services, and nothing else. */
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
 * Ends the process. What still hangs, such as the look-up of a log host, is left: the answer is out. A
 * signal that came after it changes nothing.
 */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

const called = InvokedAs.of(process)

/** The signals that stop a run, unless we inherited them as ignored: then a plugin would continue too. */
const stopping = { SIGINT: 2, SIGTERM: 15 } as const

/**
 * Like the platform's `runMain`, except that it respects ignored signals and reports failures only in the log and on
 * stdout.
 */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const ignored = called === undefined ? [] : IgnoredSignals.atStart()
  const stop = () => fiber.interruptUnsafe(fiber.id)
  const names = (["SIGINT", "SIGTERM"] as const).filter((name) => !ignored.includes(stopping[name]))
  for (const name of names) process.on(name, stop)
  fiber.addObserver((exit) => {
    for (const name of names) process.removeListener(name, stop)
    teardown(exit, process.exit)
  })
})

const run = called === undefined
  ? Effect.provideContext(Passthrough.main, Live.context)
  : Effect.provideContext(Shim.main, Live.around(called))

runMain(run, { teardown, disableErrorReporting: true })
