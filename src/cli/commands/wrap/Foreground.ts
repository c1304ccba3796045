/**
 * `cni-passthrough wrap` in the foreground: it wraps, does its task, and unwraps when its time is up or a signal stops
 * it. The next run takes over what a killed run left.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as LocalTime from "../../../render/terminal/LocalTime.ts"
import * as Style from "../../../render/terminal/Style.ts"
import type * as Stub from "../../../wrap/Stub.ts"
import * as Unwrapping from "../../../wrap/Unwrapping.ts"
import * as Errors from "../../Errors.ts"
import * as NonBlockingStdio from "../../NonBlockingStdio.ts"
import * as Print from "../../Print.ts"
import * as Progress from "../../Progress.ts"
import * as Signals from "../../Signals.ts"
import * as Deadline from "./Deadline.ts"
import * as Outcome from "./Outcome.ts"

/** What happens between wrapping the first plugin and unwrapping the last one. */
export interface Course<E, R, F, S, T> {
  readonly folders: ReadonlyArray<Stub.Places>
  readonly names: ReadonlyArray<string> | undefined
  /** Undefined if it has no end. */
  readonly deadline: Deadline.Deadline | undefined
  /** Whether it stays after the time is up, until a signal stops it. */
  readonly stays: boolean
  /** Whether stdout is for scripts, so that messages for people go to stderr. */
  readonly keepsStdout: boolean
  /** Wraps the plugins. True if no requested plugin was passed over. */
  readonly wrap: Effect.Effect<boolean, E, R>
  /** Whether a plugin could not be wrapped, and still is not. */
  readonly isAnyRefused: () => boolean
  /** What runs once they are wrapped. When it ends, the run ends. */
  readonly whileWrapped: Effect.Effect<void, F, S>
  /** What runs once they are unwrapped, and the run ends. */
  readonly afterwards: Effect.Effect<void, never, T>
}

/** How often to wait for calls of plugins to end, ten seconds each time, so that nothing of ours stays. */
const patience = 4

/** Unwraps a folder. True if no stub stays. */
const unwrapOne = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  const first = yield* Progress.during("calls of plugins to end", Unwrapping.unwrap(at, names))
  if (first === undefined) return true
  let running = first.running
  for (let left = patience; left > 1 && running.length > 0; left--) {
    running = (yield* Unwrapping.unwrap(at, names))?.running ?? []
  }
  yield* Outcome.unwrapped(at, { ...first, running })
  return first.refused.length === 0
})

const over = "the time is over"

/** Prints the time, and ends when it is up. */
const timeOf = Effect.fnUntraced(function*({ isOlder, time }: Deadline.Deadline) {
  const { minutesEast } = yield* Style.current()
  const end = LocalTime.ofRecord(new Date(time).toISOString(), minutesEast)
  yield* Console.log(`until ${end}${isOlder ? ", as a run before this one began" : ""}; then all is unwrapped`)
  yield* Deadline.wait(time)
  return over
})

/** Runs a course. Fails if its work did, but only after everything is unwrapped. */
export const run = Effect.fnUntraced(
  function*<E, R, F, S, T>(
    { afterwards, deadline, folders, isAnyRefused, whileWrapped, names, stays, wrap }: Course<E, R, F, S, T>
  ) {
    const stopped = yield* Signals.stop
    const isOver = deadline !== undefined && deadline.time <= (yield* Clock.currentTimeMillis)
    let isComplete = true
    const work = Effect.gen(function*() {
      isComplete = yield* isOver ? Effect.never : wrap
      yield* whileWrapped
      return "the reader of the output is gone"
    })
    const end = yield* Effect.exit(Effect.raceAllFirst([
      Effect.map(stopped, (signal) => `stopped by ${signal}`),
      deadline === undefined ? Effect.never : timeOf(deadline),
      work
    ]))
    if (end._tag === "Success") yield* Console.log(end.value)
    isComplete &&= !isAnyRefused()
    for (const at of folders) isComplete = (yield* unwrapOne(at, names)) && isComplete
    if (end._tag === "Failure") yield* afterwards
    const reason = yield* end
    if (stays && reason === over) {
      yield* Console.log("nothing is wrapped any more: this waits until it is stopped")
      yield* stopped
    }
    yield* afterwards
    if (!isComplete) return yield* new Errors.Unsuccessful()
  },
  (effect, { keepsStdout }) => keepsStdout ? Print.toStderr(effect) : effect,
  (course) => NonBlockingStdio.provide(course, (isSuccess) => process.exit(isSuccess ? 0 : 1)),
  Effect.scoped
)
