/** Lets a command in the foreground finish its work when a signal asks it to stop. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Ends with the first signal that asks this process to stop, instead of the signal's usual effect. Earlier listeners to
 * these signals listen again when the scope closes.
 */
export const stop = Effect.gen(function*() {
  const stopped = yield* Deferred.make<string>()
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      signals.map((signal) => {
        const before = process.listeners(signal)
        const listener = () => void Deferred.doneUnsafe(stopped, Effect.succeed(signal))
        process.removeAllListeners(signal).on(signal, listener)
        return () => {
          process.removeListener(signal, listener)
          for (const each of before) process.on(signal, each)
        }
      })
    ),
    (restores) => Effect.sync(() => restores.forEach((restore) => restore()))
  )
  return Deferred.await(stopped)
})
