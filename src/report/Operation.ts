/**
 * What happened to an attachment, put together from records. Of a record only what is shown is kept: the logs of a node
 * are larger than its memory should have to be.
 */
import type { Ending } from "../exec/Execution.ts"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import type { ErrorDocument, Hook, Plugin, Record, RequestRecord } from "../record/Record.ts"
import * as Summary from "../record/Summary.ts"
import * as Excerpt from "./Excerpt.ts"

/** How much is kept. */
export interface Options {
  /** Whether the configurations are kept, and more than the last lines of what programs wrote. */
  readonly full?: boolean
}

/** What the runs of an operation have in common. */
const names = ["containerId", "command", "ifname", "network", "netns", "args", "path"] as const

/** Whom a run was about, and with what. */
export type Request = { readonly [name in (typeof names)[number]]: string | undefined }

/** A program that ended, with the last lines that it wrote. */
export interface Program extends Ending {
  /** Its command, or its type where it is a plugin. */
  readonly name: string
  /** In milliseconds. */
  readonly durationMs: number
  readonly stdout: Excerpt.Excerpt
  readonly stderr: Excerpt.Excerpt
  /** Whether it wrote more than its record has. */
  readonly truncated: boolean
}

/** How a run ended. */
export interface End {
  /** In milliseconds since 1970; not a number where the record has no date. */
  readonly time: number
  /** In milliseconds. */
  readonly durationMs: number
  /** Undefined where it succeeded. */
  readonly error: ErrorDocument | undefined
}

/** One run of one plugin. */
export interface Step {
  readonly invocation: string
  readonly title: string
  /** Tells one tap of a chain from another. */
  readonly tap: string
  /** When it began, as in the record. */
  readonly time: string
  readonly request: Request
  /** As in the record. */
  readonly label: string | undefined
  readonly hooks: ReadonlyArray<Program>
  /** The plugin that ran; undefined for a tap, which runs none. */
  readonly plugin: Program | undefined
  /** Undefined where there is no record of it, as after a SIGKILL. */
  readonly end: End | undefined
  /** The network configuration as JSON text; only with `full`. */
  readonly config: string | undefined
  /** The result that went in, and the one that came out, as JSON text. */
  readonly before: string | undefined
  readonly result: string | undefined
}

/** One operation on an attachment: the runs of all its plugins, in their order. */
export interface Operation {
  /** When it began, as in the record. */
  readonly time: string
  readonly request: Request
  readonly steps: ReadonlyArray<Step>
}

/** How much of the output of a program is kept. */
const outputLimit = { lines: 12, characters: 4096 }
const fullOutputLimit = { lines: 1000, characters: 65_536 }

/** How many characters of a message are kept. */
const longestMessage = 4096

/** What is known about a run so far: its step, once its request has come. */
interface Run extends Omit<Writable<Step>, "request" | "hooks"> {
  request: Request | undefined
  readonly hooks: Array<Program>
}

type Writable<A> = { -readonly [name in keyof A]: A[name] }

const hasBegun = (run: Run): run is Run & Writable<Step> => run.request !== undefined

const short = (text: string): string => text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}…`

const hasProgramFailed = ({ exitCode }: Program): boolean => exitCode !== 0

/** Whether a run went wrong: it ended with an error, one of its hooks did, or it never ended. */
export const hasStepFailed = ({ end, hooks }: Step): boolean =>
  end === undefined || end.error !== undefined || hooks.some(hasProgramFailed)

/** Whether something in an operation went wrong. */
export const hasFailed = ({ steps }: Operation): boolean => steps.some(hasStepFailed)

/** A text that identifies the attachment of a request. */
export const attachmentOf = ({ containerId, ifname, network }: Request): string =>
  JSON.stringify([network, containerId, ifname])

const byTime = (left: Step, right: Step): number => left.time < right.time ? -1 : left.time > right.time ? 1 : 0

/** A result that is what went in, as that of a tap is, takes no memory once more. */
const keptResult = (result: string | undefined, before: string | undefined): string | undefined =>
  result === undefined ? undefined : result === before ? before : Excerpt.copy(result)

/** Takes records in any order, and puts operations together. */
export class Collector {
  private readonly runs = new Map<string, Run>()
  private readonly texts = new Map<string, string>()
  private readonly requests = new Map<string | undefined, Request>()
  private readonly full: boolean

  constructor({ full = false }: Options = {}) {
    this.full = full
  }

  /** A text that many records have takes memory once. */
  private shared<Text extends string | undefined>(text: Text): Text {
    if (text === undefined) return text
    const known = this.texts.get(text)
    if (known !== undefined) return known as Text
    this.texts.set(text, text)
    return text
  }

  /** The last request of a container, where it is the same: that of the tap before this one mostly is. */
  private requestOf(record: RequestRecord): Request {
    const known = this.requests.get(record.containerId)
    if (known !== undefined && names.every((name) => known[name] === record[name])) return known
    const { args, command, containerId, ifname, netns, network, path } = record
    const request = {
      args,
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
    const { config, label, time } = record
    const member = (name: string) => config === undefined ? undefined : JsonText.member(config, name)
    const type = label === undefined ? Json.parse(member("type") ?? "") : undefined
    const before = member("prevResult")
    run.time = time
    run.label = this.shared(label)
    run.title = this.shared(short(label ?? (typeof type === "string" ? type : "passthrough")))
    run.request = this.requestOf(record)
    run.config = this.full ? config : undefined
    run.before = before === undefined ? undefined : Excerpt.copy(before)
    // One tap of a chain is told from another by its label, and where it has none, by its configuration.
    run.tap = this.shared(
      label ?? JsonText.replace(config ?? "", "null", (at) => at.length === 1 && at[0] === "prevResult")
    )
  }

  private program(name: string, { durationMs, exitCode, signal, stderr, stdout, timedOut, truncated }: Hook | Plugin) {
    const limit = this.full ? fullOutputLimit : outputLimit
    return {
      name: short(name),
      durationMs,
      exitCode,
      signal,
      timedOut: timedOut ?? false,
      truncated,
      stdout: Excerpt.last(stdout ?? "", limit),
      stderr: Excerpt.last(stderr, limit)
    } satisfies Program
  }

  private runOf(invocation: string): Run {
    const known = this.runs.get(invocation)
    if (known !== undefined) return known
    const run: Run = {
      invocation,
      title: "",
      tap: "",
      time: "",
      label: undefined,
      request: undefined,
      hooks: [],
      plugin: undefined,
      end: undefined,
      config: undefined,
      before: undefined,
      result: undefined
    }
    this.runs.set(invocation, run)
    return run
  }

  /** Takes a record. */
  add(record: Record): void {
    const run = this.runOf(record.invocation)
    switch (record.event) {
      case "request":
        if (run.request === undefined) this.begin(run, record)
        break
      case "hook":
        run.hooks.push(this.program(Summary.command(record.hook.command), record.hook))
        break
      case "plugin":
        run.plugin = this.program(record.plugin.type, record.plugin)
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
      }
    }
  }

  /** Forgets the runs of an operation. */
  forget({ steps }: Operation): void {
    for (const { invocation } of steps) this.runs.delete(invocation)
    if (this.runs.size > 0) return
    this.texts.clear()
    this.requests.clear()
  }

  /** All operations so far, in the order of time. */
  operations(): ReadonlyArray<Operation> {
    const found: Array<Operation & { readonly steps: Array<Step> }> = []
    const open = new Map<string, (typeof found)[number]>()
    // Of an operation of many steps, for looking through them again and again would take long.
    const taps = new Map<(typeof found)[number], Set<string>>()
    const tapsOf = (operation: (typeof found)[number]) => {
      const known = taps.get(operation) ?? new Set(operation.steps.map(({ tap }) => tap))
      taps.set(operation, known)
      return known
    }
    for (const step of [...this.runs.values()].filter(hasBegun).sort(byTime)) {
      const attachment = attachmentOf(step.request)
      const current = open.get(attachment)
      const isNext = current !== undefined && current.request.command === step.request.command &&
        !(current.steps.length > 16 ? tapsOf(current).has(step.tap) : current.steps.some(({ tap }) => tap === step.tap))
      // The same tap once more, or another verb: that is another operation.
      if (isNext) {
        current.steps.push(step)
        taps.get(current)?.add(step.tap)
      } else {
        const operation = { time: step.time, request: step.request, steps: [step] }
        found.push(operation)
        open.set(attachment, operation)
      }
    }
    return found
  }
}

/** Groups records into operations, in the order of time. */
export const operations = (records: Iterable<Record>, options?: Options): ReadonlyArray<Operation> => {
  const collector = new Collector(options)
  for (const record of records) collector.add(record)
  return collector.operations()
}
