/** The runs of wrapped plugins, as their logs say: which of them covers a moment. */
import * as Effect from "effect/Effect"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import type * as LogFollower from "../log/LogFollower.ts"
import * as Pod from "../operations/Pod.ts"
import type { Record, RequestRecord } from "../record/Record.ts"
import type * as Pending from "./Pending.ts"
import * as PluginRun from "./PluginRun.ts"

interface Run {
  readonly invocation: string
  readonly parent: string | undefined
  readonly began: number
  /** Infinite while it runs. */
  ended: number
  readonly plugin: PluginRun.PluginRun
}

/** How long an ended run is remembered, in milliseconds: longer than it takes to notice a change. */
const memory = 60_000

/** The most runs to remember. A run without an end was killed, or its log was cut. */
const most = 10_000

/** A run without an end counts as running for this long, in milliseconds. */
const longest = 600_000

/** The name of the plugin. The label of a wrapped plugin is its name; a tap has the label that its user gave it. */
const nameOf = ({ config = "", label }: RequestRecord): string | undefined => {
  const type = Json.parse(JsonText.members(config).get("type") ?? "null")
  const own = typeof type === "string" ? type : undefined
  return own === "passthrough" ? own : label ?? own
}

/** Collects runs from log records, to be queried by time. */
export class WrappedRuns implements LogFollower.Consumer<never> {
  private readonly runs = new Map<string, Run>()
  private readonly waiting = new Set<() => void>()
  /** Whether any record was read. */
  private hasRecords = false
  private isOver = false

  add(record: Record, now: number): void {
    this.hasRecords = true
    if (record.event === "request") this.begin(record, now)
    else if (record.event === "result" || record.event === "error") {
      const run = this.runs.get(record.invocation)
      if (run !== undefined) run.ended = Date.parse(record.time)
    }
  }

  private begin(record: RequestRecord, now: number): void {
    const began = Date.parse(record.time)
    // An old log has runs that no query will need.
    if (Number.isNaN(began) || now - began > longest) return
    const { args = "", command, containerId, ifname, invocation, network, parent } = record
    const plugin = nameOf(record)
    this.runs.set(invocation, {
      invocation,
      parent,
      began,
      ended: Number.POSITIVE_INFINITY,
      plugin: PluginRun.make({ plugin, command, network, containerId, ifname, pod: Pod.of(args) })
    })
  }

  /** Called after each look at the logs. */
  due(now: number): ReadonlyArray<never> {
    for (const [invocation, { began, ended }] of this.runs) {
      const isOver = ended < now - memory || began < now - longest || this.runs.size > most
      if (isOver) this.runs.delete(invocation)
    }
    for (const resume of this.waiting) resume()
    this.waiting.clear()
    return []
  }

  rest(): ReadonlyArray<never> {
    return []
  }

  /** No log is followed any more. */
  end(): void {
    this.isOver = true
    this.due(Number.NEGATIVE_INFINITY)
  }

  private readonly nextLook: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.isOver) return resume(Effect.void)
    const listener = () => resume(Effect.void)
    this.waiting.add(listener)
    return Effect.sync(() => void this.waiting.delete(listener))
  })

  /** Waits until what was logged before is known: the look that ends first may have begun earlier. */
  readonly lookedAt: Effect.Effect<void> = Effect.andThen(this.nextLook, this.nextLook)

  /** Whether there is a log at all. Without one, nothing is known about plugins. */
  get isKnown(): boolean {
    return this.hasRecords
  }

  /**
   * The runs that were going on. Of nested runs, the innermost that lasted for the whole time. Taps run no plugin, but
   * their hooks may change things.
   */
  during({ from, to }: Pending.Span): ReadonlyArray<PluginRun.PluginRun> {
    const all = [...this.runs.values()].filter(({ began, ended }) => began <= to && ended >= from)
    const lasting = all.filter(({ began, ended }) => began <= from && ended >= to)
    const around = new Set(lasting.map(({ parent }) => parent))
    const inner = all.filter(({ invocation }) => !around.has(invocation))
    const names = new Set(inner.map(({ invocation }) => invocation))
    return inner.filter(({ parent }) => parent === undefined || !names.has(parent)).map(({ plugin }) => plugin)
  }
}
