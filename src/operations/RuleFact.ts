/** Facts of packet filters: of iptables `ip nat -A CHAIN …`, of nftables `rule inet TABLE CHAIN …`. */
import { type Fact, wordsOf } from "./Fact.ts"
import * as RuleWords from "./RuleWords.ts"

/** `legacy ip nat -A CHAIN …`: family, table, option, chain, and the rest of it. */
const form = /^((?:legacy )?ip6?) (\S+) -([ANP]) (\S+) ?(.*)$/s

/** A rule, a chain or a policy of iptables in words. Of which family it is, is said elsewhere. */
export const iptables = (text: string): string => {
  const [, , table, option, chain, rest = ""] = form.exec(text) ?? []
  if (option === "N") return `${table} chain ${chain}`
  if (option === "P") return `${table} ${chain}: policy ${rest}`
  return option === undefined ? text : `${table} ${chain}: ${RuleWords.iptables(rest)}`
}

/** The policy that a fact tells of; no fact tells of the policy ACCEPT. */
export const policyOf = ({ kind, text }: Fact): string | undefined => {
  const [, , , option, , rest] = kind === "iptables" ? form.exec(text) ?? [] : []
  return option === "P" ? rest : undefined
}

/** What nftables has, in words. */
export const nftables = (text: string): string => {
  const words = wordsOf(text)
  const [kind = "", family = "", table = "", name = ""] = words
  const rest = (from: number): string => text.slice(words.slice(0, from).join(" ").length + 1)
  const more = (from: number): string => words.length > from ? ` (${rest(from)})` : ""
  switch (kind) {
    case "rule":
      return `nft ${family} ${table} ${name}: ${RuleWords.nftables(rest(4))}`
    case "element":
      return `nft ${family} ${table} ${name}: ${rest(4)}`
    case "table":
      return `nft table ${family} ${table}${more(3)}`
    case "ct":
      return `nft ${text}`
    default:
      return `nft ${kind} ${family} ${table} ${name}${more(4)}`
  }
}

/** The family of what iptables has, and its backend where that is the old one: `ip6`, `legacy ip`. */
export const familyOf = ({ kind, text }: Fact): string | undefined =>
  kind === "iptables" ? form.exec(text)?.[1] : undefined

/** A chain, and whether a fact is a rule in it, or that there is one. */
export interface Chain {
  readonly name: string
  readonly isRule: boolean
}

/** The chain that a fact is about. A chain of nftables that is hooked says more than its name. */
export const chainOf = ({ kind, text }: Fact): Chain | undefined => {
  if (kind === "iptables") {
    const [, family, table, option, chain] = form.exec(text) ?? []
    return option === "A" || option === "N"
      ? { name: `${family} ${table} ${chain}`, isRule: option === "A" }
      : undefined
  }
  const words = kind === "nftables" ? wordsOf(text) : []
  return words[0] === "rule" || (words[0] === "chain" && words.length === 4)
    ? { name: words.slice(1, 4).join(" "), isRule: words[0] === "rule" }
    : undefined
}
