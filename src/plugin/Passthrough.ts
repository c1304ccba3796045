/** The pipeline: the one place that knows in which order things happen. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import {
  type CniError,
  fromCause,
  HookFailed,
  Interrupted,
  LogFailed,
  OwnNamespace,
  render,
  StdoutUnwritable
} from "../cni/CniError.ts"
import * as CniResult from "../cni/CniResult.ts"
import * as CniVersion from "../cni/CniVersion.ts"
import { isVerb, type Verb, verbs } from "../cni/Verb.ts"
import { succeeded } from "../exec/Execution.ts"
import * as Origin from "../record/Origin.ts"
import type * as Record from "../record/Record.ts"
import * as Summary from "../record/Summary.ts"
import * as CombinedSink from "../sinks/CombinedSink.ts"
import { LogSink } from "../sinks/LogSink.ts"
import { version } from "../Version.ts"
import { EnvReader } from "./EnvReader.ts"
import { HookRunner } from "./HookRunner.ts"
import * as Redaction from "./Redaction.ts"
import * as Request from "./Request.ts"
import * as RequestRecord from "./RequestRecord.ts"
import { ResultWriter } from "./ResultWriter.ts"
import { StdinReader } from "./StdinReader.ts"

/**
 * The run is over and the runtime has its error document: the process has nothing left but to exit with status 1.
 * Tells `runMain` so, and that there is nothing to report. {@link main} dies with it.
 */
export class Failed extends Data.TaggedError("Failed")<{ readonly document: string }> {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

const about = `CNI plugin passthrough v${version}
CNI protocol versions supported: ${CniVersion.supported.join(", ")}
Container runtimes start it, with CNI_COMMAND set and a network configuration on stdin. To try it by hand:
  CNI_COMMAND=VERSION passthrough < /dev/null
`

/** Milliseconds since the request came. */
const elapsed = (request: Request.Request) => Effect.map(Clock.currentTimeMillis, (now) => now - request.received)

/** Whether a failing log or hook leaves the answer as it is. */
const isBestEffort = ({ environment: { command } }: Request.Request): boolean =>
  isVerb(command) && verbs[command].bestEffort

/** What a record tells besides when it happened, and to whom. */
type Happened<Each = Record.Record> = Each extends Record.Record ? Omit<Each, "time" | keyof Origin.Origin> : never

/**
 * Opens the log of a run. Where a failure to write does not count, stderr is told instead; each thing that is wrong is
 * told once.
 */
const openLog = Effect.fnUntraced(function*(request: Request.Request) {
  const { environment, settings: { logTimeout, sinks } } = request
  const origin = RequestRecord.originOf(request)
  const writer = yield* ResultWriter
  const sink = yield* CombinedSink.open([yield* LogSink], { environment, sinks, logTimeout })
  const told = new Set<string>()
  const write = (record: Record.Record, mayFail: boolean) =>
    Effect.catchCause(sink.write(record), (cause): Effect.Effect<unknown, LogFailed> => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      const error = Cause.squash(cause)
      const reason = error instanceof Error ? error.message : String(error)
      const isNew = !told.has(reason)
      told.add(reason)
      if (mayFail) return Effect.fail(new LogFailed({ command: environment.command, reason, cause: error }))
      return isNew ? writer.notice(`passthrough: cannot log this request: ${reason}`) : Effect.void
    })
  return {
    /** Tells of the request itself. */
    request: (mayFail: boolean) => write(RequestRecord.make(request, origin), mayFail),
    /** Tells of what just happened to it. */
    tell: (happened: Happened, mayFail: boolean) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const { event, ...facts } = happened
        return write({ time: Origin.timestamp(now), event, ...origin, ...facts } as Record.Record, mayFail)
      })
  }
})

type Log = Effect.Success<ReturnType<typeof openLog>>

/** How a hook failed, as the runtime is told. */
const hookFailure = (report: Record.Hook): HookFailed =>
  new HookFailed({
    hook: Summary.command(report.command),
    timedOut: report.timedOut,
    reason: report.timedOut
      ? `ran out of time after ${report.durationMs} ms`
      : report.signal !== null
      ? `was ended by ${report.signal}`
      : report.exitCode === null
      ? "could not be started"
      : `failed with exit status ${report.exitCode}`,
    details: report.stderr.trim().slice(0, 1000)
  })

/** The document for stdout, where there is one. */
const resultOf = (verb: Verb, request: Request.Request): string | undefined => {
  switch (verb) {
    case "ADD":
      return request.prevResult ?? CniResult.empty(request.answerVersion)
    case "VERSION":
      return CniResult.versions(request.cniVersion)
    default:
      return undefined
  }
}

/** The answer of a run: one document, and never a second one once its first byte may be out. */
const openAnswer = Effect.fnUntraced(function*() {
  const writer = yield* ResultWriter
  let begun = false
  return {
    write: (document: string) =>
      Effect.suspend(() => {
        begun = true
        return writer.write(document)
      }),
    hasBegun: () => begun
  }
})

type Answer = Effect.Success<ReturnType<typeof openAnswer>>

/** Serves a request: its record, its hooks, its answer. */
const serve = Effect.fnUntraced(function*(request: Request.Request, log: Log, answer: Answer) {
  const env = yield* EnvReader
  const runner = yield* HookRunner
  const { environment, refusal, settings } = request
  const { command } = environment
  const mayFail = refusal === undefined && settings.onLogFailure === "fail" && !isBestEffort(request)

  yield* log.request(mayFail)
  if (refusal !== undefined) return yield* refusal
  if (!isVerb(command)) return yield* Effect.die(new Error(`a request without a verb: ${command}`))

  let failed: Record.Hook | undefined
  for (const hookCommand of settings.hooks[command]) {
    const hook = yield* runner.run(hookCommand, request)
    yield* log.tell({ event: "hook", hook, durationMs: hook.durationMs }, mayFail)
    if (!succeeded(hook)) failed ??= hook
  }
  if (failed !== undefined && settings.onHookFailure === "fail" && !isBestEffort(request)) {
    return yield* hookFailure(failed)
  }

  const mayShare = /^(?:1|true)$/i.test(environment.netnsOverride) || (command !== "ADD" && command !== "DEL")
  if (!mayShare && environment.netns !== "" && (yield* env.isOwnNamespace(environment.netns))) {
    return yield* new OwnNamespace({ netns: environment.netns })
  }

  const result = resultOf(command, request)
  const shown = result === undefined ? {} : { result: Redaction.result(result, settings.redact) }
  yield* log.tell({ event: "result", durationMs: yield* elapsed(request), ...shown }, mayFail)
  if (result !== undefined) yield* answer.write(result)
})

/** How long a runtime may take to read why a request failed, in milliseconds: by then it has lost interest. */
const lastPatience = 10_000

/** Tells the log and the runtime how a request failed. */
const refuse = Effect.fnUntraced(
  function*(request: Request.Request, log: Log, answer: Answer, cause: Cause.Cause<CniError>) {
    const writer = yield* ResultWriter
    const error = fromCause(cause)
    const document = render(request.answerVersion, error)
    yield* Effect.ignore(log.tell({ event: "error", error, durationMs: yield* elapsed(request) }, false))
    const notTold = (reason: string) => writer.notice(`passthrough: ${reason}: ${document}`)
    if (answer.hasBegun()) yield* notTold(error.msg)
    else {
      yield* Effect.interruptible(answer.write(document)).pipe(
        Effect.timeoutOrElse({
          duration: lastPatience,
          orElse: () => Effect.fail(new StdoutUnwritable({ reason: "nobody reads it" }))
        }),
        Effect.catch((unwritable) => notTold(unwritable.message))
      )
    }
    // A signal may come at the very end: a fiber that is interrupted drops its failures, but not its defects.
    return yield* Effect.die(new Failed({ document }))
  }
)

/** 64 random bits. */
const makeInvocation = (): string =>
  [0, 0].map(() => Math.trunc(Math.random() * 2 ** 32).toString(16).padStart(8, "0")).join("")

type Restore = Parameters<Parameters<typeof Effect.uninterruptibleMask>[0]>[0]

/** Reads the request; `restore` is around what can be interrupted. */
const receive = Effect.fnUntraced(
  function*(restore: Restore) {
    const env = yield* EnvReader
    const stdin = yield* StdinReader
    return Request.make({
      invocation: yield* Effect.sync(makeInvocation),
      received: yield* Clock.currentTimeMillis,
      environment: yield* env.read,
      stdin: yield* restore(stdin.read).pipe(
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.succeed(new Interrupted()) : Effect.failCause(cause)
        ),
        Effect.catch(Effect.succeed)
      )
    })
  }
)

const isForPeople = Effect.fnUntraced(function*() {
  const env = yield* EnvReader
  const args = yield* env.arguments
  return args.includes("--help") || args.includes("--version") || (yield* env.read).command === ""
})

/** How long sinks may take to close, in milliseconds: the answer is out by then. */
const closePatience = 2000

/** Closes what sinks have open. The answer is out: what goes wrong is told to people alone. */
const close = Effect.fnUntraced(function*(scope: Scope.Closeable) {
  const closing = Scope.closeUnsafe(scope, Exit.void)
  if (closing === undefined) return
  const writer = yield* ResultWriter
  // A finalizer cannot be interrupted, but it need not be waited for.
  const fiber = yield* Effect.forkDetach(closing)
  const exit = yield* Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), closePatience)
  if (Option.isNone(exit)) return yield* writer.notice("passthrough: a log sink does not close")
  if (Exit.isFailure(exit.value)) {
    yield* writer.notice(`passthrough: a log sink cannot be closed: ${String(Cause.squash(exit.value.cause))}`)
  }
})

/** A run whose every failure is answered, but for defects before there is a log. */
const answerRequest = Effect.fnUntraced(function*(restore: Restore, answer: Answer) {
  if (yield* isForPeople()) {
    const writer = yield* ResultWriter
    return yield* writer.notice(about.trimEnd())
  }
  const request = yield* receive(restore)
  const scope = yield* Scope.make()
  const log = yield* Scope.provide(openLog(request), scope)
  yield* restore(serve(request, log, answer)).pipe(
    Effect.catchCause((cause) => refuse(request, log, answer, cause)),
    Effect.ensuring(close(scope))
  )
})

/** Answers where nothing else did: a defect is one error document too. */
const giveUp = Effect.fnUntraced(function*(answer: Answer, cause: Cause.Cause<never>) {
  if (Cause.squash(cause) instanceof Failed) return yield* Effect.failCause(cause)
  const writer = yield* ResultWriter
  const document = render(CniVersion.newest, fromCause(cause))
  yield* answer.hasBegun() ? writer.notice(`passthrough: ${document}`) : Effect.ignore(answer.write(document))
  return yield* Effect.die(new Failed({ document }))
})

/**
 * One run of the plugin: reads a request, logs it, runs its hooks and answers. Succeeds where the exit status has to
 * be 0. Otherwise the error document is on stdout already, defects and signals included, and it dies with {@link Failed},
 * which makes `runMain` exit with status 1. Where it is interrupted, all was done before.
 *
 * Source: CNI specification, section 2, "Execution Protocol".
 */
export const main = Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
  const answer = yield* openAnswer()
  yield* Effect.catchCause(answerRequest(restore, answer), (cause) => giveUp(answer, cause))
})).pipe(
  // stdout belongs to the protocol, whatever a sink logs by Effect's own logger.
  Effect.provideService(References.LogToStderr, true)
)
