/** Asks the runtimes of this host about leftovers: whatever a runtime still lists is not gone. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as RuntimeContainers from "../../../doctor/facts/RuntimeContainers.ts"
import type * as Leaks from "../../../doctor/Leaks.ts"
import * as Discovery from "../../../runtime/Discovery.ts"
import type * as LeakLines from "../../LeakLines.ts"

/** A runtime of this host did not say which containers it has. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly failures: ReadonlyArray<string> }> {
  override readonly message = `${this.failures.join("; ")}: nothing is known to be gone`
}

/** Splits leftovers by whether a runtime lists their container. Fails if a runtime does not answer. */
export const ask = Effect.fnUntraced(function*(found: ReadonlyArray<Leaks.Leak>) {
  const runtimes = yield* Effect.flatten(Discovery.Runtimes)
  const { failures, listings, unasked } = yield* RuntimeContainers.list(runtimes)
  if (failures.length > 0) return yield* new NoAnswer({ failures })
  const runtimeOf = ({ owners }: Leaks.Leak) =>
    listings.find(({ containers }) => owners.some((owner) => containers.has(owner)))?.runtime
  return {
    gone: found.filter((leak) => runtimeOf(leak) === undefined),
    listed: found.flatMap((leak): ReadonlyArray<LeakLines.Listed> => {
      const runtime = runtimeOf(leak)
      return runtime === undefined ? [] : [{ ...leak, runtime, reason: `${runtime} lists its container` }]
    }),
    /** Why the containers of a runtime have no second witness. */
    notes: unasked.map(({ runtime, tool }) =>
      `there is no ${
        tool ?? "way"
      } to ask ${runtime} for its containers: only processes and network namespaces show what is gone`
    )
  }
})
