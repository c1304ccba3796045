/** Rules of iptables: reads `iptables-save`, and writes and reads lines such as `ip nat -A CHAIN …`. */
import { type Reader, wordsOf } from "./Line.ts"

/** A rule, as `iptables-save` prints it. */
export interface Rule {
  /** Without the name of its chain. */
  readonly words: ReadonlyArray<string>
  readonly text: string
}

/** A chain of iptables. */
export interface Chain {
  /** `ACCEPT` or `DROP` for a built-in chain; `-` for others. */
  readonly policy: string
  readonly rules: ReadonlyArray<Rule>
}

/** All tables of one family in one backend of iptables. */
export interface Ruleset {
  readonly backend: "nf_tables" | "legacy"
  readonly family: 4 | 6
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Chain>>
}

/** The words of a rule, without the quotes and backslashes that iptables-save adds. */
export const split = (rule: string): ReadonlyArray<string> =>
  (rule.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) =>
    word.startsWith("\"") && word.length > 1 && word.endsWith("\"") ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word
  )

/** Reads what `iptables-save` prints. */
export const parse = (output: string): Ruleset["tables"] => {
  const tables = new Map<string, Map<string, { policy: string; rules: Array<Rule> }>>()
  let chains = new Map<string, { policy: string; rules: Array<Rule> }>()
  for (const line of output.split("\n")) {
    if (line.startsWith("*")) tables.set(line.slice(1).trim(), chains = new Map())
    else if (line.startsWith(":")) {
      const [name = "", policy = "-"] = line.slice(1).split(" ")
      chains.set(name, { policy, rules: [] })
    } else if (line.startsWith("-A ")) {
      const [, name = "", ...words] = split(line)
      chains.get(name)?.rules.push({ words, text: line })
    }
  }
  return tables
}

/**
 * The lines of an `iptables-save`, without counters: chains, policies other than ACCEPT, and rules. Each is in the form
 * that the command takes, after the family (`ip`, `ip6`, `legacy ip`, …) and the table.
 */
export const lines = (family: string, text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let place = ""
  for (const line of text.split("\n")) {
    if (line.startsWith("-")) found.push(place + line) // checked first: there may be tens of thousands
    else if (line.startsWith("*")) place = `${family} ${line.slice(1)} `
    else {
      const [, chain = "", policy = ""] = /^:(\S+) (\S+)/.exec(line) ?? []
      if (policy === "-") found.push(`${place}-N ${chain}`)
      else if (policy !== "" && policy !== "ACCEPT") found.push(`${place}-P ${chain} ${policy}`)
    }
  }
  return found
}

/**
 * Whether `iptables-nft-save` leaves a table to `nft`, because the table contains something that iptables does not
 * know.
 */
export const isIncompatible = (text: string, table: string): boolean =>
  text.includes(`# Table \`${table.split(" ")[1]}' is incompatible`)

/** An address without a prefix length that covers only itself. */
const single = (address: string): string => address.replace(/(?<=\.\d+)\/32$|(?<=:[\da-f]*)\/128$/, "")

/** What an option says about a packet, given its value. */
const matches: { readonly [option: string]: (value: string) => string } = {
  "-s": (value) => `from ${single(value)}`,
  "-d": (value) => `to ${single(value)}`,
  "-i": (value) => `in ${value}`,
  "-o": (value) => `out ${value}`,
  "-p": (value) => value,
  "--dport": (value) => `dport ${value}`,
  "--dports": (value) => `dport ${value}`,
  "--sport": (value) => `sport ${value}`,
  "--sports": (value) => `sport ${value}`,
  "--dst-type": (value) => `to ${value.toLowerCase()} addresses`,
  "--src-type": (value) => `from ${value.toLowerCase()} addresses`,
  "--ctstate": (value) => `state ${value.toLowerCase()}`,
  "--state": (value) => `state ${value.toLowerCase()}`,
  "--mark": (value) => `mark ${value.replace(/^(0x[\da-f]+)\/\1$/, "$1")}`
}

/** Options that do not describe a packet. Each has a value. */
const silent = new Set(["-m", "--comment"])

/** What happens to a packet, in words. */
const target = (name: string, options: ReadonlyArray<string>, verb: string): string => {
  const [option, value = ""] = options
  if (name === "DNAT" && option === "--to-destination") return ["→", value, ...options.slice(2)].join(" ")
  if (name === "SNAT" && option === "--to-source") return ["source →", value, ...options.slice(2)].join(" ")
  if (name === "MARK" && option === "--set-xmark") return `set mark ${value.replace(/^(0x[\da-f]+)\/\1$/, "$1")}`
  if (/^(?:ACCEPT|DROP|REJECT|RETURN|MASQUERADE)$/.test(name)) return [name.toLowerCase(), ...options].join(" ")
  return options.length === 0 ? `${verb} ${name}` : [name, ...options].join(" ")
}

/** A rule in words, without its comment. `rule` is the text that iptables-save prints after `-A CHAIN`. */
export const ruleWords = (rule: string): string => {
  // A duplicate rule is followed by its number.
  const [, once = rule, number] = /^(.*)( #\d+)$/s.exec(rule) ?? []
  const words = split(once)
  const protocol: Array<string> = []
  const said: Array<string> = []
  for (let index = 0; index < words.length; index++) {
    const isNegated = words[index] === "!"
    if (isNegated) index++
    const option = words[index] ?? ""
    const value = words[index + 1] ?? ""
    if (silent.has(option)) index++
    else if (option === "-j" || option === "-g") {
      said.push(target(value, words.slice(index + 2), option === "-j" ? "jump" : "goto"))
      break
    } else {
      const say = matches[option]
      const text = (isNegated ? "not " : "") + (say === undefined ? option : say(value))
      // Ports follow their protocol.
      if (option === "-p" || /^--[ds]ports?$/.test(option)) protocol.push(text)
      else said.push(text)
      if (say !== undefined) index++
    }
  }
  return `${[...protocol, ...said].join(" ")}${number ?? ""}`
}

/** `legacy ip nat -A CHAIN …`: family, table, option, chain, and the rest of it. */
const form = /^((?:legacy )?ip6?) (\S+) -([ANP]) (\S+) ?(.*)$/s

/** The parts of a line. */
export interface Parts {
  /** The family, with its backend if that is the legacy one: `ip6`, `legacy ip`. */
  readonly family: string
  readonly table: string
  readonly chain: string
  /** A rule in the chain, the chain itself, or its policy. */
  readonly sort: "rule" | "chain" | "policy"
  /** The rule or the policy. */
  readonly rest: string
}

const sorts = { A: "rule", N: "chain", P: "policy" } as const

/** Splits a line. No line has the policy ACCEPT. */
export const partsOf = (line: string): Parts | undefined => {
  const [, family = "", table = "", option, chain = "", rest = ""] = form.exec(line) ?? []
  return option === undefined
    ? undefined
    : { family, table, chain, rest, sort: sorts[option as keyof typeof sorts] }
}

export const reader: Reader = {
  identity: (line) => {
    const words = wordsOf(line)
    return words.at(-3) === "-P" ? words.slice(0, -1).join(" ") : line
  },
  // The family is added elsewhere.
  words: (line) => {
    const parts = partsOf(line)
    if (parts === undefined) return line
    const { chain, rest, sort, table } = parts
    if (sort === "chain") return `${table} chain ${chain}`
    return `${table} ${chain}: ${sort === "policy" ? `policy ${rest}` : ruleWords(rest)}`
  }
}
