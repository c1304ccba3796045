/** The pipeline: the one place that knows in which order things happen. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import { type CniError, fromCause, HookFailed, LogFailed, OwnNamespace, render } from "./cni/CniError.ts"
import * as CniResult from "./cni/CniResult.ts"
import * as CniVersion from "./cni/CniVersion.ts"
import * as Request from "./cni/Request.ts"
import { isVerb, type Verb, verbs } from "./cni/Verb.ts"
import { type HookReport, type LogRecord, succeeded } from "./record/LogRecord.ts"
import * as redact from "./record/redact.ts"
import { EnvReader } from "./services/EnvReader.ts"
import { HookRunner } from "./services/HookRunner.ts"
import { LogSink } from "./services/LogSink.ts"
import { ResultWriter } from "./services/ResultWriter.ts"
import { StdinReader } from "./services/StdinReader.ts"
import * as ConfiguredSinks from "./sinks/ConfiguredSinks.ts"
import { version } from "./version.ts"

/**
 * The run is over and the runtime has its error document: the process has nothing left but to exit with status 1.
 * Tells `runMain` so, and that there is nothing to report.
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

/** What a record tells, before it has its place in the run. */
type Happened<Record = LogRecord> = Record extends LogRecord ? Omit<Record, "request" | "sequence"> : never

/** Writes records. Where a failure does not count, stderr is told instead; each thing that is wrong is told once. */
const logger = (request: Request.Request) => {
  const told = new Set<string>()
  const shown = redact.request(request)
  let sequence = 0
  return Effect.fnUntraced(function*(happened: Happened, options: { readonly mayFail: boolean }) {
    const sink = yield* LogSink
    const writer = yield* ResultWriter
    sequence++
    yield* sink.write({ ...happened, request: shown, sequence }).pipe(
      Effect.catchCause((cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        const error = Cause.squash(cause)
        const reason = error instanceof Error ? error.message : String(error)
        const isNew = !told.has(reason)
        told.add(reason)
        if (options.mayFail) {
          return Effect.fail(new LogFailed({ command: request.environment.command, reason, cause: error }))
        }
        return !isNew ? Effect.void : writer.notice(`passthrough: cannot log this request: ${reason}`)
      })
    )
  })
}

const hookFailure = (report: HookReport): HookFailed =>
  new HookFailed({
    hook: typeof report.command === "string" ? report.command : report.command.join(" "),
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

/** Serves a request: its record, its hooks, its answer. */
const serve = Effect.fnUntraced(function*(request: Request.Request, log: ReturnType<typeof logger>) {
  const env = yield* EnvReader
  const runner = yield* HookRunner
  const writer = yield* ResultWriter
  const { environment, refusal, settings } = request
  const { command } = environment
  const mayFail = refusal === undefined && settings.onLogFailure === "fail" && !isBestEffort(request)

  yield* log({ event: "request", time: request.received }, { mayFail })
  if (refusal !== undefined) return yield* refusal
  if (!isVerb(command)) return yield* Effect.die(new Error(`a request without a verb: ${command}`))

  let failed: HookReport | undefined
  for (const hook of settings.hooks[command]) {
    const report = yield* runner.run(hook, request)
    yield* log({ event: "hook", time: yield* Clock.currentTimeMillis, hook: report }, { mayFail })
    if (!succeeded(report)) failed ??= report
  }
  if (failed !== undefined && settings.onHookFailure === "fail" && !isBestEffort(request)) {
    return yield* hookFailure(failed)
  }

  const mayShare = /^(?:1|true)$/i.test(environment.netnsOverride) || (command !== "ADD" && command !== "DEL")
  if (!mayShare && environment.netns !== "" && (yield* env.isOwnNamespace(environment.netns))) {
    return yield* new OwnNamespace({ netns: environment.netns })
  }

  const result = resultOf(command, request)
  const time = yield* Clock.currentTimeMillis
  const shown = result === undefined ? undefined : redact.result(request, result)
  yield* log({ event: "result", time, result: shown, durationMs: yield* elapsed(request) }, { mayFail })
  if (result !== undefined) yield* writer.write(result)
})

/** Tells the log and the runtime how a request failed. */
const refuse = Effect.fnUntraced(
  function*(request: Request.Request, log: ReturnType<typeof logger>, cause: Cause.Cause<CniError>) {
    const writer = yield* ResultWriter
    const error = fromCause(cause)
    const time = yield* Clock.currentTimeMillis
    const document = render(request.answerVersion, error)
    yield* log({ event: "error", time, error, durationMs: yield* elapsed(request) }, { mayFail: false })
    yield* writer.write(document).pipe(
      Effect.catch((unwritable) => writer.notice(`passthrough: ${unwritable.message}: ${document}`))
    )
    const failed = new Failed({ document })
    // A fiber that is interrupted drops its failures, and with them the exit status, but not its defects.
    return yield* Cause.hasInterruptsOnly(cause) ? Effect.die(failed) : Effect.fail(failed)
  }
)

/** 64 random bits. */
const makeInvocation = (): string =>
  [0, 0].map(() => Math.trunc(Math.random() * 2 ** 32).toString(16).padStart(8, "0")).join("")

const receive = Effect.fnUntraced(function*() {
  const env = yield* EnvReader
  const stdin = yield* StdinReader
  return Request.make({
    invocation: yield* Effect.sync(makeInvocation),
    received: yield* Clock.currentTimeMillis,
    environment: yield* env.read,
    stdin: yield* Effect.catch(stdin.read, Effect.succeed)
  })
})

const isForPeople = Effect.fnUntraced(function*() {
  const env = yield* EnvReader
  const args = yield* env.arguments
  return args.includes("--help") || args.includes("--version") || (yield* env.read).command === ""
})

/**
 * One run of the plugin: reads a request, logs it, runs its hooks and answers. Succeeds where the exit status has to
 * be 0. Otherwise the error document is on stdout already, defects and signals included, and `Failed` makes `runMain`
 * exit with status 1.
 *
 * Source: CNI specification, section 2, "Execution Protocol".
 */
export const main = Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
  if (yield* isForPeople()) {
    const writer = yield* ResultWriter
    return yield* writer.notice(about.trimEnd())
  }
  const request = yield* restore(receive())
  const log = logger(request)
  yield* restore(serve(request, log)).pipe(Effect.catchCause((cause) => refuse(request, log, cause)))
})).pipe(
  // stdout belongs to the protocol, whatever a sink logs by Effect's own logger.
  Effect.provideService(References.LogToStderr, true)
)

/** The live services of the executable. */
export const live = Context.make(EnvReader, EnvReader.live).pipe(
  Context.add(StdinReader, StdinReader.live),
  Context.add(LogSink, ConfiguredSinks.live),
  Context.add(HookRunner, HookRunner.live),
  Context.add(ResultWriter, ResultWriter.live)
)

/** The live services as a layer. Provide your own beside it to replace any of them. */
export const layer = /* @__PURE__ */ Layer.succeedContext(live)
