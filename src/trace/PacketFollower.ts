/** Follows the packets of one flow through the events of all namespaces. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Journey from "./Journey.ts"
import type * as NamespaceTrace from "./NamespaceTrace.ts"
import type * as Probe from "./Probe.ts"
import type { Step } from "./Request.ts"
import * as Ruleset from "./Ruleset.ts"
import * as TracedNamespace from "./TracedNamespace.ts"

/** What comes while a packet is followed. */
export type Incoming = NamespaceTrace.Seen | { readonly _tag: "Answer"; readonly answer: Probe.Answer }

/** What is known when a flow has ended. */
export interface Followed {
  readonly hops: ReadonlyArray<Journey.Hop>
  readonly answer: Probe.Answer | undefined
  readonly hasLost: boolean
}

/**
 * How long related events of several namespaces may be apart, and how long to collect them at most, in milliseconds.
 * Each namespace has a monitor of its own, which may list all rules before it prints its first event.
 */
const apart = { each: 100, all: 500 } as const

/** How long to go on after the end is known, for what still comes, in milliseconds. */
const grace = 300

/** How long a packet that is waited for may need, with its answer, in milliseconds. */
const settled = 1500

/** Where a hop is on the way: before, on, or after the host. */
const rank = ({ hook, place }: Journey.Hop): number =>
  place === TracedNamespace.host ? 1 : hook === "output" || hook === "postrouting" ? 0 : 2

const directions = { there: 0, back: 1 } as const

const inOrder = (hops: ReadonlyArray<Journey.Hop>): ReadonlyArray<Journey.Hop> =>
  hops.toSorted((left, right) => directions[left.direction] - directions[right.direction] || rank(left) - rank(right))

/**
 * The namespaces in the order that a packet comes to them: each shows what nat makes of it, by which the next one
 * recognizes it.
 */
const byPlace = (batch: ReadonlyArray<Incoming>, places: ReadonlyArray<string>): ReadonlyArray<Incoming> => {
  const at = (one: Incoming): number => one._tag === "Answer" ? -1 : places.indexOf(one.place)
  return batch.toSorted((left, right) => at(left) - at(right))
}

/** Lists the rules of a namespace again where an event is about a younger one. */
const refresh = Effect.fnUntraced(function*(
  rulesets: Map<string, NamespaceTrace.NamespaceTrace>,
  batch: ReadonlyArray<Incoming>
) {
  for (const [name, known] of rulesets) {
    const isOlder = batch.some((one) =>
      one._tag === "Event" && one.place === name && Ruleset.isOlder(known.ruleset, one.event)
    )
    if (!isOlder) continue
    const ruleset = yield* Ruleset.list(known.place.netns)
    if (Result.isSuccess(ruleset)) rulesets.set(name, { ...known, ruleset: ruleset.success })
  }
})

/** Follows one flow until its end is known. */
export const follow = Effect.fnUntraced(function*<E, R>(
  incoming: Queue.Dequeue<Incoming>,
  flow: Journey.Flow,
  rulesets: Map<string, NamespaceTrace.NamespaceTrace>,
  { isWaiting, table, timeout }: { readonly isWaiting: boolean; readonly table: string; readonly timeout: number },
  tell: (step: Step) => Effect.Effect<void, E, R>
) {
  const journey = new Journey.Journey(flow)
  const hops: Array<Journey.Hop> = []
  let answer: Probe.Answer | undefined
  let hasLost = false
  let deadline = (yield* Clock.currentTimeMillis) + timeout
  let isEnding = false
  while (true) {
    const left = deadline - (yield* Clock.currentTimeMillis)
    if (left <= 0) break
    const first = yield* Effect.timeoutOption(Queue.takeAll(incoming), left)
    if (Option.isNone(first)) break
    const batch: Array<Incoming> = [...first.value]
    for (let waited = 0; waited < apart.all; waited += apart.each) {
      yield* Effect.sleep(apart.each)
      const more = yield* Queue.clear(incoming)
      if (more.length === 0) break
      batch.push(...more)
    }
    yield* refresh(rulesets, batch)
    const hadBegun = journey.hasBegun
    const found: Array<Journey.Hop> = []
    for (const one of byPlace(batch, [...rulesets.keys()])) {
      if (one._tag === "Answer") answer = one.answer
      else if (one._tag === "Loss") hasLost = true
      else {
        const ruleset = rulesets.get(one.place)?.ruleset
        const hop = ruleset && journey.take(one.place, one.event, ruleset, table)
        if (hop !== undefined) found.push(hop)
      }
    }
    const ordered = inOrder(found)
    hops.push(...ordered)
    if (ordered.length > 0) yield* tell({ _tag: "Hops", hops: ordered })
    const now = yield* Clock.currentTimeMillis
    if (!isEnding && (answer !== undefined || hops.some(Journey.isDrop))) {
      isEnding = true
      deadline = now + grace
    } else if (isWaiting && !hadBegun && journey.hasBegun) deadline = Math.min(now + settled, deadline + settled)
  }
  return { hops, answer, hasLost } satisfies Followed
})
