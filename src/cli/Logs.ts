/** Logs that are named on the command line, read as a whole. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Record } from "../record/Record.ts"
import type * as Collector from "../report/Collector.ts"
import { NotRecords } from "../report/LogError.ts"
import * as LogFiles from "../report/LogFiles.ts"
import * as RecordLog from "../report/RecordLog.ts"
import type { Skipped } from "../report/Skipped.ts"

/** Reads files and patterns, of which `-` is stdin; the journal where there are none. */
export const read = Effect.fnUntraced(function*(sources: ReadonlyArray<string>, collector: Collector.Collector) {
  const add = (record: Record) => collector.add(record)
  if (sources.length === 0) return [yield* RecordLog.readJournal(add)]
  const logs: Array<Skipped> = []
  for (const file of yield* LogFiles.resolve(sources)) {
    logs.push(yield* file === "-" ? RecordLog.readStdin(add) : RecordLog.readFile(file, add))
  }
  return logs
})

/** Tells what was passed over, and fails where there was nothing else. */
export const complain = Effect.fnUntraced(function*(logs: ReadonlyArray<Skipped>) {
  const foreign = logs.filter((log) => log.isForeign())
  const [first] = foreign
  if (first !== undefined && foreign.length === logs.length) return yield* new NotRecords({ name: first.name })
  for (const log of logs) {
    const complaints = log.isForeign() ? [new NotRecords({ name: log.name }).message] : log.complaints()
    yield* Effect.forEach(complaints, (line) => Console.error(line))
  }
})
