/** Rows whose cells stand below each other. */
import { columns } from "../report/Wrap.ts"

/** One line for each row. The last cell of a row is as long as it is. */
export const lines = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => columns(row[index] ?? ""))))
  return rows.map((row) =>
    row.map((cell, index) => cell + " ".repeat((widths[index] ?? 0) - columns(cell))).join("  ").trimEnd()
  )
}
