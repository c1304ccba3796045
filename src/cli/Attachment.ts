/** What happened to an attachment, put together from the JSON records of taps. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isObject } from "../cni/isObject.ts"
import * as JsonSource from "./JsonSource.ts"

const Hook = Schema.Struct({
  command: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  exitCode: Schema.NullOr(Schema.Finite),
  signal: Schema.NullOr(Schema.String),
  timedOut: Schema.Boolean,
  durationMs: Schema.Finite,
  stdout: Schema.String,
  stderr: Schema.String
})

/** The parts of a JSON record that are shown. */
export const Entry = Schema.Struct({
  time: Schema.String,
  event: Schema.Literals(["request", "hook", "result", "error"]),
  invocation: Schema.String,
  command: Schema.optionalKey(Schema.String),
  containerId: Schema.optionalKey(Schema.String),
  ifname: Schema.optionalKey(Schema.String),
  netns: Schema.optionalKey(Schema.String),
  network: Schema.optionalKey(Schema.String),
  label: Schema.optionalKey(Schema.String),
  args: Schema.optionalKey(Schema.String),
  path: Schema.optionalKey(Schema.String),
  config: Schema.optionalKey(Schema.Unknown),
  hook: Schema.optionalKey(Hook),
  result: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(
    Schema.Struct({ code: Schema.Finite, msg: Schema.String, details: Schema.optionalKey(Schema.String) })
  ),
  /** What a plugin wrote to stderr, and how it ended; in the records of `run` alone. */
  stderr: Schema.optionalKey(Schema.String),
  exitCode: Schema.optionalKey(Schema.Finite),
  durationMs: Schema.optionalKey(Schema.Finite)
})

/** A JSON record. */
export type Entry = typeof Entry.Type

const decode = Schema.decodeUnknownOption(Entry)

/** The record that a line of a log is; undefined where it is none. */
export const readLine = (line: string): Entry | undefined => Option.getOrUndefined(decode(JsonSource.valueOf(line)))

/** One run of one plugin of the chain. */
export interface Step {
  readonly title: string
  readonly request: Entry
  readonly hooks: ReadonlyArray<typeof Hook.Type>
  /** The record that ended it; undefined where there is none, as after a SIGKILL. */
  readonly end: Entry | undefined
  /** The result that went in, and the one that came out. */
  readonly before: unknown
  readonly after: unknown
}

/** One operation on an attachment: what all of its taps saw, in their order. */
export interface Operation {
  readonly request: Entry
  readonly steps: ReadonlyArray<Step>
}

const member = (value: unknown, key: string): unknown => isObject(value) ? value[key] : undefined

/** Whether something in it went wrong. */
export const hasFailed = (operation: Operation): boolean =>
  operation.steps.some(({ end, hooks }) => end?.event !== "result" || hooks.some(({ exitCode }) => exitCode !== 0))

const stepOf = (entries: ReadonlyArray<Entry>): Step | undefined => {
  const request = entries.find(({ event }) => event === "request")
  if (request === undefined) return undefined
  const end = entries.find(({ event }) => event === "result" || event === "error")
  const before = member(request.config, "prevResult")
  const type = member(request.config, "type")
  return {
    title: request.label ?? (typeof type === "string" ? type : "passthrough"),
    request,
    hooks: entries.flatMap(({ hook }) => hook ?? []),
    end,
    before,
    after: end?.result ?? before
  }
}

/** Tells one tap of a chain from another: by its label, and where it has none, by its configuration. */
const tapOf = ({ config, label }: Entry): string => {
  if (label !== undefined) return label
  return isObject(config) ? JSON.stringify({ ...config, prevResult: undefined }) : ""
}

const byTime = (left: Entry, right: Entry): number => left.time < right.time ? -1 : left.time > right.time ? 1 : 0

/** Groups records into operations, in the order of time. */
export const operations = (entries: Iterable<Entry>): ReadonlyArray<Operation> => {
  const runs = new Map<string, Array<Entry>>()
  for (const entry of entries) {
    const run = runs.get(entry.invocation)
    if (run === undefined) runs.set(entry.invocation, [entry])
    else run.push(entry)
  }
  const steps = [...runs.values()].flatMap((run) => stepOf(run) ?? [])
    .sort((left, right) => byTime(left.request, right.request))

  const found: Array<{ readonly request: Entry; readonly steps: Array<Step>; readonly taps: Set<string> }> = []
  const open = new Map<string, (typeof found)[number]>()
  for (const step of steps) {
    const { command, containerId, ifname, network } = step.request
    const attachment = JSON.stringify([network, containerId, ifname])
    const current = open.get(attachment)
    const tap = tapOf(step.request)
    // The same tap once more, or another verb: that is another operation.
    if (current !== undefined && current.request.command === command && !current.taps.has(tap)) {
      current.steps.push(step)
      current.taps.add(tap)
    } else {
      const operation = { request: step.request, steps: [step], taps: new Set([tap]) }
      found.push(operation)
      open.set(attachment, operation)
    }
  }
  return found
}
