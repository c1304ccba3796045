/** Our fields in a network configuration: their schema, their defaults and their problems. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { Verb } from "../cni/Verb.ts"
import * as Field from "../json/Field.ts"
import * as GoDuration from "../json/GoDuration.ts"
import { isObject } from "../json/Json.ts"
import * as SchemaProblem from "../json/SchemaProblem.ts"
import * as RecordText from "../sinks/RecordText.ts"
import * as Registry from "../sinks/Registry.ts"
import type { SinkTarget } from "../sinks/SinkTarget.ts"

const netnsNames = ["host", "container"] as const
const policyNames = ["fail", "ignore"] as const

const netns = () => Field.oneOf(netnsNames)
const policy = () => Field.oneOf(policyNames)

const command = () =>
  Schema.Union([Field.filled(), Schema.TupleWithRest(Schema.Tuple([Field.filled()]), [Field.argument()])])
    .annotate({ identifier: "a string for \"sh -c\", or a list of strings that starts with the program" })

const hook = () =>
  Schema.Union([
    Field.filled(),
    Schema.Struct({
      command: command(),
      netns: Schema.optionalKey(netns()),
      timeout: Schema.optionalKey(Field.duration())
    })
  ]).annotate({ identifier: "a string for \"sh -c\", or an object with \"command\"" })

const hooks = () => Schema.Array(hook()).annotate({ identifier: "a list of commands" })

/** Our fields in a network configuration. All are optional. */
const fields = {
  logFile: Field.filled,
  logFormat: RecordText.format,
  logSinks: () => Schema.Array(Registry.fields()).annotate({ identifier: "a list of sinks" }),
  hookADD: hooks,
  hookDEL: hooks,
  hookCHECK: hooks,
  hookGC: hooks,
  hookSTATUS: hooks,
  hookVERSION: hooks,
  label: Field.text,
  redact: () => Schema.Array(Field.text()).annotate({ identifier: "a list of keys and JSON Pointers" }),
  logTimeout: Field.duration,
  onLogFailure: policy,
  onHookFailure: policy,
  hookTimeout: Field.duration,
  hookNetns: netns
}

type Name = keyof typeof fields

/** The names of our fields. */
export const names = Object.keys(fields) as ReadonlyArray<Name>

/** Returns the schema of some of our fields, or of all by default. It ignores other fields. */
export const schema = (some = names) =>
  Schema.Struct(
    Object.fromEntries(some.map((name) => [name, Schema.optionalKey(fields[name]())])) as {
      readonly [name in Name]: Schema.optionalKey<ReturnType<(typeof fields)[name]>>
    }
  )

type Fields = ReturnType<typeof schema>["Type"]

/** The network namespace of a hook. */
export type Netns = ReturnType<typeof netns>["Type"]
/** Whether a failure fails the request. */
export type Policy = ReturnType<typeof policy>["Type"]

/** A hook with its defaults filled in. */
export interface HookCommand {
  /** A string is for `sh -c`; a list is a program and its arguments. */
  readonly command: ReturnType<typeof command>["Type"]
  readonly netns: Netns
  /** Milliseconds until the hook is killed. 0 means no limit. */
  readonly timeout: number
}

/** Our fields, with their defaults filled in. */
export interface Settings {
  readonly sinks: ReadonlyArray<SinkTarget>
  readonly hooks: { readonly [verb in Verb]: ReadonlyArray<HookCommand> }
  readonly label: string
  /** Keys and JSON Pointers of values that every log must mask. */
  readonly redact: ReadonlyArray<string>
  /** Milliseconds that all records of a run together may wait for sinks. 0 means no limit. */
  readonly logTimeout: number
  readonly onLogFailure: Policy
  readonly onHookFailure: Policy
}

const toMillis = (value: string | 0): number => (value === 0 ? 0 : GoDuration.toMillis(value))

const withDefaults = (fields: Fields): Settings => {
  const defaults = {
    netns: fields.hookNetns ?? "host",
    timeout: toMillis(fields.hookTimeout ?? "30s")
  }
  const commands = (list: ReadonlyArray<ReturnType<typeof hook>["Type"]> = []): ReadonlyArray<HookCommand> =>
    list.map((item) =>
      typeof item === "string" ? { command: item, ...defaults } : {
        command: item.command,
        netns: item.netns ?? defaults.netns,
        timeout: item.timeout === undefined ? defaults.timeout : toMillis(item.timeout)
      }
    )
  const { logFile, logFormat, logSinks = [] } = fields
  const file = logFile === undefined
    ? []
    : [{ type: "file", path: logFile, ...(logFormat === undefined ? {} : { format: logFormat }) } as const]
  return {
    sinks: [...file, ...logSinks].map(Registry.complete),
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

const isText = (value: unknown): value is string => typeof value === "string"
const isFilled = (value: unknown) => isText(value) && value !== "" && !value.includes("\0")
const isDuration = (value: unknown) => value === 0 || (isText(value) && GoDuration.pattern.test(value))
const isOneOf = (names: ReadonlyArray<unknown>) => (value: unknown) => names.includes(value)
const isListOf = (isItem: (item: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(isItem)
const isNever = () => false

/** Whether a value of a field is in its simplest form, which most configurations use. */
const isSimple: { readonly [name in Name]: (value: unknown) => boolean } = {
  logFile: isFilled,
  logFormat: isOneOf(RecordText.formats),
  logSinks: isNever,
  hookADD: isListOf(isFilled),
  hookDEL: isListOf(isFilled),
  hookCHECK: isListOf(isFilled),
  hookGC: isListOf(isFilled),
  hookSTATUS: isListOf(isFilled),
  hookVERSION: isListOf(isFilled),
  label: isText,
  redact: isListOf(isText),
  logTimeout: isDuration,
  onLogFailure: isOneOf(policyNames),
  onHookFailure: isOneOf(policyNames),
  hookTimeout: isDuration,
  hookNetns: isOneOf(netnsNames)
}

/**
 * Reads fields of which all are in their simplest form, and gives undefined for any others. Building and running the
 * schema takes a twelfth of a whole run.
 */
const readSimple = (document: object): Settings | undefined => {
  const ours = names.filter((name) => Object.hasOwn(document, name))
  const values = ours.map((name) => [name, Reflect.get(document, name)] as const)
  return values.every(([name, value]) => isSimple[name](value))
    ? withDefaults(Object.fromEntries(values) as Fields)
    : undefined
}

const decode = (document: object) => {
  const ours = names.filter((name) => Object.hasOwn(document, name))
  return SchemaParser.decodeUnknownResult(schema(ours), { errors: "all" })(document)
}

/** Finds fields that a sink's type does not have. */
const foreignFields = (document: object): ReadonlyArray<SchemaProblem.Problem> => {
  const sinks: unknown = Reflect.get(document, "logSinks")
  if (!Array.isArray(sinks)) return []
  return sinks.flatMap((sink, index) => {
    const own = Registry.fieldNames(isObject(sink) ? sink["type"] : undefined)
    if (own === undefined) return []
    const expected = `no field besides ${own.map((name) => JSON.stringify(name)).join(", ")}`
    return Object.keys(sink).filter((name) => !own.includes(name))
      .map((name) => SchemaProblem.at(document, ["logSinks", index, name], expected))
  })
}

/** The usable settings, and the problems of the rest. */
export interface Reading {
  readonly settings: Settings
  /** The problems of our fields, with their paths in the document. */
  readonly problems: ReadonlyArray<SchemaProblem.Problem>
}

/**
 * Reads our fields from a network configuration. Ignores invalid fields, so that a request with a wrong field can still
 * be logged as its other fields say.
 */
export const read = (document: object): Reading => {
  const simple = readSimple(document)
  return simple === undefined ? readBySchema(document) : { settings: simple, problems: [] }
}

/** Like {@link read}, for values of any form. */
export const readBySchema = (document: object): Reading => {
  const all = decode(document)
  const foreign = foreignFields(document)
  if (Result.isSuccess(all) && foreign.length === 0) return { settings: withDefaults(all.success), problems: [] }
  const problems = [...(Result.isFailure(all) ? SchemaProblem.of(all.failure, document) : []), ...foreign]
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
  if (broken.has("redact")) usable["redact"] = [""] // we do not know which values to mask, so mask everything
  const rest = decode(usable)
  return { settings: withDefaults(Result.isSuccess(rest) ? rest.success : {}), problems }
}
