/** Watches which traffic of living attachments stops to arrive after a change, or arrives again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Collect from "../doctor/Collect.ts"
import type { Facts } from "../doctor/Facts.ts"
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

/** What is lost, and which attachments are alive. */
interface Walk {
  readonly lost: ReadonlyMap<string, Event.Flow>
  readonly living: ReadonlySet<string>
}

/**
 * How long to wait after a change, in milliseconds, and then until a loss is confirmed: a plugin or a firewall may be
 * about to add the rule that is missing.
 */
const waits = { change: 300, confirm: 700 }

/** The pause after a walk, as a multiple of the time that it took, and at most, in milliseconds. */
const pauses = { times: 2, longest: 30_000 }

const walkOf = (all: ReadonlyArray<Facts>): Walk => {
  const attachments = all.flatMap((facts) => [facts, ...facts.earlier]).flatMap(({ attachments }) => attachments)
  return {
    lost: LostFlows.of(all),
    living: new Set(
      attachments.filter(({ sight }) => sight._tag === "There").map((each) => LostFlows.attachmentKeyOf(each))
    )
  }
}

/** The flows that are lost only now. Those of an attachment that was not alive before, or no longer is, do not count. */
const newlyLost = (before: Walk, after: Walk): ReadonlyArray<Event.Flow> =>
  [...after.lost].flatMap(([key, flow]) => {
    const attachment = LostFlows.attachmentKeyOf(flow)
    return !before.lost.has(key) && before.living.has(attachment) && after.living.has(attachment) ? [flow] : []
  })

/** Starts to watch. `changed` asks for a walk. */
export const start = Effect.fnUntraced(function*(
  { cacheDir, confDir, network }: Question,
  report: (event: Event.Flows) => Effect.Effect<unknown>,
  note: (message: string) => Effect.Effect<void>
) {
  const relevance = new Relevance.Relevance(network)
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const isoNow = () => new Date(now()).toISOString()
  const walk = Collect.living({ asked: network, confDir, cacheDir }).pipe(
    Effect.map((all) => {
      relevance.learn(all)
      return walkOf(all)
    }),
    Effect.catch(({ message }) => Effect.as(note(`${message}: what attachments lose is not known`), undefined))
  )
  const latch = Latch.makeUnsafe(false)
  let known = yield* walk
  /** Flows that were lost at the beginning, or reported as lost. Only these can be restored. */
  const missing = new Map(known?.lost)

  const compare = Effect.fnUntraced(function*(before: Walk, since: string) {
    const first = yield* walk
    if (first === undefined) return
    const isLost = newlyLost(before, first).length > 0
    if (isLost) yield* Effect.sleep(waits.confirm)
    const after = isLost ? yield* walk : first
    if (after === undefined) return
    const cuts = isLost ? newlyLost(before, after).filter((flow) => first.lost.has(LostFlows.keyOf(flow))) : []
    const restores = [...missing].filter(([key, flow]) =>
      !after.lost.has(key) && after.living.has(LostFlows.attachmentKeyOf(flow))
    )
    for (const flow of cuts) missing.set(LostFlows.keyOf(flow), flow)
    for (const [key, flow] of missing) {
      if (!after.lost.has(key) || !after.living.has(LostFlows.attachmentKeyOf(flow))) missing.delete(key)
    }
    // What was lost only for a moment at the second look is compared again next time.
    const unconfirmed = newlyLost(before, after).filter((flow) => !cuts.includes(flow)).map(LostFlows.keyOf)
    known = { ...after, lost: new Map([...after.lost].filter(([key]) => !unconfirmed.includes(key))) }
    if (unconfirmed.length > 0) latch.openUnsafe()
    if (cuts.length + restores.length === 0) return
    const words = restores.map(([, { check: _check, reason: _reason, ...flow }]) => flow)
    yield* report({ event: "flows", time: isoNow(), since, cuts, restores: words })
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
