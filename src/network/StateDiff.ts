/** The differences between two snapshots. */
import type { Changes, ChangesRecord, Differences } from "../record/Record.ts"
import type { Facts, Snapshot } from "./Snapshot.ts"
import { kinds } from "./StateKind.ts"
import * as Sysctl from "./Sysctl.ts"

/** The facts that came and went, and what could not be inspected. */
export type Found = Pick<ChangesRecord, "changes" | "notes">

const none: ReadonlySet<string> = new Set()

/** The facts of one set that are not in the other. */
const missingIn = (other: ReadonlySet<string>, facts: ReadonlySet<string>): ReadonlyArray<string> =>
  [...facts].filter((fact) => !other.has(fact)).sort()

const differences = (before: Facts, after: Facts): Differences => {
  const found: { [kind: string]: Differences[string] } = {}
  for (const kind of kinds) {
    if (!before.has(kind) || !after.has(kind)) continue // it could not be inspected
    const [old = none, now = none] = [before.get(kind), after.get(kind)]
    const all = { added: missingIn(old, now), removed: missingIn(now, old) }
    const { added, removed } = kind === "sysctls" ? Sysctl.essential(all, old, now) : all
    if (added.length + removed.length > 0) found[kind] = { added, removed }
  }
  return found
}

const isFilled = (differences: Differences): boolean => Object.keys(differences).length > 0

/**
 * The facts that came and went between two snapshots, sorted within each kind. A kind that could not be inspected in
 * one of them is not compared.
 */
export const between = (before: Snapshot, after: Snapshot): Found => {
  const host = differences(before.host, after.host)
  const container = differences(before.container, after.container)
  const notes = [...new Set([...before.notes, ...after.notes])]
  const changes: Changes = { ...(isFilled(host) && { host }), ...(isFilled(container) && { container }) }
  return { changes, ...(notes.length > 0 && { notes }) }
}
