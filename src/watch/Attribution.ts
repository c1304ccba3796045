/** Joins the facts that came and went with the processes that changed the packet filter. */
import * as Arr from "effect/Array"
import * as IptablesRule from "../network/IptablesRule.ts"
import { wordsOf } from "../network/Line.ts"
import type { Differences } from "../record/Record.ts"
import type { Author } from "./Author.ts"
import type { Counts } from "./NftMonitor.ts"

/** A commit whose author was looked up. */
export interface Authored {
  /** When it was noticed, in milliseconds since 1970. */
  readonly time: number
  readonly author: Author | undefined
  readonly touched: ReadonlyMap<string, Counts>
}

/** Facts, and who may have changed them. */
export interface Group {
  /** Commits, one of which made each of these changes. Empty if the kernel names no author for such facts. */
  readonly commits: ReadonlyArray<Authored>
  readonly differences: Differences
}

type Side = "added" | "removed"

/** What a fact of a packet filter is about, named as in commits; undefined for other facts. */
const touchedBy = (kind: string, text: string): string | undefined => {
  if (kind === "iptables") {
    const parts = IptablesRule.partsOf(text)
    // The kernel reports nothing about the legacy backend.
    return parts === undefined || parts.family.startsWith("legacy")
      ? undefined
      : `${parts.family} ${parts.table} ${parts.chain}`
  }
  if (kind !== "nftables") return undefined
  const words = wordsOf(text)
  if (words[0] === "table") return words.slice(1, 3).join(" ")
  return words.slice(words[0] === "ct" ? 2 : 1, words[0] === "ct" ? 5 : 4).join(" ")
}

/** Whether a fact comes and goes with changes of a chain or table rather than with an object in it. */
const isProperty = (kind: string, text: string): boolean =>
  kind === "iptables"
    ? IptablesRule.partsOf(text)?.sort !== "rule"
    : /^(?:table|chain|set|map|flowtable|ct) /.test(text)

const holds = (counts: Counts | undefined, side: Side, isOfProperty: boolean): boolean =>
  counts !== undefined && (isOfProperty ? counts.isChanged : counts[side] > 0)

/** The commits that may have made a change. */
const candidates = (
  commits: ReadonlyArray<Authored>,
  kind: string,
  text: string,
  side: Side
): ReadonlyArray<Authored> => {
  const key = touchedBy(kind, text)
  return key === undefined
    ? []
    : commits.filter(({ touched }) => holds(touched.get(key), side, isProperty(kind, text)))
}

/**
 * Processes of one program that one process started are one author: a script, or a daemon that runs `iptables` for each
 * rule. So are those whose parents ended before they could be read.
 */
const keyOf = ({ author }: Authored): string =>
  author === undefined ? "?" : `${author.name} of ${author.parents[0]?.pid ?? "?"}`

/** Whether different authors changed the same, so that only one of them made each change. */
export const isAmbiguous = (commits: ReadonlyArray<Authored>): boolean => new Set(commits.map(keyOf)).size > 1

/**
 * The facts of each author, in the order of the commits; facts without an author come last. `earlier` are commits that
 * made other changes already; they count only if no other commit explains a fact.
 */
export const of = (
  commits: ReadonlyArray<Authored>,
  earlier: ReadonlyArray<Authored>,
  differences: Differences
): ReadonlyArray<Group> => {
  interface Open {
    readonly commits: Set<Authored>
    readonly found: { [kind: string]: { readonly added: Array<string>; readonly removed: Array<string> } }
  }
  const groups = new Map<string, Open>()
  const known = new Map<string, ReadonlyArray<Authored>>()
  for (const [kind, difference] of Object.entries(differences)) {
    for (const side of ["removed", "added"] as const) {
      for (const text of difference[side]) {
        const about = `${side} ${isProperty(kind, text)} ${touchedBy(kind, text)}`
        const likely = known.get(about) ?? candidates(commits, kind, text, side)
        const own = likely.length > 0 ? likely : candidates(earlier, kind, text, side)
        known.set(about, own)
        const key = own.length === 0 ? "" : [...new Set(own.map(keyOf))].sort().join(", ")
        const group = groups.get(key) ?? { commits: new Set(), found: {} }
        groups.set(key, group)
        for (const commit of own) group.commits.add(commit)
        ;(group.found[kind] ??= { added: [], removed: [] })[side].push(text)
      }
    }
  }
  const timeOf = ({ commits }: Group) => commits[0]?.time ?? Number.POSITIVE_INFINITY
  return [...groups.values()].map(({ commits, found }): Group => ({
    commits: [...commits].toSorted((left, right) => left.time - right.time),
    differences: found
  })).toSorted((left, right) => timeOf(left) === timeOf(right) ? 0 : timeOf(left) - timeOf(right))
}

/** How many rules and elements came and went by these commits, by chain or set. */
export const contentOf = (commits: ReadonlyArray<Authored>) => {
  const found = new Map<string, { readonly added: number; readonly removed: number }>()
  for (const [name, { added, removed }] of commits.flatMap(({ touched }) => [...touched])) {
    const before = found.get(name) ?? { added: 0, removed: 0 }
    if (added + removed > 0) found.set(name, { added: before.added + added, removed: before.removed + removed })
  }
  return [...found]
}

/**
 * The commits of each author that changed rules of which no difference is left: they came and went again, or only
 * moved.
 */
export const withoutTrace = (
  commits: ReadonlyArray<Authored>,
  groups: ReadonlyArray<Group>
): ReadonlyArray<ReadonlyArray<Authored>> => {
  const explained = new Set(groups.flatMap((group) => group.commits))
  const open = commits.filter((commit) => !explained.has(commit) && contentOf([commit]).length > 0)
  return Object.values(Arr.groupBy(open, keyOf))
}
