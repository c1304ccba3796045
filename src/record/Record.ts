/**
 * The log records: one for each event. This schema is also the JSON format, so writing and reading share one
 * definition. `config` and `result` hold the text of a JSON document, which passes without loss.
 */
import * as Schema from "effect/Schema"

const text = Schema.optionalKey(Schema.String)

/** The members of all records. Empty members are left out. */
const common = {
  /** When the event happened: RFC 3339, in UTC, with milliseconds. */
  time: Schema.String,
  /** Identifies the run of the plugin. */
  invocation: Schema.String,
  /** The `invocation` of the enclosing run, if another plugin started this one. */
  parent: text,
  command: text,
  containerId: text,
  ifname: text,
  netns: text,
  network: text,
  cniVersion: text,
  label: text
}

/** How a process ended, and the first part of its output. Bytes that are not UTF-8 become U+FFFD. */
const ended = {
  exitCode: Schema.NullOr(Schema.Finite),
  signal: Schema.NullOr(Schema.String),
  durationMs: Schema.Finite,
  stderr: Schema.String,
  truncated: Schema.Boolean
}

/** A hook that ended. If it could not be started, `exitCode` and `signal` are null and `stderr` has the reason. */
export const Hook = Schema.Struct({
  command: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  netns: Schema.Literals(["host", "container"]),
  timedOut: Schema.Boolean,
  stdout: Schema.String,
  ...ended
})

/** A plugin that ended. If it could not be started, `exitCode` and `signal` are null. */
export const Plugin = Schema.Struct({
  type: Schema.String,
  /** The file that was started. Left out if the CNI path has no such plugin. */
  file: text,
  /** Left out if the plugin had no timeout. */
  timedOut: Schema.optionalKey(Schema.Boolean),
  /** Left out if the `result` or `error` of the next record has it. */
  stdout: text,
  ...ended
})

/** Why a request failed. Has no `code` if the plugin gave none. Source: CNI specification, section 5, "Error". */
export const ErrorDocument = Schema.Struct({
  code: Schema.optionalKey(Schema.Finite),
  msg: Schema.String,
  details: text
})

/** A request arrived. The first record of a run. */
export const RequestRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("request"),
  args: text,
  path: text,
  traceparent: text,
  tracestate: text,
  baggage: text,
  /** The configuration from stdin as JSON text. */
  config: text,
  /** Stdin that is not a JSON object: as text or, if it is not UTF-8, as Base64 in `stdinBase64`. */
  stdin: text,
  stdinBase64: text,
  /** Problems that do not stop the request. */
  warnings: Schema.optionalKey(Schema.Array(Schema.String)),
  /**
   * How many hooks will run. Left out if the request is refused. JSON records omit it, because their `hook` records
   * show it.
   */
  hooks: Schema.optionalKey(Schema.Finite)
})

/** A hook ended. */
export const HookRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("hook"),
  hook: Hook,
  durationMs: Schema.Finite
})

/** A plugin ended. */
export const PluginRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("plugin"),
  plugin: Plugin,
  durationMs: Schema.Finite
})

/** The facts of one kind that a plugin added and removed, each as one canonical line. */
const Difference = Schema.Struct({ added: Schema.Array(Schema.String), removed: Schema.Array(Schema.String) })

/**
 * The differences in one network namespace, by kind of state, such as `links`. Kinds without differences are left out.
 */
export const Differences = Schema.Record(Schema.String, Difference)

/** What a plugin changed in the network namespaces of the host and of the container. */
export const Changes = Schema.Struct({
  host: Schema.optionalKey(Differences),
  container: Schema.optionalKey(Differences)
})

/** The state before and after a plugin was compared. */
export const ChangesRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("changes"),
  changes: Changes,
  /** What could not be compared, and why: `nft is not on PATH: nftables are not compared`. */
  notes: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How long both snapshots took. The plugin's own duration does not include it. */
  durationMs: Schema.Finite
})

/** The request succeeded. The last record of a run, written just before the answer. */
export const ResultRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("result"),
  durationMs: Schema.Finite,
  /** The result on stdout as JSON text. Left out if the operation has none. */
  result: text
})

/** The request failed. The last record of a run. */
export const ErrorRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("error"),
  error: ErrorDocument,
  durationMs: Schema.Finite
})

/** Something that a container left behind, and the evidence that the container is gone. */
export const Removal = Schema.Struct({
  /** `reservation`, `result`, `link`, `rule` or `chain`. */
  kind: Schema.String,
  text: Schema.String,
  reason: Schema.String
})

/** A leftover of a container that is gone was removed. No plugin ran: `leaks` writes this record, without a request. */
export const RemovalRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("removal"),
  removal: Removal,
  durationMs: Schema.Finite
})

/** A log record. */
export const Record = Schema.Union([
  RequestRecord,
  HookRecord,
  PluginRecord,
  ChangesRecord,
  ResultRecord,
  ErrorRecord,
  RemovalRecord
])

export type Hook = typeof Hook.Type
export type Plugin = typeof Plugin.Type
export type ErrorDocument = typeof ErrorDocument.Type
export type RequestRecord = typeof RequestRecord.Type
export type HookRecord = typeof HookRecord.Type
export type PluginRecord = typeof PluginRecord.Type
export type Differences = typeof Differences.Type
export type Changes = typeof Changes.Type
export type ChangesRecord = typeof ChangesRecord.Type
export type ResultRecord = typeof ResultRecord.Type
export type ErrorRecord = typeof ErrorRecord.Type
export type Removal = typeof Removal.Type
export type RemovalRecord = typeof RemovalRecord.Type
export type Record = typeof Record.Type
