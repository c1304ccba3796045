/** Shows and logs an operation, writes its report, and fails if a plugin did. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as Execution from "../../../exec/Execution.ts"
import * as AtomicFile from "../../../host/AtomicFile.ts"
import type { Kind } from "../../../network/StateKind.ts"
import * as Collector from "../../../operations/Collector.ts"
import * as View from "../../../operations/View.ts"
import * as Escape from "../../../record/Escape.ts"
import * as JsonFormat from "../../../record/JsonFormat.ts"
import type { Record } from "../../../record/Record.ts"
import * as OperationText from "../../../render/terminal/OperationText.ts"
import * as Style from "../../../render/terminal/Style.ts"
import * as CallRecords from "../../../runtime/CallRecords.ts"
import type { Call, Calls, Chain } from "../../../runtime/Chain.ts"
import { hasFailed } from "../../../runtime/Chain.ts"
import { PluginFailed } from "../../../runtime/PluginFailed.ts"
import * as NearPlugin from "../../NearPlugin.ts"
import * as ReportFile from "../../ReportFile.ts"

/** The file of `--log` cannot be written. */
export class LogUnwritable extends Data.TaggedError("LogUnwritable")<{
  readonly file: string
  readonly reason: string
  readonly cause: unknown
}> {
  override readonly message = `cannot write ${this.file}: ${this.reason}`
}

/** The work is done, but some of its records are missing from the files of `--log` and `--report`. */
export class RecordsLost extends Data.TaggedError("RecordsLost")<{ readonly cause: Error }> {
  override readonly message = `all is done, but not all of it is logged: ${this.cause.message}`
}

/** The values of {@link outputFlags}. */
export interface OutputInput {
  readonly tap: Option.Option<boolean>
  readonly full: boolean
  readonly json: boolean
  readonly log: Option.Option<string>
  readonly report: Option.Option<string>
  readonly changes?: ReadonlyArray<Kind>
}

/** Opens the log before anything runs, so that nothing goes unlogged. */
const openLog = Effect.fnUntraced(function*(log: Option.Option<string>) {
  if (Option.isNone(log)) return (): Effect.Effect<void, LogUnwritable> => Effect.void
  const fs = yield* FileSystem.FileSystem
  const file = log.value
  const failed = (cause: PlatformError) => new LogUnwritable({ file, reason: AtomicFile.reasonOf(cause), cause })
  yield* Effect.mapError(
    AtomicFile.checkOwner(file),
    (cause) => new LogUnwritable({ file, reason: cause.reason, cause })
  )
  const handle = yield* Effect.mapError(fs.open(file, { flag: "a", mode: 0o600 }), failed)
  return (lines: string) => Effect.mapError(handle.writeAll(new TextEncoder().encode(lines)), failed)
})

/** What a plugin that succeeded wrote to stderr. Runtimes pass it on. */
const notice = ({ execution }: Call): string =>
  execution === undefined ? "" : Escape.inLines(Execution.text(execution.stderr)).trimEnd()

/** Shows the calls of one operation, or of several one after the other. */
export const make = Effect.fnUntraced(function*(
  chain: Chain,
  { changes = [], full, json, log, report, tap }: OutputInput
) {
  const style = yield* Style.current()
  const write = yield* openLog(log)
  const isTap = !json && Option.getOrElse(tap, () => style.isTerminal)
  if (changes.length > 0 && !isTap && !json && Option.isNone(log) && Option.isNone(report)) {
    yield* Console.error("what plugins change is not shown in a pipe without --tap, --json or --log")
  }
  const made: Array<Call> = []
  const told: Array<Record> = []
  let unwritten: Error | undefined

  const tell = Effect.fnUntraced(function*(call: Call) {
    made.push(call)
    const records = [
      ...CallRecords.of(call, chain),
      ...(chain.nested === undefined ? [] : yield* chain.nested.records(call.invocation))
    ]
    told.push(...records)
    const lines = records.map(JsonFormat.render).join("")
    // A log that fails now must not stop the plugins half way.
    yield* Effect.catch(write(lines), (error) => Effect.sync(() => void (unwritten ??= error)))
    if (json) yield* Console.log(lines.trimEnd())
    if (!isTap && !hasFailed(call) && notice(call) !== "") yield* Console.error(notice(call))
  })

  const writeReport = Effect.fnUntraced(function*(file: string) {
    const lines = told.map((record) => JsonFormat.render(record).trimEnd())
    yield* Effect.catch(ReportFile.make(file, lines), (error) => Effect.sync(() => void (unwritten ??= error)))
  })

  return {
    /** Whether people see every plugin. */
    isTap,
    /** Makes the calls, and shows each. */
    run: (calls: Calls) => Stream.runCollect(Stream.tap(calls, tell)),
    /** Shows all calls if the user asked for that, or else the result. Also writes their report. */
    show: Effect.fnUntraced(function*(result?: string) {
      if (isTap) {
        for (const operation of Collector.operations(told, { full })) {
          for (const line of OperationText.render(View.make(operation), style, { full })) yield* Console.log(line)
        }
      } else if (!json && result !== undefined) yield* Console.log(result)
      if (Option.isSome(report)) yield* writeReport(report.value)
    }),
    /** Fails if a call failed. */
    conclude: Effect.fnUntraced(function*(advice = "") {
      const calls = made.filter(hasFailed)
      if (calls.length === 0) return
      const missing = calls.filter(({ file }) => file === undefined).map(({ plugin }) => plugin.type)
      const questions = yield* Effect.forEach(
        [...new Set(missing)],
        (type) => Effect.map(NearPlugin.question(type, chain.cniPath), (question) => question && `${type}: ${question}`)
      )
      return yield* new PluginFailed({
        calls,
        advice: [...questions, advice].filter((line) => line !== "").join("\n  ")
      })
    }),
    /** The last step: fails if something could not be logged. */
    end: Effect.suspend(() =>
      unwritten === undefined ? Effect.void : Effect.fail(new RecordsLost({ cause: unwritten }))
    )
  }
})
