/** The two sides of a comparison, run by run. */
import type * as AttachmentIdentity from "./AttachmentIdentity.ts"
import * as ComparableText from "./ComparableText.ts"
import type * as Operation from "./Operation.ts"
import type * as ResultDiff from "./ResultDiff.ts"
import * as View from "./View.ts"
import type * as ViewStep from "./ViewStep.ts"

/** A run with its name in the operation: `bridge`, `bridge › host-local`, and `tuning (2)` for the second one. */
export interface Named {
  readonly name: string
  readonly step: ViewStep.Step
  readonly isNested: boolean
}

const named = (steps: ReadonlyArray<ViewStep.Step>, around = ""): ReadonlyArray<Named> => {
  const counts = new Map<string, number>()
  return steps.flatMap((step) => {
    const words = [step.title, step.command].filter(Boolean).join(" ")
    const count = (counts.get(words) ?? 0) + 1
    counts.set(words, count)
    const name = `${around}${words}${count === 1 ? "" : ` (${count})`}`
    return [{ name, step, isNested: around !== "" }, ...named(step.nested, `${name} › `)]
  })
}

/** One side of a comparison. */
export interface ComparisonSide {
  readonly operation: Operation.Operation
  readonly runs: ReadonlyMap<string, Named>
  /** Rewrites a text so that it can be compared with the other side's. */
  readonly alike: (text: string) => string
}

/** Makes one side, given the identities of both attachments. */
export const side = (
  operation: Operation.Operation,
  own: AttachmentIdentity.AttachmentIdentity,
  other: AttachmentIdentity.AttachmentIdentity
): ComparisonSide => ({
  operation,
  runs: new Map(named(View.make(operation).steps).map((run) => [run.name, run])),
  alike: ComparableText.writer(own, other)
})

/** Compares the runs that both sides have. */
export const ofBoth = (
  left: ComparisonSide,
  right: ComparisonSide,
  compare: (left: Named, right: Named) => ReadonlyArray<ResultDiff.Change>
): ReadonlyArray<ResultDiff.Change> =>
  [...left.runs.values()].flatMap((run) => {
    const other = right.runs.get(run.name)
    return other === undefined ? [] : compare(run, other)
  })

/** The lines that one side has more often than the other. */
export const lines = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): ReadonlyArray<ResultDiff.Change> => {
  const without = (list: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
    const rest = new Map<string, number>()
    for (const line of others) rest.set(line, (rest.get(line) ?? 0) + 1)
    return list.filter((line) => {
      const count = rest.get(line) ?? 0
      rest.set(line, count - 1)
      return count <= 0
    })
  }
  return [
    ...without(left, right).map((what): ResultDiff.Change => ({ kind: "removed", what })),
    ...without(right, left).map((what): ResultDiff.Change => ({ kind: "added", what }))
  ]
}
