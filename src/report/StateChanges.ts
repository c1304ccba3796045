/** What a plugin changed in network namespaces, in a person's words. */
import type { ChangesRecord, Differences } from "../record/Record.ts"
import type { Change } from "./ResultDiff.ts"

/** What was found: the facts that came and went, and what could not be looked at. */
export type Found = Pick<ChangesRecord, "changes" | "notes">

/** Whose run it was, and its result as JSON text. */
export interface Context {
  readonly containerId: string | undefined
  readonly ifname: string | undefined
  readonly netns: string | undefined
  readonly result: string | undefined
}

/** How many facts of one kind, and how many characters of each, are kept. */
const limit = { facts: 500, characters: 500 }
const fullLimit = { facts: 5000, characters: 4096 }

/** What was found, without what is too much to keep; the notes say how much that is. */
export const bounded = ({ changes, notes = [] }: Found, full: boolean): Found => {
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
    notes: [...few(notes), ...leftOut]
  }
}

const differences = (place: string, found: Differences = {}): ReadonlyArray<Change> =>
  Object.entries(found).flatMap(([kind, { added, removed }]) => [
    ...removed.map((fact): Change => ({ kind: "removed", what: `${place} ${kind}: ${fact}` })),
    ...added.map((fact): Change => ({ kind: "added", what: `${place} ${kind}: ${fact}` }))
  ])

/** What changed, one sentence each; nothing where nothing did. */
export const describe = ({ changes }: Found, _context: Context): ReadonlyArray<Change> => [
  ...differences("host", changes.host),
  ...differences("container", changes.container)
]
