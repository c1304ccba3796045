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

/** The same, as an effect. */
export const holds = (condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(() => until(String(condition), condition))
