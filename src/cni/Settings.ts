/** The fields of the network configuration that are ours: their schema, their defaults and what is wrong with them. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Issue } from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { describe } from "./describe.ts"
import * as GoDuration from "./GoDuration.ts"
import type { Verb } from "./Verb.ts"

// What a person reads after "expected" is the `identifier` of a schema, and the `expected` of a check on it.
const text = Schema.String.annotate({ identifier: "a string" })

const matching = (pattern: RegExp, expected: string) =>
  Schema.String.annotate({ identifier: expected }).check(Schema.isPattern(pattern, { expected }))

const oneOf = <const Values extends ReadonlyArray<string>>(values: Values) =>
  Schema.Literals(values).annotate({ identifier: values.map((value) => JSON.stringify(value)).join(" or ") })

const filled = matching(/^[\s\S]+$/u, "a string that is not empty")

const expectedDuration = "a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"
const duration = Schema.Union([Schema.Literal(0), matching(GoDuration.pattern, expectedDuration)])
  .annotate({ identifier: expectedDuration })

const format = oneOf(["text", "json"])
const netns = oneOf(["host", "container"])
const policy = oneOf(["fail", "ignore"])

const command = Schema.Union([filled, Schema.NonEmptyArray(text)])
  .annotate({ identifier: "a string for \"sh -c\", or a list of strings that starts with the program" })

const hook = Schema.Union([
  filled,
  Schema.Struct({ command, netns: Schema.optionalKey(netns), timeout: Schema.optionalKey(duration) })
]).annotate({ identifier: "a string for \"sh -c\", or an object with \"command\"" })

const hooks = Schema.optionalKey(Schema.Array(hook).annotate({ identifier: "a list of commands" }))

/** Where a syslog daemon listens. */
export const syslogAddress =
  /^(?:\/.*|(?<transport>tcp|udp):\/\/(?<host>\[[\da-fA-F:.]+\]|[^\s/:[\]]+)(?::(?<port>\d{1,5}))?)$/u

/** The codes of the facilities that a program may use. Source: RFC 5424, section 6.2.1. */
export const facilities = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23
}

const facility = oneOf(Object.keys(facilities) as Array<keyof typeof facilities>)

const tag = matching(/^[!-~]{1,48}$/u, "1 to 48 visible ASCII characters")

const sink = Schema.Struct({
  type: oneOf(["file", "syslog", "journald", "stderr"]),
  format: Schema.optionalKey(format),
  path: Schema.optionalKey(filled),
  mode: Schema.optionalKey(matching(/^0?[0-7]{3}$/u, "an octal mode such as \"0640\"")),
  address: Schema.optionalKey(
    matching(syslogAddress, "a path such as \"/dev/log\", \"tcp://host:601\" or \"udp://host:514\"")
  ),
  facility: Schema.optionalKey(facility),
  tag: Schema.optionalKey(tag),
  identifier: Schema.optionalKey(tag)
}).annotate({ identifier: "an object with \"type\"" }).check(
  Schema.makeFilter(({ path, type }) => type !== "file" || path !== undefined, { expected: "a \"path\" for the file" })
)

/** The fields that this plugin reads, as they stand in a network configuration. Other fields are passed over. */
export const schema = Schema.Struct({
  logFile: Schema.optionalKey(filled),
  logFormat: Schema.optionalKey(format),
  logSinks: Schema.optionalKey(Schema.Array(sink).annotate({ identifier: "a list of sinks" })),
  hookADD: hooks,
  hookDEL: hooks,
  hookCHECK: hooks,
  hookGC: hooks,
  hookSTATUS: hooks,
  hookVERSION: hooks,
  label: Schema.optionalKey(text),
  redact: Schema.optionalKey(Schema.Array(text).annotate({ identifier: "a list of keys and JSON Pointers" })),
  logTimeout: Schema.optionalKey(duration),
  onLogFailure: Schema.optionalKey(policy),
  onHookFailure: Schema.optionalKey(policy),
  hookTimeout: Schema.optionalKey(duration),
  hookNetns: Schema.optionalKey(netns)
})

/** How records are written: for people, or one JSON object a line. */
export type Format = typeof format.Type
/** Where a command runs. */
export type Netns = typeof netns.Type
/** What a failure does to the request. */
export type Policy = typeof policy.Type

/** A command to run, with its defaults filled in. */
export interface HookCommand {
  /** A string is for `sh -c`; a list is a program and its arguments. */
  readonly command: string | ReadonlyArray<string>
  readonly netns: Netns
  /** Milliseconds until the command is killed; 0 where it may take as long as it wants. */
  readonly timeout: number
}

/** A file that records are appended to. */
export interface FileTarget {
  readonly type: "file"
  /** The path, with the names of variables still in it. */
  readonly path: string
  readonly format: Format
  /** The permissions of a file that is made; undefined stands for 0600. */
  readonly mode: number | undefined
}

/** A syslog daemon that records are sent to. */
export interface SyslogTarget {
  readonly type: "syslog"
  /** The path of a local socket, or `tcp://host:port`, or `udp://host:port`. */
  readonly address: string
  readonly facility: typeof facility.Type
  /** What the daemon sees as the name of the program. */
  readonly tag: string
  readonly format: Format
}

/** The journal of this host. */
export interface JournaldTarget {
  readonly type: "journald"
  /** What the journal sees as the name of the program. */
  readonly identifier: string
}

/** The stderr of the plugin. */
export interface StderrTarget {
  readonly type: "stderr"
  readonly format: Format
}

/** A place that a configuration names for records. */
export type SinkTarget = FileTarget | SyslogTarget | JournaldTarget | StderrTarget

/** Our fields, with their defaults filled in. */
export interface Settings {
  readonly sinks: ReadonlyArray<SinkTarget>
  readonly hooks: { readonly [verb in Verb]: ReadonlyArray<HookCommand> }
  readonly label: string
  /** Keys and JSON Pointers of values that no log may show. */
  readonly redact: ReadonlyArray<string>
  /** How long the records of a run may wait for sinks, all together, in milliseconds; 0 where there is no limit. */
  readonly logTimeout: number
  readonly onLogFailure: Policy
  readonly onHookFailure: Policy
}

const toMillis = (value: typeof duration.Type): number => (value === 0 ? 0 : GoDuration.toMillis(value))

const targetOf = (item: typeof sink.Type): SinkTarget => {
  const { address = "/dev/log", facility = "daemon", identifier = "cni-passthrough", path = "", type } = item
  switch (type) {
    case "file": {
      const mode = item.mode === undefined ? undefined : Number.parseInt(item.mode, 8)
      return { type, path, format: item.format ?? "text", mode }
    }
    case "syslog":
      return { type, address, facility, tag: item.tag ?? identifier, format: item.format ?? "json" }
    case "journald":
      return { type, identifier }
    case "stderr":
      return { type, format: item.format ?? "text" }
  }
}

const withDefaults = (fields: typeof schema.Type): Settings => {
  const defaults = {
    netns: fields.hookNetns ?? "host",
    timeout: toMillis(fields.hookTimeout ?? "30s")
  }
  const commands = (list: ReadonlyArray<typeof hook.Type> = []): ReadonlyArray<HookCommand> =>
    list.map((item) =>
      typeof item === "string" ? { command: item, ...defaults } : {
        command: item.command,
        netns: item.netns ?? defaults.netns,
        timeout: item.timeout === undefined ? defaults.timeout : toMillis(item.timeout)
      }
    )
  const sinks: Array<SinkTarget> = []
  if (fields.logFile !== undefined) {
    sinks.push({ type: "file", path: fields.logFile, format: fields.logFormat ?? "text", mode: undefined })
  }
  for (const item of fields.logSinks ?? []) sinks.push(targetOf(item))
  return {
    sinks,
    hooks: {
      ADD: commands(fields.hookADD),
      DEL: commands(fields.hookDEL),
      CHECK: commands(fields.hookCHECK),
      GC: commands(fields.hookGC),
      STATUS: commands(fields.hookSTATUS),
      VERSION: commands(fields.hookVERSION)
    },
    label: fields.label ?? "",
    redact: fields.redact ?? [],
    logTimeout: toMillis(fields.logTimeout ?? "2s"),
    onLogFailure: fields.onLogFailure ?? "fail",
    onHookFailure: fields.onHookFailure ?? "ignore"
  }
}

/** A field of ours that cannot be used. */
export interface FieldProblem {
  readonly path: ReadonlyArray<PropertyKey>
  /** Names the field, the value found and what was expected. */
  readonly message: string
}

const expectation = (issue: Issue): string => {
  switch (issue._tag) {
    case "Filter":
      return String(issue.filter.annotations?.["expected"])
    case "InvalidType":
    case "AnyOf":
      return String(issue.ast.annotations?.["identifier"])
    default:
      return "another value"
  }
}

const fieldName = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (name, key) => typeof key === "number" ? `${name}[${key}]` : name === "" ? String(key) : `${name}.${String(key)}`,
    ""
  )

const found = (root: unknown, path: ReadonlyArray<PropertyKey>): string =>
  describe(path.reduce<unknown>((parent, key) => Reflect.get(Object(parent), key), root))

const problemsOf = (issue: Issue, root: object, path: ReadonlyArray<PropertyKey>): ReadonlyArray<FieldProblem> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, root, [...path, ...issue.path])
    case "Composite":
      return issue.issues.flatMap((inner) => problemsOf(inner, root, path))
    case "Encoding":
      return problemsOf(issue.issue, root, path)
    case "AnyOf": {
      // One member fits but for a part of it: that part is what to mend, not the choice.
      const inside = issue.issues.flatMap((inner) => problemsOf(inner, root, path))
      const deeper = inside.filter((problem) => problem.path.length > path.length)
      if (deeper.length > 0) return deeper
      break
    }
  }
  const expected = issue._tag === "MissingKey" ? "a value" : expectation(issue)
  return [{ path, message: `${fieldName(path)}: found ${found(root, path)}, expected ${expected}` }]
}

const decode = SchemaParser.decodeUnknownResult(schema, { errors: "all" })

/** Our settings, as far as they can be used, and all that is wrong with the rest. */
export interface Reading {
  readonly settings: Settings
  readonly problems: ReadonlyArray<FieldProblem>
}

/**
 * Reads our fields out of a network configuration. Fields with problems count as not there, so that a request with
 * a wrong field can still be logged where its other fields say.
 */
export const read = (document: object): Reading => {
  const all = decode(document)
  if (Result.isSuccess(all)) return { settings: withDefaults(all.success), problems: [] }
  const problems = problemsOf(all.failure, document, [])
  const broken = new Set(problems.map((problem) => problem.path[0]))
  const usable: { [field: string]: unknown } = Object.fromEntries(
    Object.entries(document).filter(([field]) => !broken.has(field))
  )
  if (broken.has("logSinks") && Array.isArray(Reflect.get(document, "logSinks"))) {
    const brokenSinks = new Set(problems.filter(({ path }) => path[0] === "logSinks").map(({ path }) => path[1]))
    usable["logSinks"] = Reflect.get(document, "logSinks").filter((_: unknown, index: number) =>
      !brokenSinks.has(index)
    )
  }
  if (broken.has("redact")) usable["redact"] = [""] // what must not be shown is not known: nothing is
  const rest = decode(usable)
  return { settings: withDefaults(Result.isSuccess(rest) ? rest.success : {}), problems }
}

/** The settings of a request without a network configuration. */
export const none: Settings = withDefaults({})
