/** Reads what `ip monitor all label` prints: which kinds of facts may have changed. */
import type { Kind } from "../network/StateKind.ts"

const kindsByLabel: { readonly [label: string]: ReadonlyArray<Kind> } = {
  LINK: ["links", "addresses", "bridge"],
  ADDR: ["addresses"],
  ROUTE: ["routes"],
  NEXTHOP: ["routes"],
  RULE: ["rules"],
  NETCONF: ["sysctls"]
}

/** Neighbours and forwarding entries that a program set. The kernel learns and forgets all others by itself. */
const isSet = / (?:PERMANENT|NOARP|extern_learn|proxy)\b/

/** The kinds of facts that may differ after the event of a line. */
export const kindsOf = (line: string): ReadonlyArray<Kind> => {
  const [, label = ""] = /^(?:\[[^\]]*\] )?\[([A-Z]+)\]/.exec(line) ?? []
  if (label === "NEIGH") return isSet.test(line) ? ["neighbours", "bridge"] : []
  return kindsByLabel[label] ?? []
}

/** Whether a line on stderr says that events were lost. */
export const isLoss = (line: string): boolean => line.includes("No buffer space")
