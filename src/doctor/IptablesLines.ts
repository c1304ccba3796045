/** Rules of iptables one by one, to compare and to delete. */
import type { Rule, Ruleset } from "../network/IptablesRule.ts"
import type { Rules } from "../network/PacketFilter.ts"

/** A rule with its position. */
export interface Line {
  readonly backend: Ruleset["backend"]
  readonly family: 4 | 6
  readonly table: string
  readonly chain: string
  readonly rule: Rule
}

/** All rules. */
export const of = ({ rulesets }: Rules): ReadonlyArray<Line> =>
  rulesets.flatMap(({ backend, family, tables }) =>
    [...tables].flatMap(([table, chains]) =>
      [...chains].flatMap(([chain, { rules }]) => rules.map((rule) => ({ backend, family, table, chain, rule })))
    )
  )

/** A chain with its position. */
export type ChainOf = Pick<Line, "backend" | "family" | "table" | "chain">

/** All chains that are not built in. */
export const chainsOf = ({ rulesets }: Rules): ReadonlyArray<ChainOf> =>
  rulesets.flatMap(({ backend, family, tables }) =>
    [...tables].flatMap(([table, chains]) =>
      [...chains].flatMap(([chain, { policy }]) => policy === "-" ? [{ backend, family, table, chain }] : [])
    )
  )

/** Identifies a chain. */
export const chainKey = ({ backend, chain, family, table }: ChainOf): string => `${backend} ${family} ${table} ${chain}`

/** Identifies a rule. */
export const key = (line: Line): string => `${chainKey(line)} ${line.rule.text}`

/** The program that changes a backend's rules. */
export const program = (
  { backend, family }: Pick<Line, "backend" | "family">,
  tools: ReadonlyMap<string, string>
): string => {
  const base = family === 4 ? "iptables" : "ip6tables"
  const own = `${base}-${backend === "legacy" ? "legacy" : "nft"}`
  return tools.has(own) ? own : base
}

/** The command that sets rules of a family and a backend. */
export const commandOf = (family: 4 | 6, backend: "nf_tables" | "legacy"): string =>
  `${family === 4 ? "iptables" : "ip6tables"}${backend === "legacy" ? "-legacy" : ""}`

/** Display form of a rule. */
export const text = ({ family, rule, table }: Line): string =>
  `${family === 4 ? "iptables" : "ip6tables"} -t ${table} ${rule.text}`

/** The chain that a rule sends packets to, if any. */
export const targetOf = ({ rule: { words } }: Line): string | undefined => {
  const index = words.findIndex((word) => word === "-j" || word === "-g")
  return index < 0 ? undefined : words[index + 1]
}

/** Whether a rule mentions an address. */
export const isAbout = ({ rule: { words } }: Line, address: string): boolean =>
  words.some((word) =>
    word.split("/")[0] === address || word.startsWith(`${address}:`) || word.startsWith(`[${address}]`)
  )

/** The container that a rule was made for, from the comment that plugins write; undefined if there is none. */
export const ownerOf = (
  { rule: { words } }: Line
): { readonly network: string; readonly containerId: string } | undefined => {
  const comment = words[words.indexOf("--comment") + 1] ?? ""
  const [, network, containerId] = words.includes("--comment")
    ? /name: "([^"]+)" id: "([^"]+)"/.exec(comment) ?? []
    : []
  return network === undefined || containerId === undefined ? undefined : { network, containerId }
}

/** The arguments that let a packet through again: delete the rule that stops it, or change the policy. */
export const undoing = (rulesets: ReadonlyArray<Ruleset>, table: string, rule: string): ReadonlyArray<string> => {
  const line = of({ rulesets, nft: [] }).find((each) => each.rule.text === rule && each.table === table)
  return line === undefined ? ["-t", table, ...rule.split(" ").slice(0, 2), "ACCEPT"] : deletion(line)
}

/** The arguments that delete a rule. */
export const deletion = (
  { chain, rule, table }: Line
): ReadonlyArray<string> => ["-t", table, "-D", chain, ...rule.words]
