/** The names of the tables that a trace puts into network namespaces. Others ignore these tables. */

const prefix = "cni-passthrough-trace-"

/** The table of the process that traces. */
export const nameOf = (pid: number): string => `${prefix}${pid}`

/** Whether a table is that of a trace. */
export const is = (table: string): boolean => table.startsWith(prefix)
