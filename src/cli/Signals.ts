/** Lets a command that stays in the foreground end its work in its own way when it is told to stop. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Ends with the first signal that tells this process to stop, in place of what would happen then. What listened to these
 * signals before listens again when the scope closes.
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
