/** Builds operations from records, which may come in any order. */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import type { Hook, Plugin, Record, Removal, RemovalRecord, RequestRecord } from "../record/Record.ts"
import * as Summary from "../record/Summary.ts"
import * as Excerpt from "./Excerpt.ts"
import { InterruptedChains } from "./InterruptedChains.ts"
import { Leftovers } from "./Leftovers.ts"
import * as Nesting from "./Nesting.ts"
import * as Operation from "./Operation.ts"
import * as StateChanges from "./StateChanges.ts"

/** How much is kept. */
export interface Options {
  /** Whether to keep configurations, and more than the last lines of programs' output. */
  readonly full?: boolean
}

/** How much of a program's output is kept. */
const outputLimit = { lines: 12, characters: 4096 }
const fullOutputLimit = { lines: 1000, characters: 65_536 }

/** The longest output that is kept whole for comparison, and the limit for all of them together, in characters. */
const wholeLimit = { each: 65_536, all: 8 * 1_048_576 }

/** How many characters of a message are kept. */
const longestMessage = 4096

/** What is known about a run so far: a complete step once its request has arrived. */
interface Run extends Omit<Writable<Operation.Step>, "request" | "hooks" | "removed"> {
  request: Operation.Request | undefined
  /** The `type` in its configuration. A plugin that another plugin started may have its starter's type here. */
  type: string | undefined
  readonly hooks: Array<Operation.Program>
  readonly removed: Array<Removal>
}

type Writable<A> = { -readonly [name in keyof A]: A[name] }

/** A run whose request has arrived. */
type Begun = Run & Writable<Operation.Step>

const hasBegun = (run: Run): run is Begun => run.request !== undefined

const short = (text: string): string => text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}…`

/** The command that removes what containers that are gone left behind. */
const remover = "leaks"

const byTime = (left: { readonly time: string }, right: { readonly time: string }): number =>
  left.time < right.time ? -1 : left.time > right.time ? 1 : 0

/** A result equal to the one that went in, such as a tap's, shares its memory. */
const keptResult = (result: string | undefined, before: string | undefined): string | undefined =>
  result === undefined ? undefined : result === before ? before : Excerpt.copy(result)

const none: ReadonlyArray<Begun> = []

/** Configuration members that differ from call to call. */
const fleeting = new Set(["prevResult", "runtimeConfig"])

const withoutFleeting = (members: ReadonlyMap<string, string>): string =>
  [...members].flatMap(([name, text]) => fleeting.has(name) ? [] : `${name}:${text}`).join()

/**
 * Display name. The label of a plugin is its type, or usually begins with it. A label that does not is the same for all
 * plugins of a host, so the type says more.
 */
const titleOf = ({ label, plugin, type }: Run): string =>
  plugin === undefined || plugin.name === "passthrough" || label?.startsWith(plugin.name) === true
    ? short(label ?? type ?? "passthrough")
    : plugin.name

/** The verbs in which a runtime starts no other plugin after a failure. During cleanup it may. */
const endedByFailure = new Set<string | undefined>(["ADD", "CHECK", "STATUS"])

/**
 * Whether `next` may belong to the same operation as `last`. In an ADD, the runtime passes each result to the next
 * plugin.
 */
const canFollow = (last: Begun, next: Begun): boolean => {
  const { command } = next.request
  if (last.request.command !== command) return false
  if (endedByFailure.has(command) && last.end !== undefined && Operation.hasEndedBadly(last)) return false
  const hasNothing = next.before === undefined && next.type !== undefined
  return command !== "ADD" || last.result === undefined || !hasNothing
}

/** Takes records in any order, and builds operations from them. */
export class Collector {
  private readonly runs = new Map<string, Run>()
  private readonly texts = new Map<string, string>()
  private readonly wholes = new Map<string, string>()
  private wholeLength = 0
  private readonly requests = new Map<string | undefined, Operation.Request>()
  private readonly stops = new InterruptedChains()
  private readonly leftovers = new Leftovers()
  private readonly full: boolean

  constructor({ full = false }: Options = {}) {
    this.full = full
  }

  /** Stores a text that many records repeat only once. */
  private shared<Text extends string | undefined>(text: Text): Text {
    if (text === undefined) return text
    const known = this.texts.get(text)
    if (known !== undefined) return known as Text
    this.texts.set(text, text)
    return text
  }

  /** A whole output for comparison; undefined if it is too long, or all of them together would be. */
  private whole(text: string): string | undefined {
    if (text.length > wholeLimit.each) return undefined
    const known = this.wholes.get(text)
    if (known !== undefined || this.wholeLength + text.length > wholeLimit.all) return known
    this.wholeLength += text.length
    this.wholes.set(text, text)
    return text
  }

  /** The request of a record. Equal requests of a container share one object: consecutive taps mostly have the same. */
  private requestOf(record: Partial<Operation.Request>): Operation.Request {
    const known = this.requests.get(record.containerId)
    if (known !== undefined && Operation.names.every((name) => known[name] === record[name])) return known
    const { args, cniVersion, command, containerId, ifname, netns, network, path } = record
    const request = {
      args,
      cniVersion: this.shared(cniVersion),
      command: this.shared(command),
      containerId,
      ifname: this.shared(ifname),
      netns,
      network: this.shared(network),
      path: this.shared(path)
    }
    this.requests.set(containerId, request)
    return request
  }

  private begin(run: Run, record: RequestRecord): void {
    const { config, label, parent, time, traceparent, tracestate } = record
    const members = JsonText.members(config ?? "")
    const quoted = members.get("type")
    const type = quoted === undefined ? undefined : Json.parse(quoted)
    const before = members.get("prevResult")
    run.time = time
    run.parent = parent
    run.label = this.shared(label)
    run.traceparent = this.shared(traceparent)
    run.tracestate = this.shared(tracestate)
    run.type = typeof type === "string" ? this.shared(short(type)) : undefined
    run.request = this.requestOf(record)
    run.config = this.full ? config : undefined
    run.before = before === undefined ? undefined : Excerpt.copy(before)
    // The label distinguishes the taps of a chain; without one, the configuration does. A plugin's label is its type,
    // which a chain may contain twice.
    const isTap = run.type === undefined || run.type === "passthrough"
    run.identity = this.shared(isTap && label !== undefined ? label : `${label ?? ""} ${withoutFleeting(members)}`)
  }

  private program(name: string, file: string | undefined, time: string, ended: Hook | Plugin): Operation.Program {
    const { durationMs, exitCode, signal, stderr, stdout = "", timedOut = false, truncated } = ended
    const limit = this.full ? fullOutputLimit : outputLimit
    return {
      name: this.shared(short(name)),
      file: this.shared(file),
      time,
      durationMs,
      exitCode,
      signal,
      timedOut,
      truncated,
      stdout: Excerpt.last(stdout, limit),
      stderr: Excerpt.last(stderr, limit),
      whole: this.whole(stdout)
    }
  }

  private runOf(invocation: string): Run {
    const known = this.runs.get(invocation)
    if (known !== undefined) return known
    const run: Run = {
      invocation,
      parent: undefined,
      title: "",
      type: undefined,
      identity: "",
      isTap: false,
      hasOwnConfig: false,
      time: "",
      label: undefined,
      traceparent: undefined,
      tracestate: undefined,
      request: undefined,
      hooks: [],
      plugin: undefined,
      changes: undefined,
      end: undefined,
      config: undefined,
      before: undefined,
      result: undefined,
      removed: [],
      nested: none
    }
    this.runs.set(invocation, run)
    return run
  }

  private remove(run: Run, { containerId, durationMs, ifname, network, removal, time }: RemovalRecord): void {
    if (run.request === undefined) {
      run.time = time
      run.type = remover
      run.identity = remover
      // No runtime asked for it, so its command is not a CNI verb.
      run.request = this.requestOf({ command: remover, containerId, ifname, network })
    }
    const { kind, reason, text } = removal
    run.removed.push({ kind: this.shared(short(kind)), text: short(text), reason: this.shared(short(reason)) })
    run.end = { time: Date.parse(time), durationMs: (run.end?.durationMs ?? 0) + durationMs, error: undefined }
  }

  add(record: Record): void {
    const run = this.runOf(record.invocation)
    switch (record.event) {
      case "request":
        if (run.request === undefined) this.begin(run, record)
        break
      case "hook":
        run.hooks.push(this.program(Summary.command(record.hook.command), undefined, record.time, record.hook))
        break
      case "plugin":
        run.plugin = this.program(record.plugin.type, record.plugin.file, record.time, record.plugin)
        break
      case "changes":
        run.changes = JSON.stringify(StateChanges.bounded(record, this.full))
        break
      case "result":
        run.result = keptResult(record.result, run.before)
        run.end = { time: Date.parse(record.time), durationMs: record.durationMs, error: undefined }
        break
      case "error": {
        const { code, details, msg } = record.error
        run.end = {
          time: Date.parse(record.time),
          durationMs: record.durationMs,
          error: {
            ...(code === undefined ? {} : { code }),
            msg: short(msg),
            ...(details === undefined ? {} : { details: short(details) })
          }
        }
        break
      }
      case "removal":
        this.remove(run, record)
    }
  }

  /** Forgets the runs of an operation, but keeps what it shows about its network. */
  forget(operation: Operation.Operation): void {
    this.stops.remember(operation)
    this.leftovers.remember(operation)
    for (const { invocation } of Operation.runsOf(operation.steps)) this.runs.delete(invocation)
    if (this.runs.size > 0) return
    this.texts.clear()
    this.wholes.clear()
    this.wholeLength = 0
    this.requests.clear()
  }

  /**
   * All runs so far that no other run contains, in the order of time. The others are nested in the runs that contain
   * them.
   */
  private chained(): ReadonlyArray<Begun> {
    const runs = [...this.runs.values()].filter(hasBegun).sort(byTime)
    const starter = ({ parent }: Begun): Begun | undefined => {
      const run = parent === undefined ? undefined : this.runs.get(parent)
      return run !== undefined && hasBegun(run) ? run : undefined
    }
    const home = Nesting.homes(runs.filter(({ parent }) => parent !== undefined), starter)
    const inside = new Map<Begun, Array<Begun>>()
    const chained = runs.filter((run) => {
      const around = home(run)
      if (around === undefined) return true
      const others = inside.get(around)
      if (others === undefined) inside.set(around, [run])
      else others.push(run)
      return false
    })
    for (const run of runs) {
      run.title = titleOf(run)
      run.isTap = run.plugin === undefined && (run.type === undefined || run.type === "passthrough")
      run.hasOwnConfig = run.type === (run.plugin?.name ?? run.label)
      run.nested = inside.get(run) ?? none
      run.hooks.sort(byTime)
    }
    return chained
  }

  /** All operations so far, in the order of time. */
  operations(): ReadonlyArray<Operation.Operation> {
    const found: Array<Omit<Operation.Operation, "steps"> & { readonly steps: Array<Begun> }> = []
    const open = new Map<string, (typeof found)[number]>()
    // Used only for operations of many steps, where searching the steps again and again would be slow.
    const identities = new Map<(typeof found)[number], Set<string>>()
    const identitiesOf = (operation: (typeof found)[number]) => {
      const known = identities.get(operation) ?? new Set(operation.steps.map(({ identity }) => identity))
      identities.set(operation, known)
      return known
    }
    for (const step of this.chained()) {
      // Attempts in different namespaces may share one ID.
      const attempt = `${Operation.attachmentOf(step.request)} ${step.request.netns}`
      const current = open.get(attempt)
      const last = current?.steps.at(-1)
      const isNext = current !== undefined && last !== undefined && canFollow(last, step) &&
        !(current.steps.length > 16
          ? identitiesOf(current).has(step.identity)
          : current.steps.some(({ identity }) => identity === step.identity))
      // A repeated tap or plugin, or another verb, begins another operation.
      if (isNext) {
        current.steps.push(step)
        identities.get(current)?.add(step.identity)
      } else {
        const { request, time } = step
        const operation = {
          time,
          request,
          steps: [step],
          stoppedIn: undefined,
          addStoppedIn: undefined,
          leftovers: () => []
        }
        found.push(operation)
        open.set(attempt, operation)
      }
    }
    return this.leftovers.find(this.stops.find(found))
  }
}

/** Groups records into operations, in the order of time. */
export const operations = (records: Iterable<Record>, options?: Options): ReadonlyArray<Operation.Operation> => {
  const collector = new Collector(options)
  for (const record of records) collector.add(record)
  return collector.operations()
}
