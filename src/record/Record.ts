/**
 * What is logged: one record for each thing that happened, as plain facts. This schema is the JSON record itself, so
 * what is rendered and what is read are one definition; `config` and `result` are the text of a JSON document, which
 * passes without loss.
 */
import * as Schema from "effect/Schema"

const text = Schema.optionalKey(Schema.String)

/** What all records have: when it happened, and to whom. Members that are empty are left out. */
const common = {
  /** RFC 3339, UTC, milliseconds. */
  time: Schema.String,
  /** Identifies the run of the plugin. */
  invocation: Schema.String,
  /** The invocation of the run around it, for a plugin that another plugin started. */
  parent: text,
  command: text,
  containerId: text,
  ifname: text,
  netns: text,
  network: text,
  cniVersion: text,
  label: text
}

/** How a process ended, and what it wrote: the first part of it, with U+FFFD for bytes that are not UTF-8. */
const ended = {
  exitCode: Schema.NullOr(Schema.Finite),
  signal: Schema.NullOr(Schema.String),
  durationMs: Schema.Finite,
  stderr: Schema.String,
  truncated: Schema.Boolean
}

/** A hook command that ended. Where it could not be started, `exitCode` and `signal` are null and `stderr` says why. */
export const Hook = Schema.Struct({
  command: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  netns: Schema.Literals(["host", "container"]),
  timedOut: Schema.Boolean,
  stdout: Schema.String,
  ...ended
})

/** A plugin that ended. */
export const Plugin = Schema.Struct({
  type: Schema.String,
  /** The file that was started; left out where there is none on the CNI path. */
  file: text,
  /** Left out where its time was not limited. */
  timedOut: Schema.optionalKey(Schema.Boolean),
  /** Left out where the record after it has it as `result` or `error`. */
  stdout: text,
  ...ended
})

/** Why a request failed. A plugin that gave no error document has no `code`. */
export const ErrorDocument = Schema.Struct({
  code: Schema.optionalKey(Schema.Finite),
  msg: Schema.String,
  details: text
})

/** A request came in. The first record of a run. */
export const RequestRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("request"),
  args: text,
  path: text,
  traceparent: text,
  /** The stdin document as JSON text. */
  config: text,
  /** Stdin that is not a JSON object, as text, or in Base64 where it is not UTF-8. */
  stdin: text,
  stdinBase64: text,
  /** What is odd but does not stop the request. */
  warnings: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How many commands will run; left out where the request is refused. JSON records tell it by their `hook` records. */
  hooks: Schema.optionalKey(Schema.Finite)
})

/** A hook command ended. */
export const HookRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("hook"),
  hook: Hook,
  durationMs: Schema.Finite
})

/** A plugin of the chain ended. */
export const PluginRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("plugin"),
  plugin: Plugin,
  durationMs: Schema.Finite
})

/** What is different in one kind of state: one canonical line for each fact. */
const Difference = Schema.Struct({ added: Schema.Array(Schema.String), removed: Schema.Array(Schema.String) })

/** What is different in one network namespace, by the kind of state, such as `links`. Kinds without a difference are left out. */
export const Differences = Schema.Record(Schema.String, Difference)

/** What a plugin changed in the network namespaces of the host and of the container. */
export const Changes = Schema.Struct({
  host: Schema.optionalKey(Differences),
  container: Schema.optionalKey(Differences)
})

/** State was compared before and after a plugin. */
export const ChangesRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("changes"),
  changes: Changes,
  /** What could not be looked at, and why: `nft is not on PATH: nftables are not compared`. */
  notes: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How long both looks took, which is not part of the plugin's own time. */
  durationMs: Schema.Finite
})

/** The request is done. The last record of a run that succeeds, written just before its answer. */
export const ResultRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("result"),
  durationMs: Schema.Finite,
  /** The document that goes to stdout as JSON text; left out where nothing does. */
  result: text
})

/** The request failed. The last record of a run that fails. */
export const ErrorRecord = Schema.Struct({
  ...common,
  event: Schema.Literal("error"),
  error: ErrorDocument,
  durationMs: Schema.Finite
})

/** One record of the log. */
export const Record = Schema.Union([
  RequestRecord,
  HookRecord,
  PluginRecord,
  ChangesRecord,
  ResultRecord,
  ErrorRecord
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
export type Record = typeof Record.Type
