/** What `watch` reports. This schema is also its JSON, one document a line. */
import * as Schema from "effect/Schema"
import * as Record from "../record/Record.ts"
import * as Author from "./Author.ts"
import * as PluginRun from "./PluginRun.ts"

/** How many things of each sort, such as `rules`, `chains` or `links`, came and went. */
const Totals = Schema.Record(Schema.String, Schema.Struct({ added: Schema.Finite, removed: Schema.Finite }))

/** Facts of the host came or went. */
export const Change = Schema.Struct({
  event: Schema.Literal("change"),
  /** When it was noticed: RFC 3339, in UTC, with milliseconds. */
  time: Schema.String,
  /** The processes that made it. The kernel names them for nftables and iptables-nft only. */
  by: Schema.Array(Author.Author),
  /** Whether only some of these processes may have made it: they changed the same chains within a moment. */
  isOneOf: Schema.Boolean,
  /** The runs of wrapped plugins during which it happened. Undefined if no log of wrapped plugins was found. */
  during: Schema.optionalKey(Schema.Array(PluginRun.PluginRun)),
  /** At most 100 facts of each kind, unless all are asked for. */
  changes: Schema.Struct({ host: Record.Differences }),
  totals: Totals,
  /** The tables of the packet filter that it concerns, such as `inet filter`. */
  tables: Schema.Array(Schema.String)
})

/** Rules came and went, of which only the numbers are known. */
export const Counted = Schema.Struct({
  event: Schema.Literal("counted"),
  time: Schema.String,
  by: Schema.Array(Author.Author),
  during: Schema.optionalKey(Schema.Array(PluginRun.PluginRun)),
  /** Whether the same rules are there as before, at most in another order. Otherwise they could not be compared. */
  isAsBefore: Schema.Boolean,
  /** The chains and sets, and how many rules or elements came and went in each. */
  chains: Schema.Record(Schema.String, Schema.Struct({ added: Schema.Finite, removed: Schema.Finite }))
})

/** Traffic that an attachment was promised, and why it does not arrive. */
export const Flow = Schema.Struct({
  network: Schema.String,
  containerId: Schema.String,
  ifname: Schema.String,
  pod: Schema.optionalKey(Schema.String),
  /** `port 8080/tcp`, `the world`. */
  flow: Schema.String,
  /** The check of doctor that found it, and its message. Left out for what works again. */
  check: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String)
})

/** Living attachments lost traffic, or got it back, by the changes since `since`. */
export const Flows = Schema.Struct({
  event: Schema.Literal("flows"),
  time: Schema.String,
  since: Schema.String,
  cuts: Schema.Array(Flow),
  restores: Schema.Array(Flow)
})

/** Something cannot be seen. */
export const Note = Schema.Struct({
  event: Schema.Literal("note"),
  time: Schema.String,
  message: Schema.String
})

export const Event = Schema.Union([Change, Counted, Flows, Note])

export type Totals = typeof Totals.Type
export type Change = typeof Change.Type
export type Counted = typeof Counted.Type
export type Flow = typeof Flow.Type
export type Flows = typeof Flows.Type
export type Note = typeof Note.Type
export type Event = typeof Event.Type
