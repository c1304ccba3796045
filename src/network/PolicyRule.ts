/**
 * Rules that choose the routing table of a packet: reads `ip -j rule`, and lines such as `ip 100: from all lookup 5`.
 */
import * as ToolJson from "../json/ToolJson.ts"
import * as Cidr from "./Cidr.ts"
import { items, optional } from "./Iproute2.ts"
import { firstWords, type Reader } from "./Line.ts"

/** A rule. */
export interface PolicyRule {
  readonly family: 4 | 6
  readonly priority: number
  /** The source and destination of packets; undefined for any. */
  readonly from: Cidr.Cidr | undefined
  readonly to: Cidr.Cidr | undefined
  /** The link that they arrive on. */
  readonly inLink: string | undefined
  readonly table: string | undefined
  /** `blackhole`, `unreachable`, `prohibit`, …; undefined if it looks into the table. */
  readonly action: string | undefined
  /** Routes with a prefix of at most this length are ignored. */
  readonly passedOver: number
  /** Whether it depends on something unknown about a packet, such as its mark. */
  readonly isUnclear: boolean
}

const plain = new Set(["priority", "src", "srclen", "dst", "dstlen", "iif", "table", "action", "suppress_prefixlen"])

const subnet = (address: unknown, length: unknown): Cidr.Cidr | undefined => {
  if (typeof address !== "string" || address === "all") return undefined
  const parsed = Cidr.parseAddress(address)
  return parsed === undefined ? undefined : { ...parsed, length: typeof length === "number" ? length : parsed.length }
}

/** Reads what `ip -j rule show` prints. */
export const parse = (output: string, family: 4 | 6): ReadonlyArray<PolicyRule> =>
  items(ToolJson.parse(output)).map((rule) => ({
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

/** Whether `ip -o rule` printed this line. */
export const isRule = (printed: string): boolean => /^\d+:\t/.test(printed)

/** The line of a rule of a family. */
export const line = (family: string, text: string): string => `${family} ${text}`

export const reader: Reader = {
  identity: (line) => firstWords(line, 2),
  words: (line) => `rule ${line}`
}
