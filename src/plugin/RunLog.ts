/** The log of one run. Writes records to the sinks, and reports failures to people. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { LogFailed } from "../cni/CniError.ts"
import type * as Record from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import * as Secrets from "../record/Secrets.ts"
import * as CombinedSink from "../sinks/CombinedSink.ts"
import { LogSink } from "../sinks/LogSink.ts"
import * as Redaction from "./Redaction.ts"
import type { Request } from "./Request.ts"
import * as RequestRecord from "./RequestRecord.ts"

/** Returns the milliseconds since the request arrived. */
export const elapsed = (request: Request) => Effect.map(Clock.currentTimeMillis, (now) => now - request.received)

/** The members of a record without the time and the {@link RunContext}. */
type Event<Each = Record.Record> = Each extends Record.Record ? Omit<Each, "time" | keyof RunContext.RunContext>
  : never

/**
 * Opens the log of a run. If a failed write must not fail the request, `notice` reports it, once for each different
 * reason.
 */
export const open = Effect.fnUntraced(function*(request: Request, notice: (text: string) => Effect.Effect<void>) {
  const { environment, settings: { logTimeout, redact, sinks } } = request
  const context = RequestRecord.contextOf(request)
  const sink = yield* CombinedSink.open([yield* LogSink], { environment, sinks, logTimeout })
  const reported = new Set<string>()
  const shown = Redaction.masksSecrets(redact) ? Secrets.inRecord : (record: Record.Record) => record
  const write = (record: Record.Record, mayFail: boolean) =>
    Effect.catchCause(Effect.suspend(() => sink.write(shown(record))), (cause): Effect.Effect<unknown, LogFailed> => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      const error = Cause.squash(cause)
      const reason = error instanceof Error ? error.message : String(error)
      const isNew = !reported.has(reason)
      reported.add(reason)
      if (mayFail) return Effect.fail(new LogFailed({ command: environment.command, reason, cause: error }))
      return isNew ? notice(`cannot log this request: ${reason}`) : Effect.void
    })
  return {
    /** Logs the request itself. */
    request: (mayFail: boolean) => write(RequestRecord.make(request, context), mayFail),
    /** Logs an event of the request. */
    event: (happened: Event, mayFail: boolean) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const { event, ...facts } = happened
        return write({ time: RunContext.timestamp(now), event, ...context, ...facts } as Record.Record, mayFail)
      })
  }
})

/** The log of one run. */
export type RunLog = Effect.Success<ReturnType<typeof open>>

/** How long to wait for sinks to close, in milliseconds. */
const closeTimeout = 2000

/** Closes the sinks. The answer is already out, so `notice` reports failures. */
export const close = Effect.fnUntraced(function*(
  scope: Scope.Closeable,
  notice: (text: string) => Effect.Effect<void>
) {
  const closing = Scope.closeUnsafe(scope, Exit.void)
  if (closing === undefined) return
  // Finalizers cannot be interrupted, but we can stop waiting for them.
  const fiber = yield* Effect.forkDetach(closing)
  const exit = yield* Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), closeTimeout)
  if (Option.isNone(exit)) return yield* notice("a log sink does not close")
  if (Exit.isFailure(exit.value)) {
    yield* notice(`a log sink cannot be closed: ${String(Cause.squash(exit.value.cause))}`)
  }
})
