/** Waiting for what another process does. */
import * as Effect from "effect/Effect"

/** How long that may take on a machine that is busy with other work: far longer than it takes alone. */
const minutes = 2

/** Waits until a condition holds. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited for ${minutes} minutes in vain: ${what}`)
}

/**
 * Runs something with a limit of time, in milliseconds: again with a longer one as long as it did not come as far as it
 * should, for on a busy machine a program may not even have started by then.
 */
export const withinLimit = Effect.fnUntraced(
  function*<A, E, R>(run: (limit: number) => Effect.Effect<A, E, R>, isFarEnough: (result: A) => boolean) {
    for (let limit = 300;; limit *= 2) {
      const result = yield* run(limit)
      if (isFarEnough(result) || limit > 60_000) return { limit, result }
    }
  }
)

/** The same as {@link until}, as an effect. */
export const holds = (condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(() => until(String(condition), condition))
