/** What a command wrote, as what is different from what it wrote before. */
import * as TextDiff from "effect/TextDiff"

/** One line of the difference, or how many were left out there. */
export interface Line {
  readonly kind: "same" | "added" | "removed" | "leftOut"
  readonly what: string
}

/** How many lines around a change are shown. */
const context = 1

/** Two outputs that have more lines of difference than this in one place are not compared line by line there. */
const maxEdits = 200

const without = (line: string): string => line.endsWith("\n") ? line.slice(0, -1) : line

const leftOut = (count: number): ReadonlyArray<Line> =>
  count === 0 ? [] : [{ kind: "leftOut", what: count === 1 ? "1 line as before" : `${count} lines as before` }]

/** Equal lines between changes: those next to a change are shown. */
const around = (items: ReadonlyArray<string>, isFirst: boolean, isLast: boolean): ReadonlyArray<Line> => {
  const same = items.map((line): Line => ({ kind: "same", what: without(line) }))
  const head = isFirst ? 0 : context
  const tail = isLast ? 0 : context
  // A line takes no more room than the words that it was left out.
  if (same.length <= head + tail + 1) return same
  return [...same.slice(0, head), ...leftOut(same.length - head - tail), ...same.slice(same.length - tail)]
}

/** The lines that are different, with a few around them; undefined if the two have no line in common. */
export const between = (before: string, after: string): ReadonlyArray<Line> | undefined => {
  if (before === after) return []
  const edits = TextDiff.lines(`${before.trimEnd()}\n`, `${after.trimEnd()}\n`, { maxEdits })
  if (!edits.some(({ _tag }) => _tag === "Equal")) return undefined
  return edits.flatMap(({ _tag, items }, index) =>
    _tag === "Equal"
      ? around(items, index === 0, index === edits.length - 1)
      : items.map((line): Line => ({ kind: _tag === "Insert" ? "added" : "removed", what: without(line) }))
  )
}
