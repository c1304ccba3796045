/** The output of a command as a difference from its earlier output. */
import * as TextDiff from "effect/TextDiff"

/** One line of the difference, or the number of lines left out. */
export interface Line {
  readonly kind: "same" | "added" | "removed" | "leftOut"
  readonly what: string
}

/** How many lines around a change are shown. */
const context = 1

/** A part with more differing lines than this is not compared line by line. */
const maxEdits = 200

const without = (line: string): string => line.endsWith("\n") ? line.slice(0, -1) : line

const leftOut = (count: number): ReadonlyArray<Line> =>
  count === 0 ? [] : [{ kind: "leftOut", what: count === 1 ? "1 line as before" : `${count} lines as before` }]

/** Equal lines between changes. Those next to a change are shown. */
const around = (items: ReadonlyArray<string>, isFirst: boolean, isLast: boolean): ReadonlyArray<Line> => {
  const same = items.map((line): Line => ({ kind: "same", what: without(line) }))
  const head = isFirst ? 0 : context
  const tail = isLast ? 0 : context
  // A single line takes no more room than the note about its omission.
  if (same.length <= head + tail + 1) return same
  return [...same.slice(0, head), ...leftOut(same.length - head - tail), ...same.slice(same.length - tail)]
}

/** The changed lines with a few around them; undefined if the two outputs have no line in common. */
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
