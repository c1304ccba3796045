/** Changes of facts in a network namespace: a thing came, went, or changed. */
import type { Differences } from "../record/Record.ts"
import { chainOf, type Fact, identityOf, linkOf, type Place } from "./Fact.ts"
import type { Chain } from "./NftablesRuleset.ts"

/** A fact that came or went, or that replaced another. */
export interface Event {
  readonly kind: "added" | "removed" | "changed"
  readonly fact: Fact
  readonly before?: Fact
}

const facts = (place: Place, kind: string, texts: ReadonlyArray<string>): ReadonlyArray<Fact> =>
  texts.map((text) => ({ place, kind, text }))

/** Facts by key, without the keys that several facts share. */
const unique = (list: ReadonlyArray<Fact>, keyOf: (fact: Fact) => string): ReadonlyMap<string, Fact> => {
  const found = new Map<string, Fact | undefined>()
  for (const fact of list) {
    const key = keyOf(fact)
    found.set(key, found.has(key) ? undefined : fact)
  }
  return new Map([...found].flatMap(([key, fact]) => fact === undefined ? [] : [[key, fact] as const]))
}

/** The events in one kind of state. A thing that only changed is one event. */
const paired = (removed: ReadonlyArray<Fact>, added: ReadonlyArray<Fact>): ReadonlyArray<Event> => {
  if (removed.length === 0) return added.map((fact) => ({ kind: "added", fact }))
  if (added.length === 0) return removed.map((fact) => ({ kind: "removed", fact }))
  const pairs = new Map<Fact, Fact>()
  // Links distinguish routes to one destination, and rules of one priority.
  for (const keyOf of [(fact: Fact) => `${identityOf(fact)} ${linkOf(fact)}`, identityOf]) {
    const left = (list: ReadonlyArray<Fact>) => list.filter((fact) => !pairs.has(fact))
    const now = unique(left(added), keyOf)
    for (const [key, before] of unique(left(removed), keyOf)) {
      const fact = now.get(key)
      if (fact === undefined) continue
      pairs.set(before, fact)
      pairs.set(fact, before)
    }
  }
  return [
    ...removed.flatMap((fact): ReadonlyArray<Event> => pairs.has(fact) ? [] : [{ kind: "removed", fact }]),
    ...added.map((fact): Event => {
      const before = pairs.get(fact)
      return before === undefined ? { kind: "added", fact } : { kind: "changed", fact, before }
    })
  ]
}

/** The events in one namespace, in the order of the record. */
export const eventsIn = (place: Place, found: Differences = {}): ReadonlyArray<Event> =>
  Object.entries(found).flatMap(([kind, { added, removed }]) =>
    paired(facts(place, kind, removed), facts(place, kind, added))
  )

/** Leaves out a chain that came or went together with rules in it, since the rules imply it. */
export const withoutFilledChains = (all: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const filled = new Set<string>()
  const keyOf = ({ fact, kind }: Event, { name }: Chain) => `${kind} ${fact.place} ${fact.kind} ${name}`
  for (const event of all) {
    const chain = chainOf(event.fact)
    if (chain?.isRule === true) filled.add(keyOf(event, chain))
  }
  return all.filter((event) => {
    const chain = chainOf(event.fact)
    return chain === undefined || chain.isRule || !filled.has(keyOf(event, chain))
  })
}
