/** Rows whose cells are aligned in columns. */
import * as LineWrap from "./LineWrap.ts"

/** The smallest width of a last cell, in columns. */
const narrowest = 20

/** One line for each row, and more if its last cell is too long for a screen of this width. */
export const lines = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  width = Number.POSITIVE_INFINITY
): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => LineWrap.columns(row[index] ?? ""))))
  return rows.flatMap((row) => {
    const before = row.slice(0, -1)
      .map((cell, index) => `${cell}${" ".repeat((widths[index] ?? 0) - LineWrap.columns(cell))}  `).join("")
    const [first = "", ...others] = LineWrap.lines(
      row.at(-1) ?? "",
      Math.max(narrowest, width - LineWrap.columns(before))
    )
    return [
      `${before}${first}`.trimEnd(),
      ...others.map((line) => `${" ".repeat(LineWrap.columns(before))}${line.trimStart()}`)
    ]
  })
}
