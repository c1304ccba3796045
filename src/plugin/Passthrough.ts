/** The pipeline of a run: the only place that defines the order of its steps. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import {
  type CniError,
  fromCause,
  HookFailed,
  Interrupted,
  OwnNamespace,
  render,
  StdoutUnwritable
} from "../cni/CniError.ts"
import * as CniResult from "../cni/CniResult.ts"
import * as CniVersion from "../cni/CniVersion.ts"
import type { Verb } from "../cni/Verb.ts"
import type * as Record from "../record/Record.ts"
import * as Summary from "../record/Summary.ts"
import { version } from "../Version.ts"
import { EnvReader } from "./EnvReader.ts"
import * as Hooks from "./Hooks.ts"
import { Policies } from "./Policy.ts"
import * as Redaction from "./Redaction.ts"
import * as Request from "./Request.ts"
import { ResultWriter } from "./ResultWriter.ts"
import * as RunLog from "./RunLog.ts"
import { StdinReader } from "./StdinReader.ts"

/**
 * The run failed and the runtime has the error document, so the process only has to exit with status 1. `runMain` reads
 * that status here, and that there is nothing to report. {@link main} dies with this error.
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

/** Converts the report of a failed hook to an error for the runtime. */
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

/** Returns the document for stdout, if the operation has one. */
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

/** Tracks the answer: once the first byte of a document may be out, no second document may follow. */
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

/** Serves a request: logs it, runs its hooks and answers. */
const serve = Effect.fnUntraced(function*(request: Request.Request, log: RunLog.RunLog, answer: Answer) {
  const env = yield* EnvReader
  const { environment, refusal, settings } = request
  const command = environment.command as Verb // a request without a refusal has a valid operation
  const mayFail = refusal === undefined && settings.onLogFailure === "fail" && !Request.isBestEffort(request)

  yield* log.request(mayFail)
  if (refusal !== undefined) return yield* refusal
  const { notice } = yield* ResultWriter
  for (const each of request.forbidden) yield* notice(`passthrough: ${each}`)

  const failed = yield* Hooks.run(settings.hooks[command], request, log, mayFail)
  if (failed !== undefined && settings.onHookFailure === "fail" && !Request.isBestEffort(request)) {
    return yield* hookFailure(failed)
  }

  const mayShare = /^(?:1|true)$/i.test(environment.netnsOverride) || (command !== "ADD" && command !== "DEL")
  if (!mayShare && environment.netns !== "" && (yield* env.isOwnNamespace(environment.netns))) {
    return yield* new OwnNamespace({ netns: environment.netns })
  }

  const result = resultOf(command, request)
  const shown = result === undefined ? {} : { result: Redaction.result(result, settings.redact) }
  yield* log.event({ event: "result", durationMs: yield* RunLog.elapsed(request), ...shown }, mayFail)
  if (result !== undefined) yield* answer.write(result)
})

/** How long to wait for the runtime to read the error document, in milliseconds. */
const answerTimeout = 10_000

/** Logs why a request failed, and answers the runtime. */
const answerFailure = Effect.fnUntraced(
  function*(request: Request.Request, log: RunLog.RunLog, answer: Answer, cause: Cause.Cause<CniError>) {
    const writer = yield* ResultWriter
    const error = fromCause(cause)
    const document = render(request.answerVersion, error)
    yield* Effect.ignore(log.event({ event: "error", error, durationMs: yield* RunLog.elapsed(request) }, false))
    const reportUnwritten = (reason: string) => writer.notice(`passthrough: ${reason}: ${document}`)
    if (answer.hasBegun()) yield* reportUnwritten(error.msg)
    else {
      yield* Effect.interruptible(answer.write(document)).pipe(
        Effect.timeoutOrElse({
          duration: answerTimeout,
          orElse: () => Effect.fail(new StdoutUnwritable({ reason: "nothing reads it" }))
        }),
        Effect.catch((unwritable) => reportUnwritten(unwritable.message))
      )
    }
    // Die instead of fail: if a signal arrives now, an interrupted fiber drops failures, but not defects.
    return yield* Effect.die(new Failed({ document }))
  }
)

type Restore = Parameters<Parameters<typeof Effect.uninterruptibleMask>[0]>[0]

/** Reads the request. `restore` wraps the parts that a signal may interrupt. */
const receive = Effect.fnUntraced(
  function*(restore: Restore) {
    const env = yield* EnvReader
    const stdin = yield* StdinReader
    const policies = yield* Policies
    return Request.make({
      policy: { policies, found: yield* policies.read },
      invocation: yield* Effect.sync(Request.makeInvocation),
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

/** Answers a request, including all its failures, except for defects before the log is open. */
const answerRequest = Effect.fnUntraced(function*(restore: Restore, answer: Answer) {
  if (yield* isForPeople()) {
    const writer = yield* ResultWriter
    return yield* writer.notice(about.trimEnd())
  }
  const request = yield* receive(restore)
  const scope = yield* Scope.make()
  const { notice } = yield* ResultWriter
  const notify = (text: string) => notice(`passthrough: ${text}`)
  const log = yield* Scope.provide(RunLog.open(request, notify), scope)
  yield* restore(serve(request, log, answer)).pipe(
    Effect.catchCause((cause) => answerFailure(request, log, answer, cause)),
    Effect.ensuring(RunLog.close(scope, notify))
  )
})

/** Answers defects that nothing else has answered. */
const answerDefect = Effect.fnUntraced(function*(answer: Answer, cause: Cause.Cause<never>) {
  if (Cause.squash(cause) instanceof Failed) return yield* Effect.failCause(cause)
  const writer = yield* ResultWriter
  const document = render(CniVersion.newest, fromCause(cause))
  yield* answer.hasBegun() ? writer.notice(`passthrough: ${document}`) : Effect.ignore(answer.write(document))
  return yield* Effect.die(new Failed({ document }))
})

/**
 * One run of the plugin: reads a request, logs it, runs its hooks and answers. Succeeds if the exit status must be 0.
 * Otherwise, including after defects and signals, it has written the error document to stdout and dies with {@link
 * Failed}, which makes `runMain` exit with status 1. An interruption takes effect only after all of that is done.
 *
 * Source: CNI specification, section 2, "Execution Protocol".
 */
export const main = Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
  const answer = yield* openAnswer()
  yield* Effect.catchCause(answerRequest(restore, answer), (cause) => answerDefect(answer, cause))
})).pipe(
  // stdout belongs to the protocol, so Effect's logger, which a sink may use, must write to stderr.
  Effect.provideService(References.LogToStderr, true)
)
