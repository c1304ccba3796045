/**
 * The rules of a network namespace by their handles, with which a trace names them: `nft -s -a list ruleset`, and for
 * rules of iptables what `iptables-nft-save` prints in the same order.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ToolOutput from "../exec/ToolOutput.ts"
import * as IptablesRule from "../network/IptablesRule.ts"
import type { Chain, Event } from "./TraceOutput.ts"

/** A rule. */
export interface Rule {
  readonly handle: number
  /** As nft lists it. */
  readonly text: string
  /** The rule of iptables, from `-A`; undefined for others. */
  readonly iptables: string | undefined
}

/** A chain with its rules. */
export interface ListedChain {
  /** Undefined for a chain that others jump to. */
  readonly hook: string | undefined
  readonly policy: string
  readonly rules: ReadonlyArray<Rule>
}

/** The chains of a namespace, by {@link keyOf}. */
export interface Ruleset {
  readonly chains: ReadonlyMap<string, ListedChain>
  /** Whether a rule needs connection tracking, so that the kernel does it in this namespace. */
  readonly tracksConnections: boolean
}

export const empty: Ruleset = { chains: new Map(), tracksConnections: false }

export const keyOf = ({ family, name, table }: Chain): string => [family, table, name].join(" ")

interface Draft {
  hook: string | undefined
  policy: string
  readonly rules: Array<{ readonly handle: number; readonly text: string }>
}

/** Reads `nft -s -a list ruleset`. */
const chainsOf = (listed: string): ReadonlyMap<string, Draft> => {
  const chains = new Map<string, Draft>()
  let table = ""
  let chain: Draft | undefined
  for (const line of listed.split("\n")) {
    const [, family = "", name = ""] = /^table (\S+) (\S+) \{/.exec(line) ?? []
    if (family !== "") table = `${family} ${name}`
    const chainName = /^\tchain (\S+) \{/.exec(line)?.[1]
    if (chainName !== undefined) chains.set(`${table} ${chainName}`, chain = { hook: undefined, policy: "", rules: [] })
    else if (line === "\t}") chain = undefined
    if (chain === undefined || !line.startsWith("\t\t")) continue
    const hook = /^\t\ttype \S+ hook (\S+) /.exec(line)?.[1]
    if (hook !== undefined) {
      chain.hook = hook
      chain.policy = /; policy (\w+);/.exec(line)?.[1] ?? "accept"
    }
    const [, text, handle] = /^\t\t(.*?) ?# handle (\d+)$/.exec(line) ?? []
    if (text !== undefined) chain.rules.push({ text: text.trim(), handle: Number(handle) })
  }
  return chains
}

/** Pairs the rules of iptables with those of nft by their order. Chains that differ in length changed in between. */
const joined = (
  key: string,
  { hook, policy, rules }: Draft,
  saved: ReadonlyMap<string, IptablesRule.Ruleset["tables"]>
) => {
  const [family = "", table = "", name = ""] = key.split(" ")
  const own = saved.get(family)?.get(table)?.get(name)?.rules
  return {
    hook,
    policy,
    rules: rules.map((rule, index): Rule => ({
      ...rule,
      iptables: own?.length === rules.length ? own[index]?.text : undefined
    }))
  }
}

/** Rules and chains that make the kernel track connections. */
const tracking = /\bct \w|\btype nat hook|\bxt (?:match|target)|\b(?:masquerade|notrack|[sd]nat)\b/

/** Reads a listing of nft, and what `iptables-nft-save` and `ip6tables-nft-save` print. */
export const parse = (listed: string, saved: { readonly ip: string; readonly ip6: string }): Ruleset => {
  const tables = new Map(Object.entries(saved).map(([family, text]) => [family, IptablesRule.parse(text)]))
  return {
    chains: new Map([...chainsOf(listed)].map(([key, draft]) => [key, joined(key, draft, tables)])),
    tracksConnections: tracking.test(listed)
  }
}

/** How long a tool may take, in milliseconds. With tens of thousands of rules, nft takes several seconds. */
const timeout = 30_000

/** Lists the rules of the namespace at a path, or of ours. Fails with the words of nft. */
export const list = Effect.fnUntraced(function*(netns: string | undefined) {
  const listed = yield* ToolOutput.of(["nft", "-s", "-a", "list", "ruleset"], { netns, timeout })
  if (Result.isFailure(listed)) return Result.fail(listed.failure)
  const save = (family: "ip" | "ip6", tool: string) =>
    new RegExp(`^table ${family} (?:filter|nat|mangle|raw|security) `, "m").test(listed.success)
      ? Effect.map(ToolOutput.of([tool], { netns, timeout }), Result.getOrElse(() => ""))
      : Effect.succeed("")
  const [ip, ip6] = yield* Effect.all([save("ip", "iptables-nft-save"), save("ip6", "ip6tables-nft-save")], {
    concurrency: "unbounded"
  })
  return Result.succeed(parse(listed.success, { ip, ip6 }))
})

/** The rule of a chain with a handle. */
export const ruleOf = ({ chains }: Ruleset, chain: Chain, handle: number): Rule | undefined =>
  chains.get(keyOf(chain))?.rules.find((each) => each.handle === handle)

/** Whether a listing is older than what an event is about. */
export const isOlder = ({ chains }: Ruleset, event: Event): boolean => {
  const chain = chains.get(keyOf(event.chain))
  return chain === undefined || (event._tag === "Rule" && !chain.rules.some(({ handle }) => handle === event.handle))
}
