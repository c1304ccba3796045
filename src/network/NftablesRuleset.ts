/**
 * Rules, chains, sets and tables of nftables: reads `nft list`, and writes and reads lines such as `rule inet TABLE
 * CHAIN …`.
 */
import * as Json from "../json/Json.ts"
import * as ToolJson from "../json/ToolJson.ts"
import { items, optional } from "./Iproute2.ts"
import { linesOf, type Reader, wordsOf } from "./Line.ts"

/** A chain of nftables, outside the tables of iptables. */
export interface NftChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook: string | undefined
  readonly type: string | undefined
  readonly policy: string | undefined
  /** The chains of a hook run in this order. */
  readonly priority: number
  /** The link of a hook that belongs to a link; undefined for other hooks. */
  readonly device: string | undefined
  /** The expressions of each rule. */
  readonly rules: ReadonlyArray<ReadonlyArray<Json.JsonObject>>
}

const iptablesTables = new Set(["filter", "nat", "mangle", "raw", "security"])

/** Whether a table, given as its family and name, is one of iptables. */
export const isOfIptables = (table: string): boolean => {
  const [family = "", name = ""] = table.split(" ")
  return iptablesTables.has(name) && (family === "ip" || family === "ip6")
}

/** Flags of an active table. */
const working = new Set(["owner", "persist"])

/** Whether a table may be dormant. Some versions of nft print anything in place of the flag `dormant`. */
const mayRest = ({ flags }: Json.JsonObject): boolean =>
  flags !== undefined && (Array.isArray(flags) ? flags : [flags]).some((flag) => !working.has(flag))

/** The elements of a set or a map, each without its counters and comments. */
const valuesOf = (elements: unknown): ReadonlyArray<unknown> =>
  (Array.isArray(elements) ? elements : []).map((each) =>
    Json.isObject(each) && Json.isObject(each["elem"]) ? each["elem"]["val"] : each
  )

/** An expression with the names of sets and maps replaced by their elements. */
const resolved = (value: unknown, sets: ReadonlyMap<string, ReadonlyArray<unknown>>, key = ""): unknown => {
  if (typeof value === "string" && value.startsWith("@") && (key === "right" || key === "data")) {
    const elements = sets.get(value.slice(1))
    return elements === undefined ? value : { set: elements }
  }
  if (Array.isArray(value)) return value.map((each) => resolved(each, sets))
  if (!Json.isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolved(each, sets, name)]))
}

/** Reads `nft -j list ruleset` or `nft -j list table`, without the tables of iptables, and without tables that may be dormant. */
export const parse = (output: string): ReadonlyArray<NftChain> => {
  const document = ToolJson.parse(output)
  const chains = new Map<string, NftChain & { readonly rules: Array<ReadonlyArray<Json.JsonObject>> }>()
  const resting = new Set<string>()
  const sets = new Map<string, Map<string, ReadonlyArray<unknown>>>()
  for (const item of items(Json.isObject(document) ? document["nftables"] : undefined)) {
    const { chain, rule, table } = item
    const set = item["set"] ?? item["map"]
    if (Json.isObject(table) && mayRest(table)) resting.add([table["family"], table["name"]].join("/"))
    else if (Json.isObject(set)) {
      const owner = [set["family"], set["table"]].join("/")
      sets.set(owner, (sets.get(owner) ?? new Map()).set(String(set["name"]), valuesOf(set["elem"])))
    } else if (Json.isObject(chain)) {
      const [family, table, name] = [chain["family"], chain["table"], chain["name"]].map(String) as [
        string,
        string,
        string
      ]
      if (resting.has([family, table].join("/"))) continue
      if (isOfIptables(`${family} ${table}`)) continue
      chains.set([family, table, name].join("/"), {
        family,
        table,
        name,
        hook: optional(chain["hook"]),
        type: optional(chain["type"]),
        policy: optional(chain["policy"]),
        priority: typeof chain["prio"] === "number" ? chain["prio"] : 0,
        device: optional(Array.isArray(chain["dev"]) ? chain["dev"][0] : chain["dev"]),
        rules: []
      })
    } else if (Json.isObject(rule)) {
      const named = sets.get([rule["family"], rule["table"]].join("/")) ?? new Map<string, ReadonlyArray<unknown>>()
      chains.get([rule["family"], rule["table"], rule["chain"]].join("/"))?.rules.push(
        items(rule["expr"]).map((each) => resolved(each, named)).filter(Json.isObject)
      )
    }
  }
  return [...chains.values()]
}

/** Whether `nft -j list ruleset` shows tables of iptables, whose rules only iptables can show in full. */
export const hasTablesOfIptables = (output: string): boolean => {
  const document = ToolJson.parse(output)
  return items(Json.isObject(document) ? document["nftables"] : undefined).some(({ table }) =>
    Json.isObject(table) && isOfIptables([table["family"], table["name"]].join(" "))
  )
}

/**
 * The links of chains with an ingress or egress hook, from `nft list chains`: older versions of nft omit them from
 * JSON.
 */
export const parseDevices = (listed: string): ReadonlyMap<string, string> => {
  const devices = new Map<string, string>()
  let [table, chain] = ["", ""]
  for (const line of listed.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain
    const device = /hook (?:ingress|egress) devices? (?:= \{ )?"?([^\s",;]+)/.exec(line)?.[1]
    if (device !== undefined) devices.set(`${table} ${chain}`, device)
  }
  return devices
}

/** The tables in the output of `nft list …`, each as its family and name. */
export const tablesOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^table (\S+ \S+) \{/gm)].map(([, table = ""]) => table)

/** The expiry of an element. The comment that follows may contain the same words. */
const expiry = /^([^"]*?) expires \w+/

/** The elements in one `{ … }` of a set, without their expiry. */
const elementsOf = (text: string): ReadonlyArray<string> =>
  (/\{(.*)\}/s.exec(text)?.[1] ?? "").match(/(?:"[^"]*"?|[^,"]+)+/g)
    ?.map((element) => element.replace(expiry, "$1").replace(/\s+/g, " ").trim()) ?? []

/** The lines of one object of a table, such as a chain, from its header and body. */
const objectLines = (table: string, sort: string, name: string, body: string): ReadonlyArray<string> => {
  const line = (sort: string, ...parts: ReadonlyArray<string>) => [sort, table, name, ...parts].join(" ").trim()
  if (sort === "chain") {
    const all = linesOf(body).map((each) => each.trim())
    const isProperty = (each: string) => /^(?:type \w+ hook|comment ")/.test(each)
    return [
      line(sort, ...all.filter(isProperty).sort().reverse()), // the type first
      ...all.filter((each) => !isProperty(each)).map((each) => line("rule", each))
    ]
  }
  const [properties = "", ...elements] = body.split("\telements = ")
  // Packets fill dynamic sets.
  const told = /\bflags .*dynamic/.test(properties) ? [] : elementsOf(elements.join())
  return [
    line(sort, linesOf(properties).map((each) => each.trim()).join("; ")),
    ...told.map((element) => line("element", element))
  ]
}

/** The lines of a table in the output of `nft -s list table`, each in the form that `nft add` takes. */
export const lines = (text: string): ReadonlyArray<string> =>
  tablesOf(text).flatMap((table) => [
    ["table", table, ...[...text.matchAll(/^\t(\S.*[^{\n])$/gm)].map(([, line = ""]) => line)].join(" "),
    ...[...text.matchAll(/^\t((?:ct )?\S+) (\S+) \{\n((?:\t\t.*\n)*)/gm)]
      .flatMap(([, sort = "", name = "", body = ""]) => objectLines(table, sort, name, body))
  ])

/** A rule in words, given as nft lists it. */
export const ruleWords = (rule: string): string =>
  rule.replace(/\bcounter\b(?! name)(?: packets \d+ bytes \d+)? ?/g, "")
    .replace(/ comment "[^"]*"/, "")
    .replace(/\bdnat (?:ip6? )?to /, "→ ")
    .replace(/\bsnat (?:ip6? )?to /, "source → ")
    .replace(/ {2,}/g, " ")
    .trim()

const identity = (line: string): string => {
  const words = wordsOf(line)
  switch (words[0]) {
    case "rule":
      return line
    case "element":
      return line.split(" : ")[0] ?? line
    case "table":
      return words.slice(0, 3).join(" ")
    case "ct":
      return words.slice(0, 5).join(" ")
    default:
      return words.slice(0, 4).join(" ")
  }
}

const inWords = (line: string): string => {
  const words = wordsOf(line)
  const [kind = "", family = "", table = "", name = ""] = words
  const rest = (from: number): string => line.slice(words.slice(0, from).join(" ").length + 1)
  const more = (from: number): string => words.length > from ? ` (${rest(from)})` : ""
  switch (kind) {
    case "rule":
      return `nft ${family} ${table} ${name}: ${ruleWords(rest(4))}`
    case "element":
      return `nft ${family} ${table} ${name}: ${rest(4)}`
    case "table":
      return `nft table ${family} ${table}${more(3)}`
    case "ct":
      return `nft ${line}`
    default:
      return `nft ${kind} ${family} ${table} ${name}${more(4)}`
  }
}

export const reader: Reader = { identity, words: inWords }

/** The chain that a line is about, and whether the line is a rule in it or the chain itself. */
export interface Chain {
  readonly name: string
  readonly isRule: boolean
}

/** The chain that a line is about. The line of a hooked chain does not count, since it says more than the name. */
export const chainOf = (line: string): Chain | undefined => {
  const words = wordsOf(line)
  return words[0] === "rule" || (words[0] === "chain" && words.length === 4)
    ? { name: words.slice(1, 4).join(" "), isRule: words[0] === "rule" }
    : undefined
}
