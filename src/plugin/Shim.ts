/**
 * A run around a plugin that we stand in the place of: it gets what we get, we give what it gives, and the log has all of
 * it. Nothing that goes wrong with us may change what the plugin does.
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
import { isVerb } from "../cni/Verb.ts"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as PluginAnswer from "../exec/PluginAnswer.ts"
import type { NotStarted } from "../exec/ProcessRunner.ts"
import type * as Record from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import type { Kind } from "../state/StateKind.ts"
import * as Watch from "../state/Watch.ts"
import { EnvReader } from "./EnvReader.ts"
import * as Hooks from "./Hooks.ts"
import { Policies } from "./Policy.ts"
import * as Redaction from "./Redaction.ts"
import * as Request from "./Request.ts"
import { ResultWriter } from "./ResultWriter.ts"
import * as RunLog from "./RunLog.ts"
import * as ShimSettings from "./ShimSettings.ts"
import { StdinReader } from "./StdinReader.ts"
import { WrappedPlugin } from "./WrappedPlugin.ts"

/** What a run is about, and the bytes for the plugin: none where it gets what is left of our stdin. */
interface Received {
  readonly request: Request.Request
  readonly stdin: Uint8Array | undefined
  /** The kinds of state of which the log tells what the plugin changed. */
  readonly kinds: ReadonlyArray<Kind>
}

/** The call of the plugin, as far as it matters for what it changes. */
const callOf = ({ document, environment: { command, netns } }: Request.Request): Watch.Call => ({
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
    // Whether the request is one that the plugin takes, the plugin says.
    request: { ...request, refusal: undefined, warnings: [...warnings] },
    stdin: Result.getOrUndefined(stdin),
    kinds: environment.variables[HostTools.insideTool] === undefined
      ? Watch.kindsFor(callOf(request), settings.changes)
      : []
  } satisfies Received
})

/** A log that could not be opened, or has a defect, takes nothing. */
const noLog: RunLog.RunLog = { request: () => Effect.void, tell: () => Effect.void }

/** Nobody is told of what is wrong with the log: stderr is the plugin's. */
const silent = () => Effect.void

/** Whatever becomes of it, the run goes on. */
const bestEffort = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.asVoid(Effect.exit(effect))

/** Logs what happened, if that is possible. */
const tell = (log: RunLog.RunLog, happened: Parameters<RunLog.RunLog["tell"]>[0]) =>
  bestEffort(log.tell(happened, false))

/** Conditions of the host under which we cannot start a program, and the plugin alone could be. */
const scarce: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM", ""])

/** How often a plugin that is moved meanwhile is looked for. */
const searches = 5

/** A file of the plugin that could not be started. */
interface NotRun {
  readonly file: string
  readonly error: NotStarted
}

/** Runs the plugin, wherever it is by now. */
const runPlugin = Effect.fnUntraced(function*({ request, stdin }: Received) {
  const { become, find, run } = yield* WrappedPlugin
  const { environment, invocation } = request
  const env = { ...environment.variables, [parentVariable]: invocation }
  let failure: NotRun | undefined
  for (let left = searches; left > 0; left--) {
    const file = yield* find(environment.path)
    if (file === undefined) break
    const outcome = yield* Effect.result(run(file, env, stdin))
    if (Result.isSuccess(outcome)) return { file, execution: outcome.success }
    failure = { file, error: outcome.failure }
    if (failure.error.code === "ENOENT") continue // an `unwrap`, or an upgrade
    if (scarce.has(failure.error.code)) yield* Effect.ignore(become(file, env, stdin))
    break
  }
  return { failure }
})

/** The first part of an output, as text. */
const shown = (output: Uint8Array): string => Execution.text(output.subarray(0, Execution.defaultLimit))

/** What the log tells of a plugin that ended. Its stdout only where no other record has it. */
const pluginOf = (
  name: string,
  file: string,
  { durationMs, exitCode, signal, stderr, stdout, stdoutUnseen = false, truncated }: Execution.Execution,
  answer: PluginAnswer.PluginAnswer
): Record.Plugin => {
  const isToldElsewhere = answer._tag === "Success" ? answer.document !== undefined : answer.hasDocument
  return {
    type: name,
    file,
    exitCode,
    signal,
    durationMs,
    ...(isToldElsewhere ? {} : RunContext.filled({ stdout: shown(stdout) })),
    stderr: shown(stderr),
    truncated: truncated || stdoutUnseen || (!isToldElsewhere && stdout.length > Execution.defaultLimit) ||
      stderr.length > Execution.defaultLimit
  }
}

/** How the run ended, as its last record tells it. */
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

/** Logs what the plugin changed since we looked. A signal ends that. */
const compare = Effect.fnUntraced(function*({ request }: Received, log: RunLog.RunLog, before: Watch.Look) {
  const after = yield* Effect.interruptible(Watch.lookAgain(callOf(request), before))
  yield* tell(log, { event: "changes", ...Watch.between(before, after) })
})

/** Logs what became of the plugin, and runs the hooks. A signal ends the hooks. */
const conclude = Effect.fnUntraced(function*(
  received: Received,
  log: RunLog.RunLog,
  file: string,
  execution: Execution.Execution,
  before: Watch.Look | undefined
) {
  const { request } = received
  const { name } = yield* WrappedPlugin
  const { environment: { command }, settings } = request
  const answer: PluginAnswer.PluginAnswer = execution.stdoutUnseen === true && Execution.succeeded(execution)
    ? { _tag: "Success", document: undefined }
    : PluginAnswer.withoutValidation(command, execution)
  const { durationMs } = execution
  yield* tell(log, { event: "plugin", plugin: pluginOf(name, file, execution, answer), durationMs })
  if (before !== undefined) yield* bestEffort(compare(received, log, before))
  const hooks = isVerb(command) ? settings.hooks[command] : []
  yield* bestEffort(Effect.interruptible(Hooks.run(hooks, request, log, false)))
  const end = endOf(answer, settings.redact)
  yield* tell(log, { ...end, durationMs: yield* RunLog.elapsed(request) })
})

/** Answers for a plugin that is not there, or cannot be started. Code 11 where it may be another time. */
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
    : { code: scarce.has(failure.error.code) ? 11 : 5, msg: `cannot start ${failure.file}: ${failure.error.reason}` }
  yield* tell(log, { event: "error", error, durationMs: yield* RunLog.elapsed(request) })
  yield* Effect.ignore(writer.write(render(answerVersion, error)))
  return { exitCode: 1, signal: null }
})

/** State before the plugin, where that is asked for. Is interrupted where a signal came since the request. */
const lookFirst = ({ kinds, request }: Received) =>
  Effect.interruptible(kinds.length === 0 ? Effect.undefined : Watch.look(callOf(request), kinds))

/** The end of a run that was stopped before its plugin was there. */
const stopped = { exitCode: null, signal: "SIGTERM" }

/** Serves a request with a log, and returns how we have to end. */
const serve = Effect.fnUntraced(function*(received: Received, log: RunLog.RunLog) {
  const { request } = received
  const mayFail = request.settings.onLogFailure === "fail" && !Request.isBestEffort(request)
  const logged = yield* Effect.exit(log.request(mayFail))
  if (Exit.isFailure(logged) && Cause.squash(logged.cause) instanceof LogFailed) {
    const writer = yield* ResultWriter
    yield* Effect.ignore(writer.write(render(request.answerVersion, fromCause(logged.cause))))
    return { exitCode: 1, signal: null }
  }
  const before = yield* Effect.exit(lookFirst(received))
  // Who asks us to stop before the plugin is there would have stopped the plugin.
  if (Exit.hasInterrupts(before)) return stopped
  const ran = yield* runPlugin(received)
  if (ran.execution === undefined) return yield* answerFor(received, log, ran.failure)
  yield* bestEffort(
    conclude(received, log, ran.file, ran.execution, Exit.isSuccess(before) ? before.value : undefined)
  )
  return ran.execution
})

/**
 * One run around a plugin. Ends the process the way the plugin ended.
 *
 * Source: CNI specification, section 2, "Execution Protocol", which the plugin follows or not.
 */
export const main = Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
  const { end } = yield* WrappedPlugin
  const received = yield* Effect.exit(restore(receive()))
  // Who asks us to stop before the plugin is there would have stopped the plugin.
  if (Exit.isFailure(received)) return yield* end(stopped)
  const scope = yield* Scope.make()
  const log = yield* Effect.exit(Scope.provide(RunLog.open(received.value.request, silent), scope))
  const ending = yield* serve(received.value, Exit.isSuccess(log) ? log.value : noLog)
  yield* bestEffort(RunLog.close(scope, silent))
  return yield* end(ending)
})).pipe(
  // stdout belongs to the plugin, whatever a sink logs by Effect's own logger.
  Effect.provideService(References.LogToStderr, true)
)
