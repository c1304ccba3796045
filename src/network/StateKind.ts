/** The kinds of network state that are compared before and after a plugin. */

/** All kinds, in the order in which they are shown. */
export const kinds = [
  "links",
  "addresses",
  "routes",
  "rules",
  "neighbours",
  "bridge",
  "nftables",
  "iptables",
  "ipsets",
  "sysctls",
  "ipam"
] as const

/** A kind of network state. */
export type Kind = typeof kinds[number]

/** Whether a text is the name of a kind. */
export const isKind = (text: string): text is Kind => (kinds as ReadonlyArray<string>).includes(text)
