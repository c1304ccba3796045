/** Removes the leftovers of a container one by one, each with a record in the log. */
import type * as Arr from "effect/Array"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Environment from "../../../cni/Environment.ts"
import * as LeakRemoval from "../../../doctor/LeakRemoval.ts"
import type * as Leaks from "../../../doctor/Leaks.ts"
import * as Names from "../../../doctor/Names.ts"
import { ProcessRunner } from "../../../exec/ProcessRunner.ts"
import * as Request from "../../../plugin/Request.ts"
import * as RunContext from "../../../record/RunContext.ts"
import * as CombinedSink from "../../../sinks/CombinedSink.ts"
import * as ConfiguredSinks from "../../../sinks/ConfiguredSinks.ts"
import * as Flags from "../../Flags.ts"
import * as OnHost from "../../OnHost.ts"
import * as Config from "../wrap/Config.ts"
import * as Search from "./Search.ts"

/** The flags that choose where removals are logged. */
export const flags = {
  log: Flags.file("log").pipe(
    Flag.withDescription(
      `The log of what --fix removes, with one JSON record a line (default with --every: ${Config.defaultLog})`
    ),
    Flag.optional
  ),
  sink: Flag.Literals("sink", ["file", "journald", "syslog"]).pipe(
    Flag.withDescription("Where --fix logs what it removes (default: file with --every or --log, else nowhere)"),
    Flag.optional
  )
}

/** The values of {@link flags}, and whether removals are logged even if none is given. */
export interface Asked extends OnHost.Asked, Pick<Config.Asked, "log" | "sink"> {
  readonly every: Option.Option<number>
  readonly cacheDir: string
}

/** The sinks of these flags. */
const sinksOf = (asked: Asked): ReadonlyArray<Config.Sink> => {
  const { every, log, sink } = asked
  if (Option.isNone(every) && Option.isNone(log) && Option.isNone(sink)) return []
  const places = { log: Option.map(log, (file) => OnHost.seenFile(asked, file)), sink, changes: [], redact: [] }
  return Config.read(Config.text(places)).sinks
}

/** How long all sinks together may take for one removal, in milliseconds. */
const logTimeout = 2000

/** A leftover that was removed, or why it stays. */
export interface Outcome {
  readonly leak: Leaks.Leak
  readonly stays: string | undefined
  /** Why its record was not written; undefined if it was, or was not asked for. */
  readonly unlogged: string | undefined
}

/** Why leftovers stay, and which removals were not logged, one per line. */
export const failures = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap(({ leak, stays, unlogged }) => [
    ...(stays === undefined ? [] : [`${Search.key(leak)} stays: ${stays}`]),
    ...(unlogged === undefined ? [] : [`the removal of ${Search.key(leak)} was not logged: ${unlogged}`])
  ])

/** Removes the leftovers of one container. The records of one container have the same `invocation`, for as long as this exists. */
export const make = Effect.fnUntraced(function*(asked: Asked) {
  const sinks = sinksOf(asked)
  const sink = ConfiguredSinks.make(yield* ProcessRunner)
  const invocations = new Map<string, string>()

  const log = Effect.fnUntraced(function*({ kind, network, owners, reason, text }: Leaks.Leak, started: number) {
    if (sinks.length === 0) return
    const [containerId = ""] = owners
    const key = JSON.stringify([network, containerId])
    const invocation = invocations.get(key) ?? Request.makeInvocation()
    invocations.set(key, invocation)
    const now = yield* Clock.currentTimeMillis
    const variables = { CNI_CONTAINERID: containerId, CNI_COMMAND: "" }
    const { write } = yield* CombinedSink.open([sink], { environment: Environment.make(variables), sinks, logTimeout })
    yield* write({
      time: RunContext.timestamp(now),
      event: "removal",
      invocation,
      ...RunContext.filled({ containerId, network }),
      removal: { kind, text, reason },
      durationMs: now - started
    })
  }, Effect.scoped)

  const removeOne = Effect.fnUntraced(function*(leak: Leaks.Leak, tools: ReadonlyMap<string, string>) {
    const started = yield* Clock.currentTimeMillis
    // Whatever was removed is logged, even if a signal comes in between.
    return yield* Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const done = yield* restore(LeakRemoval.remove(leak, tools))
      if (Result.isFailure(done)) return { leak, stays: done.failure, unlogged: undefined } satisfies Outcome
      const unlogged = yield* Effect.match(log(leak, started), {
        onFailure: (error) => error instanceof Error ? error.message : String(error),
        onSuccess: () => undefined
      })
      return { leak, stays: undefined, unlogged } satisfies Outcome
    }))
  })

  return Effect.fnUntraced(
    function*(ofOne: Arr.NonEmptyReadonlyArray<Leaks.Leak>, tools: ReadonlyMap<string, string>) {
      const [first] = ofOne
      if (yield* LeakRemoval.isAlive(first, OnHost.seen(asked, asked.cacheDir))) {
        const stays = `${Names.container(first)} exists again, or a process is working for it`
        return ofOne.map((leak): Outcome => ({ leak, stays, unlogged: undefined }))
      }
      return (yield* Effect.forEach(ofOne, (leak) => removeOne(leak, tools))) as ReadonlyArray<Outcome>
    }
  )
})
