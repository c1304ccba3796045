/** The table of what was measured. */
import type { Row } from "./measure.ts"

/** A line of the table, and its case. */
interface Line extends Row {
  readonly case: string
}

/** What a budget makes of a value; nothing where there is no budget. */
export const verdict = ({ budget, reason, value = Number.NaN }: Row): string =>
  reason !== undefined
    ? `not measured: ${reason}`
    : budget === undefined
    ? ""
    : value <= budget
    ? "met"
    : "MISSED"

const number = (value: number | undefined): string =>
  value === undefined ? "" : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

const header = ["case", "what", "value", "clock", "budget", "unit", "verdict"]

const cells = (line: Line): ReadonlyArray<string> => [
  line.case,
  line.what,
  number(line.value),
  number(line.clock),
  line.budget === undefined ? "" : `≤ ${line.budget}`,
  line.unit,
  verdict(line)
]

/** Columns of numbers are aligned at the right. */
const isNumber = (column: number): boolean => column >= 2 && column <= 4

/** The lines of the table, in columns. */
export const lines = (found: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const all = [header, ...found.map(cells)]
  const widths = header.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)))
  return all.map((line) =>
    line.map((cell, column) => isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))
      .join("  ").trimEnd()
  )
}
