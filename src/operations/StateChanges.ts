/** What a plugin changed in network namespaces, in a person's words. */
import * as Fact from "../network/Fact.ts"
import * as FactEvents from "../network/FactEvents.ts"
import type { ChangesRecord, Differences } from "../record/Record.ts"
import type { AttachmentIdentity } from "./AttachmentIdentity.ts"
import type { Step } from "./Operation.ts"
import * as Ownership from "./Ownership.ts"
import type { Change } from "./ResultDiff.ts"

/** The facts that came and went, what could not be inspected, when that was found, and how long our inspection took. */
export type Found = Pick<ChangesRecord, "changes" | "notes"> & Partial<Pick<ChangesRecord, "time" | "durationMs">>

/** How many facts of one kind are kept, and how many characters of each. */
const limit = { facts: 500, characters: 500 }
const fullLimit = { facts: 5000, characters: 4096 }

/** Limits what is kept. The notes count what was left out. */
export const bounded = ({ changes, durationMs, notes = [], time }: Found, full: boolean): Found => {
  const { characters, facts } = full ? fullLimit : limit
  const leftOut: Array<string> = []
  const few = (list: ReadonlyArray<string>): ReadonlyArray<string> =>
    list.slice(0, facts)
      .map((fact) => fact.length <= characters ? fact : `${fact.slice(0, characters)}…`)
  const within = (place: string, differences: Differences | undefined): Differences | undefined =>
    differences && Object.fromEntries(
      Object.entries(differences).map(([kind, { added, removed }]) => {
        const more = Math.max(0, added.length - facts) + Math.max(0, removed.length - facts)
        if (more > 0) leftOut.push(`${more} more changes of ${place} ${kind} are in the log`)
        return [kind, { added: few(added), removed: few(removed) }]
      })
    )
  const host = within("host", changes.host)
  const container = within("container", changes.container)
  return {
    changes: { ...(host && { host }), ...(container && { container }) },
    notes: [...few(notes), ...leftOut],
    ...(time === undefined ? {} : { time }),
    ...(durationMs === undefined ? {} : { durationMs })
  }
}

/** How long all our inspections took, which is not time of the plugins; undefined if there were none. */
export const lookingMs = (runs: Iterable<Step>): number | undefined => {
  const durations = [...runs].flatMap(({ changes }) =>
    changes === undefined ? [] : [(JSON.parse(changes) as Found).durationMs ?? 0]
  )
  return durations.length === 0 ? undefined : durations.reduce((sum, duration) => sum + duration, 0)
}

/** The changes found around runs. Those around a run include the changes of all runs inside it. */
export function* foundIn(steps: ReadonlyArray<Step>): Generator<Found> {
  for (const { changes, nested } of steps) {
    if (changes === undefined) yield* foundIn(nested)
    else yield JSON.parse(changes) as Found
  }
}

/** The changes that a plugin made itself: those found around it, without those of the runs that it started. */
export const own = (found: Found, inside: ReadonlyArray<Found>): Found => {
  const within = (place: Fact.Place): Differences | undefined => {
    const rest = (kind: string, side: "added" | "removed", list: ReadonlyArray<string>) => {
      const theirs = new Set(inside.flatMap(({ changes }) => changes[place]?.[kind]?.[side] ?? []))
      return list.filter((fact) => !theirs.has(fact))
    }
    const kinds = found.changes[place]
    return kinds && Object.fromEntries(
      Object.entries(kinds).map(([kind, { added, removed }]) => [
        kind,
        { added: rest(kind, "added", added), removed: rest(kind, "removed", removed) }
      ])
    )
  }
  const [host, container] = [within("host"), within("container")]
  return { ...found, changes: { ...(host && { host }), ...(container && { container }) } }
}

/** One change of the state of a namespace, and its owner. */
export interface StateChange extends Change {
  readonly whose: Ownership.Whose
}

/** An event in words, with the address families to name. */
interface Sentence extends StateChange {
  readonly families: ReadonlyArray<string>
}

const sentence = ({ before, fact, kind }: FactEvents.Event, whose: Ownership.Whose): Sentence => {
  const family = Fact.familyOf(fact)
  const families = family === undefined ? [] : [family]
  const policy = Fact.policyOf(fact)
  if (before !== undefined) return { kind, what: Fact.change(before, fact), whose, families }
  const what = Fact.single(fact)
  if (policy === undefined) return { kind, what, whose, families }
  const start = what.slice(0, -policy.length)
  const [was, is] = kind === "added" ? ["ACCEPT", policy] : [policy, "ACCEPT"]
  return { kind: "changed", what: `${start}${was} → ${is}`, whose, families }
}

/** Merges sentences that are the same for IPv4 and IPv6. */
const merged = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<StateChange> => {
  const found = new Map<string, Sentence>()
  for (const sentence of sentences) {
    const key = `${sentence.kind} ${sentence.what}`
    const same = found.get(key)
    const isOther = same !== undefined && sentence.families.some((family) => !same.families.includes(family))
    if (same === undefined || isOther) {
      found.set(key, { ...sentence, families: [...same?.families ?? [], ...sentence.families] })
    } else found.set(`${key} ${found.size}`, sentence)
  }
  return [...found.values()].map(({ families, kind, what, whose }) => ({
    kind,
    what: families.length === 0 || families.join() === "ip" ? what : `${families.join(" and ")} ${what}`,
    whose
  }))
}

/** Facts in words, one sentence each. */
export const sentences = (facts: ReadonlyArray<Fact.Fact>): ReadonlyArray<string> =>
  merged(
    FactEvents.withoutFilledChains(facts.map((fact) => ({ kind: "added", fact })))
      .map((event) => sentence(event, "attachment"))
  ).map(({ what }) => what)

/** What changed, one sentence each. */
export const describe = ({ changes }: Found, marks: AttachmentIdentity): ReadonlyArray<StateChange> => {
  const all = [
    ...FactEvents.eventsIn("host", changes.host),
    ...FactEvents.eventsIn("container", changes.container)
  ]
  const whose = Ownership.teller(marks, Ownership.linksOf(all.map(({ fact }) => fact)))
  return merged(FactEvents.withoutFilledChains(all).map((event) => sentence(event, whose(event.fact))))
}
