/** The kinds of state of which a wrapped plugin can record what it changed. */
export const changeKinds = [
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
