/**
 * A run as a wrapped plugin (shim): the plugin gets our input, we give its output, and the log gets both. No failure of
 * ours may change what the plugin does.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { fromCause, LogFailed, render } from "../cni/CniError.ts"
import { parentVariable } from "../cni/Environment.ts"
import * as TraceContext from "../cni/TraceContext.ts"
import { isVerb } from "../cni/Verb.ts"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as PluginAnswer from "../exec/PluginAnswer.ts"
import type { NotStarted } from "../exec/ProcessRunner.ts"
import * as CallChanges from "../network/CallChanges.ts"
import type { Kind } from "../network/StateKind.ts"
import type * as Record from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import { EnvReader } from "./EnvReader.ts"
import * as HeldLog from "./HeldLog.ts"
import * as Hooks from "./Hooks.ts"
import { Policies } from "./Policy.ts"
import * as Redaction from "./Redaction.ts"
import * as Request from "./Request.ts"
import { ResultWriter } from "./ResultWriter.ts"
import * as RunLog from "./RunLog.ts"
import * as ShimSettings from "./ShimSettings.ts"
import { StdinReader } from "./StdinReader.ts"
import { WrappedPlugin } from "./WrappedPlugin.ts"

/** The request, and the stdin for the plugin: undefined if the plugin gets the rest of ours. */
interface Received {
  readonly request: Request.Request
  readonly stdin: Uint8Array | undefined
  /** The kinds of state to compare before and after the plugin. */
  readonly kinds: ReadonlyArray<Kind>
}

/** The parts of the request that determine what to compare. */
const callOf = ({ document, environment: { command, netns } }: Request.Request): CallChanges.Call => ({
  verb: command,
  netns,
  config: document._tag === "Config" ? document.value : undefined
})

const receive = Effect.fnUntraced(function*() {
  const env = yield* EnvReader
  const { read } = yield* StdinReader
  const { config, name } = yield* WrappedPlugin
  const policies = yield* Policies
  const settings = ShimSettings.read(yield* config, name)
  const received = yield* Clock.currentTimeMillis
  const environment = yield* env.read
  const stdin = yield* Effect.result(read)
  const request = Request.make({
    invocation: Request.makeInvocation(),
    received,
    environment,
    stdin: Result.merge(stdin),
    settings,
    policy: { policies, found: yield* policies.read }
  })
  const warnings = new Set([...settings.warnings, ...request.forbidden, ...request.warnings])
  return {
    // The plugin decides whether to refuse the request.
    request: { ...request, refusal: undefined, warnings: [...warnings] },
    stdin: Result.getOrUndefined(stdin),
    kinds: environment.variables[HostTools.insideTool] === undefined
      ? CallChanges.kindsFor(callOf(request), settings.changes)
      : []
  } satisfies Received
})

/** A log that drops everything, for a log that could not be opened. */
const noLog: RunLog.RunLog = { request: () => Effect.void, event: () => Effect.void }

/** Log failures stay silent, because stderr belongs to the plugin. */
const silent = () => Effect.void

/** Ignores failures and interruptions, so that the run continues. */
const bestEffort = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.asVoid(Effect.exit(effect))

/** Logs what happened, if that is possible. */
const logEvent = (log: RunLog.RunLog, happened: Parameters<RunLog.RunLog["event"]>[0]) =>
  bestEffort(log.event(happened, false))

/** Error codes of scarce resources: we cannot start a program beside us, but the plugin may be able to run alone. */
const scarceResources: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM", ""])

/** How often to look for a plugin that moves while we start it. */
const findAttempts = 5

/** A file of the plugin that could not be started. */
interface NotRun {
  readonly file: string
  readonly error: NotStarted
}

/**
 * The environment of the plugin. In a trace, our span comes between that of the runtime and those that the plugin makes.
 */
const variablesFor = ({ environment, invocation }: Request.Request) => {
  const { traceparent, variables } = environment
  return {
    ...variables,
    [parentVariable]: invocation,
    ...TraceContext.below(traceparent, invocation)
  }
}

/** Finds and runs the plugin, again if `unwrap` or an upgrade moves it. */
const runPlugin = Effect.fnUntraced(function*({ request, stdin }: Received, log: HeldLog.HeldLog) {
  const { become, find, run } = yield* WrappedPlugin
  const { environment } = request
  const env = variablesFor(request)
  let failure: NotRun | undefined
  for (let left = findAttempts; left > 0; left--) {
    const file = yield* find(environment.path)
    if (file === undefined) break
    const outcome = yield* Effect.result(run(file, env, stdin))
    if (Result.isSuccess(outcome)) return { file, execution: outcome.success }
    failure = { file, error: outcome.failure }
    if (failure.error.code === "ENOENT") continue // an `unwrap`, or an upgrade
    if (scarceResources.has(failure.error.code)) {
      yield* log.release
      yield* Effect.ignore(become(file, env, stdin))
    }
    break
  }
  return { failure }
})

/** Decodes the first part of an output. */
const shown = (output: Uint8Array): string => Execution.text(output.subarray(0, Execution.defaultLimit))

/** Makes the `plugin` record. It has stdout only if no other record has it. */
const pluginOf = (
  name: string,
  file: string,
  { durationMs, exitCode, signal, stderr, stdout, stdoutUnseen = false, truncated }: Execution.Execution,
  answer: PluginAnswer.PluginAnswer
): Record.Plugin => {
  const isInNextRecord = answer._tag === "Success" ? answer.document !== undefined : answer.hasDocument
  return {
    type: name,
    file,
    exitCode,
    signal,
    durationMs,
    ...(isInNextRecord ? {} : RunContext.filled({ stdout: shown(stdout) })),
    stderr: shown(stderr),
    truncated: truncated || stdoutUnseen || (!isInNextRecord && stdout.length > Execution.defaultLimit) ||
      stderr.length > Execution.defaultLimit
  }
}

/** Makes the last record of the run. */
const endOf = (answer: PluginAnswer.PluginAnswer, redact: ReadonlyArray<string>) => {
  if (answer._tag === "Failure") {
    const { code, details, msg } = answer
    return {
      event: "error" as const,
      error: { ...(code === undefined ? {} : { code }), msg, ...RunContext.filled({ details }) }
    }
  }
  const { document } = answer
  return { event: "result" as const, ...(document === undefined ? {} : { result: Redaction.result(document, redact) }) }
}

/** Logs what the plugin changed. A signal interrupts this. */
const compare = Effect.fnUntraced(function*({ request }: Received, log: RunLog.RunLog, before: CallChanges.Look) {
  const after = yield* Effect.interruptible(CallChanges.lookAgain(callOf(request), before))
  yield* logEvent(log, { event: "changes", ...CallChanges.between(before, after) })
})

/** Logs how the plugin ended, and runs the hooks. A signal interrupts the hooks. */
const conclude = Effect.fnUntraced(function*(
  received: Received,
  log: RunLog.RunLog,
  file: string,
  execution: Execution.Execution,
  before: CallChanges.Look | undefined
) {
  const { request } = received
  const { name } = yield* WrappedPlugin
  const { environment: { command }, settings } = request
  const answer: PluginAnswer.PluginAnswer = execution.stdoutUnseen === true && Execution.succeeded(execution)
    ? { _tag: "Success", document: undefined }
    : PluginAnswer.withoutValidation(command, execution)
  const { durationMs } = execution
  yield* logEvent(log, { event: "plugin", plugin: pluginOf(name, file, execution, answer), durationMs })
  if (before !== undefined) yield* bestEffort(compare(received, log, before))
  const hooks = isVerb(command) ? settings.hooks[command] : []
  yield* bestEffort(Effect.interruptible(Hooks.run(hooks, request, log, false)))
  const end = endOf(answer, settings.redact)
  yield* logEvent(log, { ...end, durationMs: yield* RunLog.elapsed(request) })
})

/**
 * Answers for a plugin that does not exist or cannot be started. Code 11 ("try again later") if resources are scarce.
 * Source: CNI specification, section 5, "Error".
 */
const answerFor = Effect.fnUntraced(function*(
  { request }: Received,
  log: RunLog.RunLog,
  failure: NotRun | undefined
) {
  const { name } = yield* WrappedPlugin
  const writer = yield* ResultWriter
  const { answerVersion, environment: { path } } = request
  const error = failure === undefined
    ? { code: 4, msg: `failed to find plugin ${JSON.stringify(name)} in path [${path}]` }
    : {
      code: scarceResources.has(failure.error.code) ? 11 : 5,
      msg: `cannot start ${failure.file}: ${failure.error.reason}`
    }
  yield* logEvent(log, { event: "error", error, durationMs: yield* RunLog.elapsed(request) })
  yield* Effect.ignore(writer.write(render(answerVersion, error)))
  return { exitCode: 1, signal: null }
})

/** Takes the snapshot before the plugin, if requested. A signal that has arrived since the request interrupts this. */
const lookFirst = ({ kinds, request }: Received) =>
  Effect.interruptible(kinds.length === 0 ? Effect.undefined : CallChanges.look(callOf(request), kinds))

/** The end of a run that a signal stopped before its plugin started. */
const stopped = { exitCode: null, signal: "SIGTERM" }

/** Serves a request and returns how this process must end. */
const serve = Effect.fnUntraced(function*(received: Received, log: HeldLog.HeldLog) {
  const { request } = received
  const mayFail = request.settings.onLogFailure === "fail" && !Request.isBestEffort(request)
  const logged = yield* Effect.exit(log.request(mayFail))
  if (Exit.isFailure(logged) && Cause.squash(logged.cause) instanceof LogFailed) {
    const writer = yield* ResultWriter
    yield* Effect.ignore(writer.write(render(request.answerVersion, fromCause(logged.cause))))
    return { exitCode: 1, signal: null }
  }
  const before = yield* Effect.exit(lookFirst(received))
  // A signal that arrives before the plugin starts would have ended the plugin, so it ends us.
  if (Exit.hasInterrupts(before)) {
    yield* log.release
    return stopped
  }
  const ran = yield* runPlugin(received, log)
  if (ran.execution === undefined) return yield* answerFor(received, log, ran.failure)
  yield* bestEffort(
    conclude(received, log, ran.file, ran.execution, Exit.isSuccess(before) ? before.value : undefined)
  )
  return ran.execution
})

/**
 * One run as a wrapped plugin. Ends the process the way the plugin ended.
 *
 * Source: CNI specification, section 2, "Execution Protocol", which the plugin follows or not.
 */
export const main = Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
  const { end } = yield* WrappedPlugin
  const received = yield* Effect.exit(restore(receive()))
  // A signal that arrives before the plugin starts would have ended the plugin, so it ends us.
  if (Exit.isFailure(received)) return yield* end(stopped)
  const scope = yield* Scope.make()
  const { request } = received.value
  const opened = yield* Effect.exit(Scope.provide(RunLog.open(request, silent), scope))
  const log = Exit.isSuccess(opened) ? yield* HeldLog.make(request, opened.value) : HeldLog.direct(noLog)
  const ending = yield* serve(received.value, log)
  yield* bestEffort(log.settle)
  yield* bestEffort(RunLog.close(scope, silent))
  return yield* end(ending)
})).pipe(
  // stdout belongs to the plugin, so Effect's logger, which a sink may use, must write to stderr.
  Effect.provideService(References.LogToStderr, true)
)
