/** Words for what happened to a packet at a hook. */
import type { Hop } from "./Journey.ts"

/** A rule without the chain that it is in. */
export const rule = ({ rule, verdict }: Hop): string =>
  rule === undefined
    ? `policy ${verdict}`
    : rule.iptables?.replace(/^-A \S+ /, "") ?? (rule.text === "" ? `rule ${rule.handle}, which is gone` : rule.text)

/** A chain with its family and its table. */
export const chain = ({ chain: { family, name, table } }: Hop): string => `${family} ${table} ${name}`

/** The rule that dropped a packet, and its place. */
export const drop = (hop: Hop): string => `${chain(hop)} in ${hop.place} (${rule(hop)})`
