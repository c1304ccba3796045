/** Rules that choose the table of routes for a packet, as `ip rule` tells them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Json from "../../json/Json.ts"
import * as ToolJson from "../../json/ToolJson.ts"
import * as Cidr from "../Cidr.ts"
import * as Tool from "./Tool.ts"

/** A rule. */
export interface PolicyRule {
  readonly family: 4 | 6
  readonly priority: number
  /** Where packets are from and to; undefined for anywhere. */
  readonly from: Cidr.Cidr | undefined
  readonly to: Cidr.Cidr | undefined
  /** The link that they come in by. */
  readonly inLink: string | undefined
  readonly table: string | undefined
  /** `blackhole`, `unreachable`, `prohibit`, …; undefined if it looks into the table. */
  readonly action: string | undefined
  /** Routes of at most this length are passed over. */
  readonly passedOver: number
  /** Whether it asks for more than is known of a packet, such as its mark. */
  readonly isUnclear: boolean
}

const plain = new Set(["priority", "src", "srclen", "dst", "dstlen", "iif", "table", "action", "suppress_prefixlen"])

const subnet = (address: unknown, length: unknown): Cidr.Cidr | undefined => {
  if (typeof address !== "string" || address === "all") return undefined
  const parsed = Cidr.parseAddress(address)
  return parsed === undefined ? undefined : { ...parsed, length: typeof length === "number" ? length : parsed.length }
}

const optional = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/** Reads what `ip -j rule show` prints. */
export const parse = (output: string, family: 4 | 6): ReadonlyArray<PolicyRule> => {
  const rules = ToolJson.parse(output)
  return (Array.isArray(rules) ? rules.filter(Json.isObject) : []).map((rule) => ({
    family,
    priority: Number(rule["priority"]),
    from: subnet(rule["src"], rule["srclen"]),
    to: subnet(rule["dst"], rule["dstlen"]),
    inLink: optional(rule["iif"]),
    table: optional(rule["table"]),
    action: optional(rule["action"]),
    passedOver: typeof rule["suppress_prefixlen"] === "number" ? rule["suppress_prefixlen"] : -1,
    isUnclear: Object.keys(rule).some((key) => !plain.has(key))
  }))
}

/** All rules of the host, of each family in their order; none where they cannot be asked for. */
export const collect = Effect.fnUntraced(function*() {
  const [v4, v6] = yield* Effect.all([
    Tool.output(["ip", "-j", "rule", "show"]),
    Tool.output(["ip", "-j", "-6", "rule", "show"])
  ], { concurrency: "unbounded" })
  return [...parse(Result.getOrElse(v4, () => ""), 4), ...parse(Result.getOrElse(v6, () => ""), 6)]
})
