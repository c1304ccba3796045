/**
 * An operation as spans of OpenTelemetry: one for the operation, and below it one for each plugin, with those that it
 * started. Hooks and changes are events.
 */
import * as OtlpResource from "effect/observability/OtlpResource"
import type * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Operation from "../operations/Operation.ts"
import * as Pod from "../operations/Pod.ts"
import * as RootCause from "../operations/RootCause.ts"
import type * as StateChanges from "../operations/StateChanges.ts"
import * as View from "../operations/View.ts"
import type * as ViewStep from "../operations/ViewStep.ts"
import * as Summary from "../record/Summary.ts"
import * as Identity from "./Identity.ts"

/** A span in the form of OTLP. */
export type Span = OtlpTracer.ScopeSpan["spans"][number] & { readonly traceState?: string }

type Event = Span["events"][number]

/** The numbers of OTLP. */
const internal = 1
const statusCode = { unset: 0, error: 2 } as const

/** The most characters of a text, and the most changes of a run, that a span has. */
const longest = 4096
const mostChanges = 100

/** The latest time that 63 bits of nanoseconds hold, in milliseconds. */
const latest = 9_000_000_000_000

/** Milliseconds since 1970 as nanoseconds. A record may have any date, or none. */
const nanoseconds = (time: number): string => {
  const milliseconds = Math.trunc(Math.min(Math.max(time, 0), latest))
  return milliseconds > 0 ? `${milliseconds}000000` : "0"
}

const short = (text: string): string => text.length <= longest ? text : `${text.slice(0, longest)}…`

type Value = string | number | ReadonlyArray<string> | null | undefined

/** The attributes that have a value. */
const attributes = (values: { readonly [name: string]: Value }): Span["attributes"] =>
  OtlpResource.entriesToAttributes(
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([name, value]) => [name, typeof value === "string" ? short(value) : value])
  )

const event = (name: string, time: string | undefined, values: { readonly [name: string]: Value }): Event => ({
  name,
  timeUnixNano: nanoseconds(Date.parse(time ?? "")),
  attributes: attributes(values),
  droppedAttributesCount: 0
})

/** What a request was for. */
const requested = ({ args = "", cniVersion, command, containerId, ifname, network }: Operation.Request) => ({
  "container.id": containerId,
  "k8s.namespace.name": Pod.argument(args, "K8S_POD_NAMESPACE"),
  "k8s.pod.name": Pod.argument(args, "K8S_POD_NAME"),
  "k8s.pod.uid": Pod.argument(args, "K8S_POD_UID"),
  "cni.command": command,
  "cni.network": network,
  "cni.ifname": ifname,
  "cni.version": cniVersion
})

/** What OpenTelemetry takes for errors that have no type. */
const otherError = "_OTHER"

const errorTypeOf = ({ end, plugin }: Operation.Step): string =>
  end?.error?.code !== undefined ? String(end.error.code) : plugin?.signal ?? otherError

/** Why a run failed, in the words of its plugin. */
const wordsOf = ({ end, plugin }: Operation.Step): string => {
  if (end === undefined) return "was killed, or is still running"
  if (end.error === undefined) return plugin === undefined ? "" : Summary.ending(plugin)
  const { code, details, msg } = end.error
  const lastWords = code === undefined ? plugin?.stderr.lines.at(-1)?.trim() : undefined
  return [msg, details, lastWords].filter(Boolean).join("; ")
}

const failed = (message: string | undefined): Span["status"] => ({
  code: statusCode.error,
  ...(message === undefined || message === "" ? {} : { message: short(message) })
})

const signs = { added: "+", removed: "-", changed: "~" } as const

/** The hooks of a run, and what it changed. */
const eventsOf = (step: Operation.Step, shown: ViewStep.Step | undefined): Array<Event> => {
  const hooks = step.hooks.map((hook) =>
    event("hook", hook.time, {
      "process.command_line": hook.name,
      "process.exit.code": hook.exitCode,
      "cni.hook.duration_ms": hook.durationMs,
      "cni.hook.failure": Operation.hasProgramFailed(hook) ? Summary.ending(hook) : undefined
    })
  )
  if (step.changes === undefined) return hooks
  const { time } = JSON.parse(step.changes) as StateChanges.Found
  const changes = (shown?.stateChanges ?? []).filter(({ whose }) => whose !== "others")
  const lines = changes.slice(0, mostChanges).map(({ kind, what }) => short(`${signs[kind]} ${what}`))
  const more = changes.length - lines.length
  return [
    event("changes", time, {
      "cni.changes": more > 0 ? [...lines, `and ${more} more`] : lines,
      "cni.changes.notes": shown?.notes.length === 0 ? undefined : shown?.notes
    }),
    ...hooks
  ]
}

/** When the last thing that is known of a run happened, in milliseconds since 1970. */
const endOf = ({ end, hooks, nested, plugin, time }: Operation.Step): number =>
  end !== undefined && !Number.isNaN(end.time)
    ? end.time
    : Math.max(
      ...[time, plugin?.time, ...hooks.map((hook) => hook.time)].map((each) => Date.parse(each ?? "") || 0),
      ...nested.map(endOf)
    )

/** VERSION requests inside another operation: plugins send these all the time. */
const isSmallTalk = (step: Operation.Step, around: string | undefined): boolean =>
  step.request.command === "VERSION" && around !== "VERSION" && !Operation.hasStepFailed(step)

/** The steps of an operation as they are shown, by their runs. */
const shownByRun = (steps: Iterable<ViewStep.Step>, found = new Map<string, ViewStep.Step>()) => {
  for (const step of steps) {
    if (step.invocation !== undefined) found.set(step.invocation, step)
    shownByRun(step.nested, found)
  }
  return found
}

/** The display name of an operation: `ADD eth0 on pods`. */
const nameOf = ({ command, ifname, network }: Operation.Request): string =>
  Summary.operation({ command, ifname, network }) || "operation"

/** The spans of an operation, the outermost first. */
export const of = (operation: Operation.Operation): ReadonlyArray<Span> => {
  const { request, steps } = operation
  const { parentSpanId, traceId, traceState } = Identity.placeOf(operation)
  const parts = View.parts(operation)
  const shown = shownByRun(parts.flat())
  const own = Identity.beside(traceId, steps[0]?.invocation, "operation")
  const begin = Date.parse(operation.time)
  const spans: Array<Span> = []

  const add = (
    span: Pick<Span, "name" | "spanId" | "parentSpanId" | "attributes" | "status"> & {
      readonly events?: Array<Event>
      readonly start: number
      readonly end: number
    }
  ): void => {
    const { end, events = [], start, ...rest } = span
    spans.push({
      ...rest,
      traceId,
      ...(traceState === undefined ? {} : { traceState: short(traceState) }),
      kind: internal,
      startTimeUnixNano: nanoseconds(start),
      endTimeUnixNano: nanoseconds(Math.max(start, end)),
      droppedAttributesCount: 0,
      events,
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0
    })
  }

  const addStep = (step: Operation.Step, parent: string, around: string | undefined): void => {
    if (isSmallTalk(step, around)) return
    const spanId = Identity.ofRun(step.invocation)
    const isBad = Operation.hasEndedBadly(step)
    add({
      name: step.title,
      spanId,
      parentSpanId: parent,
      start: Date.parse(step.time),
      end: endOf(step),
      attributes: attributes({
        ...requested(step.request),
        "cni.plugin": Operation.typeOf(step),
        "process.executable.path": step.plugin?.file,
        "process.exit.code": step.plugin?.exitCode,
        "error.type": isBad ? errorTypeOf(step) : undefined
      }),
      events: eventsOf(step, shown.get(step.invocation)),
      status: isBad ? failed(wordsOf(step)) : { code: statusCode.unset }
    })
    for (const inner of step.nested) addStep(inner, spanId, step.request.command)
  }

  /** A plugin without records, between or after taps. */
  const addUnlogged = ({ state, title }: ViewStep.Step, previous: Operation.Step, next: Operation.Step | undefined) => {
    if (state !== "done" && state !== "stopped") return
    const isStopped = state === "stopped"
    const start = endOf(previous)
    add({
      name: title,
      spanId: Identity.beside(traceId, previous.invocation, title),
      parentSpanId: own,
      start,
      end: next === undefined ? start : Date.parse(next.time),
      attributes: attributes({
        ...requested(request),
        "cni.plugin": title,
        "error.type": isStopped ? otherError : undefined
      }),
      status: isStopped ? failed("failed, or the runtime stopped") : { code: statusCode.unset }
    })
  }

  const hasFailed = Operation.hasFailed(operation)
  const failure = steps.find(Operation.hasEndedBadly)
  add({
    name: nameOf(request),
    spanId: own,
    parentSpanId,
    start: begin,
    end: Math.max(begin, ...steps.map(endOf)),
    attributes: attributes({
      ...requested(request),
      "error.type": hasFailed ? failure === undefined ? otherError : errorTypeOf(failure) : undefined
    }),
    status: hasFailed ? failed(RootCause.words(parts.flat())) : { code: statusCode.unset }
  })
  parts.forEach((part, index) => {
    const previous = steps[index - 1]
    const step = steps[index]
    for (const each of part) {
      if (each.invocation === undefined && previous !== undefined) addUnlogged(each, previous, step)
    }
    if (step !== undefined) addStep(step, own, request.command)
  })
  return spans
}
