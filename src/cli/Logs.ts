/** The logs that commands read: files and patterns, or stdin. */
import * as Argument from "effect/cli/Argument"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { NothingRead } from "../log/LogError.ts"
import * as LogFiles from "../log/LogFiles.ts"
import * as RecordLog from "../log/RecordLog.ts"
import type { SkippedLines } from "../log/SkippedLines.ts"
import { fileOrName } from "./Flags.ts"
import * as NeverCalled from "./NeverCalled.ts"
import * as OnHost from "./OnHost.ts"

/** The logs of a command line. */
export const argument = fileOrName("log").pipe(
  Argument.withDescription(
    `Files with JSON records, also compressed by gzip, or patterns such as '${LogFiles.defaultPattern}'; - for stdin`
  ),
  Argument.variadic()
)

/**
 * The logs to read: those that are named, of which `-` is stdin. Without any, it reads stdin to its end, or on a
 * terminal the logs in the default place. `canWait`: the logs need not exist yet.
 */
export const sources = Effect.fnUntraced(function*(logs: ReadonlyArray<string>, canWait = false) {
  if (logs.length > 0) return logs
  const { stdinIsTerminal } = yield* Stdio.Stdio
  if (!(yield* stdinIsTerminal)) return ["-"]
  // Records are not typed into a terminal.
  if (!canWait && (yield* LogFiles.matching(LogFiles.defaultPattern)).length === 0) {
    const explanation = yield* NeverCalled.explain(LogFiles.defaultPattern)
    if (explanation !== undefined) return yield* explanation
    yield* Console.error(`no file matches ${LogFiles.defaultPattern}; waiting for records on stdin, until Ctrl-D`)
    return ["-"]
  }
  yield* Console.error(`reading ${LogFiles.defaultPattern}`)
  return [LogFiles.defaultPattern]
})

/** Flags that contradict each other. */
class Contradiction extends Data.TaggedError("Contradiction")<{ readonly message: string }> {}

/** The flags of commands that read the journal, or files and patterns, of which `-` is stdin. */
interface Chosen extends OnHost.Asked {
  readonly logs: ReadonlyArray<string>
  readonly journald: boolean
  readonly follow: boolean
}

/** The logs that these flags choose, as this command finds them; none for the journal. */
export const chosen = Effect.fnUntraced(function*({ follow, hostRoot, journald, logs }: Chosen) {
  if (journald && logs.length > 0) {
    return yield* new Contradiction({
      message: `--journald reads the journal, and not ${logs.join(" ")}: name one of both`
    })
  }
  return journald ? [] : yield* sources(logs.map((log) => OnHost.seenFile({ hostRoot }, log)), follow)
})

/** Reads all of these logs, one after the other, or the journal if there are none. */
export const read = Effect.fnUntraced(function*<E = never>(
  sources: ReadonlyArray<string>,
  take: RecordLog.Take,
  pace: RecordLog.Pace<E> = Effect.void
) {
  if (sources.length === 0) return [yield* RecordLog.readJournal(take)]
  const logs: Array<SkippedLines> = []
  for (const file of yield* NeverCalled.explained(LogFiles.resolve(sources))) {
    logs.push(
      yield* file === "-"
        ? RecordLog.readStdin(take, pace)
        : NeverCalled.explained(RecordLog.readFile(file, take, pace))
    )
  }
  return logs
})

/**
 * Reports what was skipped. Fails if nothing else was read, or if no log was named and stdin was empty, because then
 * finding nothing means nothing.
 */
export const complain = Effect.fnUntraced(function*(logs: ReadonlyArray<SkippedLines>, named: ReadonlyArray<string>) {
  const foreign = logs.filter((log) => log.isForeign())
  const [first] = foreign
  if (first !== undefined && foreign.length === logs.length) return yield* first.error()
  if (named.length === 0 && logs.some((log) => log.name === RecordLog.stdinName && log.isEmpty())) {
    return yield* new NothingRead({ example: LogFiles.defaultPattern })
  }
  for (const log of logs) {
    const complaints = log.isForeign() ? [log.error().message] : log.complaints()
    yield* Effect.forEach(complaints, (line) => Console.error(line))
  }
})

/**
 * The records of these networks as texts, from these logs or else from those in the default place. Empty if none can be
 * read.
 */
export const ofNetworks = Effect.fnUntraced(
  function*(logs: ReadonlyArray<string>, networks: ReadonlyArray<string>) {
    const texts: Array<string> = []
    yield* read(logs.length > 0 ? logs : [LogFiles.defaultPattern], (record, text) => {
      if (networks.includes(record.network ?? "")) texts.push(text.trim())
    })
    return texts
  },
  Effect.orElseSucceed((): ReadonlyArray<string> => [])
)
