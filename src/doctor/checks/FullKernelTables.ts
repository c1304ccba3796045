/** Whether the kernel has room for more connections and neighbours. */
import type { Check } from "../Check.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"

/** A table counts as nearly full from this fraction of its limit. */
const nearlyFull = 0.9

export const kernelTables: Check = {
  id: "kernel-tables",
  phase: "host",
  stops: Flow.forwarded,
  find: ({ host }) =>
    host === undefined ?
      { skipped: "nothing is known of the host" } :
      host.tables.filter(({ limit, used }) => used >= limit * nearlyFull).map(({ limit, name, setting, used }) => ({
        level: used >= limit ? "error" as const : "warning" as const,
        ...(used >= limit ? {} : { stops: [] }),
        message: used >= limit
          ? `the kernel's table of ${name} is full, with ${used} of ${limit}: packets of others are dropped`
          : `the kernel's table of ${name} is nearly full, with ${used} of ${limit}: beyond that packets are dropped`,
        evidence: [`${setting} = ${limit}`],
        fix: Fix.sysctl("make room for twice as many", setting, limit * 2)
      }))
}
