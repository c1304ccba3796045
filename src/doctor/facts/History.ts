/** What logs say about the attachments of a network: each operation, its outcome, and the input of its plugins. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { isObject } from "../../json/Json.ts"
import * as Json from "../../json/Json.ts"
import * as JsonText from "../../json/JsonText.ts"
import { Unreadable } from "../../log/LogError.ts"
import * as LogFiles from "../../log/LogFiles.ts"
import * as RecordLog from "../../log/RecordLog.ts"
import * as Collector from "../../operations/Collector.ts"
import * as Operation from "../../operations/Operation.ts"
import * as Pod from "../../operations/Pod.ts"
import * as View from "../../operations/View.ts"
import type * as ViewStep from "../../operations/ViewStep.ts"
import type { Record } from "../../record/Record.ts"
import * as Trial from "./Trial.ts"

/** One operation of a log. */
export interface LoggedOperation {
  readonly network: string
  readonly verb: string
  /** When it began: RFC 3339. */
  readonly time: string
  readonly containerId: string
  readonly ifname: string
  readonly netns: string
  /** The pod in CNI_ARGS. */
  readonly pod: string | undefined
  /** `open`: it has no end, and may still be running. */
  readonly end: "well" | "badly" | "open"
  /** What failed, in one line that begins with the plugin: `host-local in bridge: code 11: no addresses`. */
  readonly failure: string
  /** What the plugin that failed wrote to stderr. */
  readonly stderr: ReadonlyArray<string>
  /** What its plugins received, in words: `the plugin bridge`, `prevResult`. */
  readonly given: ReadonlySet<string>
}

/** Operations in chronological order. */
export interface History {
  readonly operations: ReadonlyArray<LoggedOperation>
  /** Paths of network namespaces that no longer exist. */
  readonly gone: ReadonlySet<string>
  /** The logs that were read, which may be patterns. */
  readonly logs: ReadonlyArray<string>
}

/** How long an operation without an end counts as running, in milliseconds. */
const patience = 30_000

/** The names of the arguments of capabilities in the configuration of a request. */
const capabilitiesOf = (config: string): ReadonlyArray<string> => {
  if (!config.includes("\"runtimeConfig\"")) return []
  const value = Json.parse(JsonText.member(config, "runtimeConfig") ?? "")
  return isObject(value) ? Object.keys(value) : []
}

const givenTo = (
  { request, steps }: Operation.Operation,
  capabilities: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlySet<string> =>
  new Set([
    ...steps.map(({ title }) => `the plugin ${title}`),
    ...steps.flatMap(({ invocation }) => capabilities.get(invocation) ?? []).map((name) => `the capability ${name}`),
    ...(request.args ?? "").split(";").filter((pair) => pair.includes("=")).map((pair) =>
      `${pair.split("=")[0]} of CNI_ARGS`
    ),
    ...(request.netns ? ["CNI_NETNS"] : []),
    // The first plugin of an ADD receives no prevResult. A DEL receives the result of all of them.
    ...(request.command !== "DEL" || steps.some(({ before }) => before !== undefined) ? ["prevResult"] : [])
  ])

/** The last lines that a step which failed wrote to stderr. */
const stderrOf = (steps: ReadonlyArray<ViewStep.Step>): ReadonlyArray<string> => {
  const failed = steps.find(({ state }) => state === "failed" || state === "unfinished")
  if (failed === undefined) return []
  const inner = stderrOf(failed.nested)
  return inner.length > 0 ? inner : failed.plugin?.stderr.lines.slice(-5) ?? []
}

const pastsOf = (
  operation: Operation.Operation,
  capabilities: ReadonlyMap<string, ReadonlyArray<string>>,
  now: number
): ReadonlyArray<LoggedOperation> => {
  const { addStoppedIn, request, steps, stoppedIn, time } = operation
  const { command = "", containerId = "", ifname = "", netns = "", network = "" } = request
  const base = { network, time, containerId, ifname, netns, pod: Pod.of(request.args ?? ""), stderr: [], failure: "" }
  // A failed hook, or a failed plugin inside one that carried on, is not a failure for the runtime.
  const hasFailed = stoppedIn !== undefined || steps.some(Operation.hasEndedBadly)
  const isOpen = steps.every(({ end }) => end?.error === undefined) && steps.some(({ end }) => end === undefined) &&
    now - Date.parse(time) < patience
  const view = hasFailed ? View.make(operation) : undefined
  const own: LoggedOperation = {
    ...base,
    verb: command,
    end: isOpen ? "open" : hasFailed ? "badly" : "well",
    failure: view?.failure ?? "",
    stderr: view === undefined ? [] : stderrOf(view.steps),
    given: givenTo(operation, capabilities)
  }
  const unseen: LoggedOperation = {
    ...base,
    verb: "ADD",
    end: "badly",
    failure: `${addStoppedIn} failed`,
    given: new Set()
  }
  return addStoppedIn === undefined ? [own] : [unseen, own]
}

/** Reads logs, which may be patterns, and keeps the operations of one network, or of all. Fails like `show`. */
export const read = Effect.fnUntraced(function*(logs: ReadonlyArray<string>, network: string | undefined) {
  const isAsked = (each: { readonly network?: string | undefined }) => network === undefined || each.network === network
  const fs = yield* FileSystem.FileSystem
  const now = yield* Clock.currentTimeMillis
  const collector = new Collector.Collector()
  const capabilities = new Map<string, ReadonlyArray<string>>()
  const take = (record: Record) => {
    collector.add(record)
    if (record.event !== "request" || !isAsked(record)) return
    const names = capabilitiesOf(record.config ?? "")
    if (names.length > 0) capabilities.set(record.invocation, names)
  }
  const files = yield* LogFiles.resolve(logs)
  for (const file of files) {
    const kind = yield* LogFiles.kindOf(file)
    // A pipe of the command line itself has a writer.
    if (kind === "File" || (kind === "FIFO" && /^\/(?:dev|proc)\//.test(file))) continue
    return yield* new Unreadable({ name: file, cause: new Error("it has no end, expected a regular file") })
  }
  const skipped = yield* Effect.forEach(files, (file) => RecordLog.readFile(file, take))
  const foreign = skipped.filter((each) => each.isForeign())
  if (foreign[0] !== undefined && foreign.length === skipped.length) {
    return yield* foreign[0].error()
  }
  const operations = collector.operations()
    .filter(({ request }) =>
      isAsked(request) && request.command !== "VERSION" &&
      request.containerId?.startsWith(Trial.prefix) !== true
    )
    .flatMap((operation) => pastsOf(operation, capabilities, now))
  // A process ID may belong to another process now.
  const paths = new Set(operations.map(({ netns }) => netns).filter((path) => /^\/(?!proc\/)/.test(path)))
  const gone = yield* Effect.filter(
    [...paths],
    (path) =>
      Effect.match(fs.stat(path), { onSuccess: () => false, onFailure: ({ reason }) => reason._tag === "NotFound" }),
    { concurrency: 16 }
  )
  return { operations, gone: new Set(gone), logs } satisfies History
})
