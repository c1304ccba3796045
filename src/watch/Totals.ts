/** Counts what came and went, by sort. A burst has tens of thousands of lines, of which a report shows the numbers. */
import * as IptablesRule from "../network/IptablesRule.ts"
import { wordsOf } from "../network/Line.ts"
import type { Differences } from "../record/Record.ts"
import type * as Event from "./Event.ts"

/** The most tables to name. */
const most = 20

const plurals: { readonly [word: string]: string } = { policy: "policies" }

/** What a line of the packet filter is, and the table that it belongs to. */
const sortOf = (kind: string, line: string): readonly [sort: string, table: string | undefined] => {
  if (kind === "iptables") {
    const parts = IptablesRule.partsOf(line)
    return parts === undefined ? ["rule", undefined] : [parts.sort, `${parts.family} ${parts.table}`]
  }
  const [sort = "", family, table, own] = wordsOf(line)
  return sort === "ct" ? [`ct ${family}`, `${table} ${own}`] : [sort, `${family} ${table}`]
}

/** The numbers of differences, and the tables that they concern. */
export const of = (differences: Differences): Pick<Event.Change, "tables" | "totals"> => {
  const totals: { [sort: string]: { added: number; removed: number } } = {}
  const tables = new Set<string>()
  for (const [kind, difference] of Object.entries(differences)) {
    for (const side of ["added", "removed"] as const) {
      for (const line of difference[side]) {
        const [sort, table] = kind === "iptables" || kind === "nftables" ? sortOf(kind, line) : [undefined, undefined]
        const name = sort === undefined ? kind : plurals[sort] ?? `${sort}s`
        const total = totals[kind === "rules" ? "policy rules" : name] ??= { added: 0, removed: 0 }
        total[side]++
        if (table !== undefined && tables.size < most) tables.add(table)
      }
    }
  }
  return { totals, tables: [...tables] }
}
