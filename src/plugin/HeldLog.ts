/** Holds back the records of a STATUS until its end, and drops them if they repeat the last logged ones. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { version } from "../Version.ts"
import * as LastOutcomes from "./LastOutcomes.ts"
import type { Request } from "./Request.ts"
import * as RequestRecord from "./RequestRecord.ts"
import type * as RunLog from "./RunLog.ts"

/** The log of a run around a plugin. */
export interface HeldLog extends RunLog.RunLog {
  /** Writes what is held back. From then on, each record is written at once. */
  readonly release: Effect.Effect<void>
  /** Ends the run: drops what is held back if it repeats the last logged run, and otherwise writes it. */
  readonly settle: Effect.Effect<void>
}

/** How long records are held back, in milliseconds. A run that hangs or is killed later has its request in the log. */
const patience = 1000

/** The members of records that differ from run to run. */
const differing = /^(?:time|invocation|parent|traceparent|tracestate|baggage|durationMs)$/

const withoutDiffering = (name: string, value: unknown): unknown => differing.test(name) ? undefined : value

/** Whether the records of a run may be dropped: nothing but the log itself may need them. */
const isDroppable = ({ environment: { command }, settings: { hooks, onLogFailure, sinks } }: Request): boolean =>
  command === "STATUS" && hooks.STATUS.length === 0 && onLogFailure === "ignore" &&
  sinks.length > 0

/** Holds back what is written to a log. */
const hold = Effect.fnUntraced(function*(request: Request, log: RunLog.RunLog, last: LastOutcomes.LastOutcomes) {
  const question = JSON.stringify([request.network])
  // Another version of ours may log the same run differently, and other sinks have not been told.
  const said: Array<unknown> = [version, request.settings.sinks, RequestRecord.make(request)]
  let held: Array<Effect.Effect<unknown, unknown>> | undefined = []
  let isKnown = true // whether the outcome was seen as a whole, and written as a whole

  const write = (record: Effect.Effect<unknown, unknown>) =>
    Effect.map(Effect.exit(record), (exit) => {
      if (Exit.isFailure(exit)) isKnown = false
    })
  const release = Effect.uninterruptible(Effect.suspend(() => {
    if (held === undefined) return Effect.void
    const records = held
    held = undefined
    return Effect.andThen(last.forget(question), Effect.forEach(records, write, { discard: true }))
  }))
  const timer = yield* Effect.forkDetach(Effect.andThen(Effect.sleep(patience), release))
  const add = (record: Effect.Effect<unknown, unknown>) =>
    Effect.suspend(() => {
      if (held === undefined) return Effect.andThen(Fiber.await(timer), write(record))
      held.push(record)
      return Effect.void
    })

  return {
    request: () => add(log.request(true)),
    event: (happened) => {
      said.push(happened)
      if (happened.event === "plugin" && happened.plugin.truncated) isKnown = false
      return add(log.event(happened, true))
    },
    release: Effect.andThen(Fiber.interrupt(timer), release),
    settle: Effect.gen(function*() {
      yield* Fiber.interrupt(timer)
      const answer = JSON.stringify(said, withoutDiffering)
      if (held !== undefined && isKnown && (yield* last.isTold(question, answer))) return
      yield* release
      if (isKnown) yield* last.remember(question, answer)
    })
  } satisfies HeldLog as HeldLog
})

/** A log that holds nothing back. */
export const direct = (log: RunLog.RunLog): HeldLog => ({ ...log, release: Effect.void, settle: Effect.void })

/** The log of a run around a plugin, which holds records back if they may be dropped. */
export const make = Effect.fnUntraced(function*(request: Request, log: RunLog.RunLog) {
  const last = yield* LastOutcomes.LastOutcomes
  return last !== undefined && isDroppable(request) ? yield* hold(request, log, last) : direct(log)
})
