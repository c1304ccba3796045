/** The packet filter of the host: rules of iptables, of both its backends, and chains of nftables. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Json from "../../json/Json.ts"
import * as ToolJson from "../../json/ToolJson.ts"
import * as Tool from "./Tool.ts"

/** A rule, as `iptables-save` prints it. */
export interface Rule {
  /** Without the name of its chain. */
  readonly words: ReadonlyArray<string>
  readonly text: string
}

/** A chain of iptables. */
export interface Chain {
  /** `ACCEPT` or `DROP` of a built-in chain; `-` of another. */
  readonly policy: string
  readonly rules: ReadonlyArray<Rule>
}

/** All tables of one family in one backend of iptables. */
export interface Ruleset {
  readonly backend: "nf_tables" | "legacy"
  readonly family: 4 | 6
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Chain>>
}

/** A chain of nftables itself, apart from the tables of iptables. */
export interface NftChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook: string | undefined
  readonly type: string | undefined
  readonly policy: string | undefined
  /** Chains of a hook are asked in the order of these. */
  readonly priority: number
  /** The link of a hook that is one of a link; undefined for the other hooks. */
  readonly device: string | undefined
  /** The expressions of each rule. */
  readonly rules: ReadonlyArray<ReadonlyArray<Json.JsonObject>>
}

/** The packet filter. */
export interface Rules {
  readonly rulesets: ReadonlyArray<Ruleset>
  readonly nft: ReadonlyArray<NftChain>
}

/** The words of a line, where quotes keep blanks. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    plain ?? (quoted ?? "").replace(/\\(.)/g, "$1")
  )

/** Reads what `iptables-save` prints. */
export const parseSave = (output: string): Ruleset["tables"] => {
  const tables = new Map<string, Map<string, { policy: string; rules: Array<Rule> }>>()
  let chains = new Map<string, { policy: string; rules: Array<Rule> }>()
  for (const line of output.split("\n")) {
    if (line.startsWith("*")) tables.set(line.slice(1).trim(), chains = new Map())
    else if (line.startsWith(":")) {
      const [name = "", policy = "-"] = line.slice(1).split(" ")
      chains.set(name, { policy, rules: [] })
    } else if (line.startsWith("-A ")) {
      const [, name = "", ...words] = wordsOf(line)
      chains.get(name)?.rules.push({ words, text: line })
    }
  }
  return tables
}

const iptablesTables = new Set(["filter", "nat", "mangle", "raw", "security"])

/** Flags of a table that is at work. */
const working = new Set(["owner", "persist"])

/** Whether the chains of a table may be asleep. Some versions of nft print anything in the place of the flag `dormant`. */
const mayRest = ({ flags }: Json.JsonObject): boolean =>
  flags !== undefined && (Array.isArray(flags) ? flags : [flags]).some((flag) => !working.has(flag))

/** The elements of a set or a map, each without its counters and comments. */
const elementsOf = (elements: unknown): ReadonlyArray<unknown> =>
  (Array.isArray(elements) ? elements : []).map((each) => {
    if (!Json.isObject(each) || !Json.isObject(each["elem"])) return each
    return each["elem"]["val"]
  })

/** An expression whose names of sets and maps are replaced by what is in these. */
const resolved = (value: unknown, sets: ReadonlyMap<string, ReadonlyArray<unknown>>, key = ""): unknown => {
  if (typeof value === "string" && value.startsWith("@") && (key === "right" || key === "data")) {
    const elements = sets.get(value.slice(1))
    return elements === undefined ? value : { set: elements }
  }
  if (Array.isArray(value)) return value.map((each) => resolved(each, sets))
  if (!Json.isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolved(each, sets, name)]))
}

/** Reads what `nft -j list ruleset` prints, without the tables that are iptables', and those that may be asleep. */
export const parseNft = (output: string): ReadonlyArray<NftChain> => {
  const document = ToolJson.parse(output)
  const items = Json.isObject(document) && Array.isArray(document["nftables"]) ? document["nftables"] : []
  const chains = new Map<string, NftChain & { readonly rules: Array<ReadonlyArray<Json.JsonObject>> }>()
  const optional = (value: unknown) => typeof value === "string" ? value : undefined
  const resting = new Set<string>()
  const sets = new Map<string, Map<string, ReadonlyArray<unknown>>>()
  for (const item of items) {
    if (!Json.isObject(item)) continue
    const { chain, rule, table } = item
    const set = item["set"] ?? item["map"]
    if (Json.isObject(table) && mayRest(table)) resting.add([table["family"], table["name"]].join("/"))
    else if (Json.isObject(set)) {
      const owner = [set["family"], set["table"]].join("/")
      sets.set(owner, (sets.get(owner) ?? new Map()).set(String(set["name"]), elementsOf(set["elem"])))
    } else if (Json.isObject(chain)) {
      const [family, table, name] = [chain["family"], chain["table"], chain["name"]].map(String) as [
        string,
        string,
        string
      ]
      if (resting.has([family, table].join("/"))) continue
      if (iptablesTables.has(table) && (family === "ip" || family === "ip6")) continue
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
      const expressions = Array.isArray(rule["expr"]) ? rule["expr"].filter(Json.isObject) : []
      const named = sets.get([rule["family"], rule["table"]].join("/")) ?? new Map<string, ReadonlyArray<unknown>>()
      chains.get([rule["family"], rule["table"], rule["chain"]].join("/"))?.rules.push(
        expressions.map((each) => resolved(each, named)).filter(Json.isObject)
      )
    }
  }
  return [...chains.values()]
}

/** Whether the old backend has tables: to ask it where it has none would load its modules. */
const hasLegacy = Effect.fnUntraced(function*(family: 4 | 6) {
  const fs = yield* FileSystem.FileSystem
  const names = fs.readFileString(family === 4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names")
  return (yield* Effect.orElseSucceed(names, () => "")).trim() !== ""
})

const save = Effect.fnUntraced(function*(family: 4 | 6, tools: ReadonlyMap<string, string>) {
  const base = family === 4 ? "iptables" : "ip6tables"
  const found: Array<Ruleset> = []
  const read = Effect.fnUntraced(function*(tool: string, backend?: Ruleset["backend"]) {
    const output = yield* Tool.output([tools.get(tool) ?? tool])
    if (Result.isFailure(output)) return output.failure
    const isLegacy = !output.success.startsWith("# Generated by") || !output.success.includes("(nf_tables)")
    const tables = parseSave(output.success)
    if (tables.size > 0) found.push({ backend: backend ?? (isLegacy ? "legacy" : "nf_tables"), family, tables })
    return undefined
  })
  const [nft, legacy, plain] = [`${base}-nft-save`, `${base}-legacy-save`, `${base}-save`]
  let problem: string | undefined
  if (tools.has(nft)) problem = yield* read(nft, "nf_tables")
  if (tools.has(legacy) && (yield* hasLegacy(family))) problem ??= yield* read(legacy, "legacy")
  if (!tools.has(nft) && !tools.has(legacy) && tools.has(plain)) problem = yield* read(plain)
  return { found, problem }
})

/**
 * The rules of iptables in another network namespace; none where they cannot be asked for. The old backend is not asked,
 * as that would load its modules and make its tables.
 */
export const inside = Effect.fnUntraced(function*(netns: string) {
  const rulesets = yield* Effect.forEach(
    [4, 6] as const,
    Effect.fnUntraced(function*(family) {
      const tool = family === 4 ? "iptables-nft-save" : "ip6tables-nft-save"
      const output = yield* Tool.output([tool], { netns })
      const tables = parseSave(Result.getOrElse(output, () => ""))
      return tables.size === 0 ? [] : [{ backend: "nf_tables", family, tables } satisfies Ruleset]
    }),
    { concurrency: "unbounded" }
  )
  return rulesets.flat() as ReadonlyArray<Ruleset>
})

/** Whether there are rules which could not be read. Where a kernel has no IPv6, or no nftables, tools fail as there are none. */
const isTooMuch = (problem: string | undefined): boolean =>
  / did not end within | printed more than /.test(problem ?? "")

/** Asks all tools that there are. */
export const collect = Effect.fnUntraced(function*(tools: ReadonlyMap<string, string>) {
  const [v4, v6, nft] = yield* Effect.all([
    save(4, tools),
    save(6, tools),
    tools.has("nft")
      ? Tool.output([tools.get("nft") ?? "nft", "-j", "list", "ruleset"])
      : Effect.succeed(Result.succeed("{}"))
  ], { concurrency: "unbounded" })
  const problem = v4.problem ?? [v6.problem, Result.isFailure(nft) ? nft.failure : undefined].find(isTooMuch)
  if (problem !== undefined) return Result.fail(problem)
  return Result.succeed<Rules>({
    rulesets: [...v4.found, ...v6.found],
    nft: Result.isSuccess(nft) ? parseNft(nft.success) : []
  })
})
