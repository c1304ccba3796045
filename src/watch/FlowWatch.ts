/** Watches which traffic of live attachments stops arriving after a change, or arrives again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Collect from "../doctor/Collect.ts"
import * as RunContext from "../record/RunContext.ts"
import type * as Event from "./Event.ts"
import * as LostFlows from "./LostFlows.ts"
import * as Relevance from "./Relevance.ts"

/** Which networks to walk. */
export interface Question {
  /** Undefined for all. */
  readonly network: string | undefined
  readonly confDir: string
  readonly cacheDir: string
}

/**
 * How long to wait after a change, in milliseconds, and then until a loss is confirmed: a plugin or a firewall may be
 * about to add the rule that is missing.
 */
const waits = { change: 300, confirm: 700 }

/** The pause after a walk, as a multiple of the time that it took, and at most, in milliseconds. */
const pauses = { times: 2, longest: 30_000 }

/** Starts to watch. `changed` asks for a walk. */
export const start = Effect.fnUntraced(function*(
  { cacheDir, confDir, network }: Question,
  report: (event: Event.Flows) => Effect.Effect<unknown>,
  note: (message: string) => Effect.Effect<void>
) {
  const relevance = new Relevance.Relevance(network)
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const isoNow = () => RunContext.timestamp(now())
  const walk = Collect.living({ asked: network, confDir, cacheDir }).pipe(
    Effect.map((all) => {
      relevance.learn(all)
      return LostFlows.of(all)
    }),
    Effect.catch(({ message }) => Effect.as(note(`${message}: what attachments lose is not known`), undefined))
  )
  const latch = Latch.makeUnsafe(false)
  let known = yield* walk
  /** Flows that were dropped at the beginning, or reported as cut. Only these can be restored. */
  const missing = new Set(known === undefined ? [] : LostFlows.dropped(known))

  const compare = Effect.fnUntraced(function*(before: LostFlows.Judged, since: string) {
    const first = yield* walk
    if (first === undefined) return
    const suspected = new Set(LostFlows.cuts(before, first))
    if (suspected.size > 0) yield* Effect.sleep(waits.confirm)
    const after = suspected.size > 0 ? yield* walk : first
    if (after === undefined) return
    const lost = LostFlows.cuts(before, after)
    const cut = lost.filter((key) => suspected.has(key))
    const restored = [...missing].filter((key) => after.get(key)?.status === "arrives")
    for (const key of cut) missing.add(key)
    for (const key of missing) if (!after.has(key) || restored.includes(key)) missing.delete(key)
    // What is dropped only at the second look is compared again next time.
    const unconfirmed = lost.filter((key) => !suspected.has(key))
    const next = new Map(LostFlows.known(before, after))
    for (const key of unconfirmed) {
      const flow = before.get(key)
      if (flow !== undefined) next.set(key, flow)
    }
    known = next
    if (unconfirmed.length > 0) latch.openUnsafe()
    if (cut.length + restored.length === 0) return
    yield* report({
      event: "flows",
      time: isoNow(),
      since,
      cuts: LostFlows.described(after, cut, (_, { status }) => status === "dropped"),
      restores: LostFlows.described(after, restored, (key) => restored.includes(key))
    })
  })

  const loop = Effect.gen(function*() {
    for (;;) {
      yield* latch.await
      const since = isoNow()
      yield* Effect.sleep(waits.change)
      latch.closeUnsafe()
      const started = now()
      if (known === undefined) known = yield* walk
      else yield* compare(known, since)
      yield* Effect.sleep(Math.min(pauses.longest, (now() - started) * pauses.times))
    }
  })
  yield* Effect.forkScoped(loop)
  return { relevance, changed: Effect.sync(() => latch.openUnsafe()) }
})
