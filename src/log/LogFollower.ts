/** Operations as they happen: in files, including new ones, on stdin, and in the journal. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { Record } from "../record/Record.ts"
import * as Journal from "./Journal.ts"
import { Unreadable } from "./LogError.ts"
import * as LogFiles from "./LogFiles.ts"
import * as OpenFiles from "./OpenFiles.ts"
import { pipe, Reader } from "./RecordLog.ts"
import * as Tail from "./Tail.ts"

/** What to follow. */
export interface Sources {
  readonly journal: boolean
  /** Files, patterns, and `-` for stdin. */
  readonly logs: ReadonlyArray<string>
}

/** Takes records as they arrive, and decides what to draw. Moments are in milliseconds since 1970. */
export interface Consumer<Piece> {
  readonly add: (record: Record, now: number) => void
  /** What to draw now. */
  readonly due: (now: number) => ReadonlyArray<Piece>
  /** What remains to be drawn once the log has ended. */
  readonly rest: () => ReadonlyArray<Piece>
}

/**
 * The milliseconds between polls of the files, and how many polls pass between searches for new files, unless a pattern
 * has none.
 */
const interval = 250
const looks = 4

type Tell = (message: string) => Effect.Effect<void>

/** Reads a source that delivers bytes by itself, until it ends. */
const drain = (name: string, bytes: Stream.Stream<Uint8Array, unknown>, take: (record: Record) => void, tell: Tell) => {
  const reader = new Reader(name, take)
  return Stream.runForEach(bytes, (chunk) => {
    reader.push(chunk)
    return Effect.forEach(reader.skipped.complaints(), tell)
  }).pipe(
    Effect.mapError((cause) => new Unreadable({ name, cause })),
    Effect.tap(() => Effect.sync(() => reader.end()))
  )
}

const drainJournal = (take: (record: Record) => void, tell: Tell) => {
  const reader = new Reader("journal", take, Journal.recordOf)
  return Effect.andThen(
    Journal.read(true, (bytes) => reader.push(bytes)),
    Effect.suspend(() => Effect.forEach(reader.skipped.complaints(), tell))
  )
}

/** Separates regular files, which are polled, from sources that are read as a stream. */
const sort = Effect.fnUntraced(function*(logs: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const found = { tailed: [] as Array<string>, streamed: [] as Array<string> }
  for (const log of logs) {
    const exists = yield* Effect.orElseSucceed(fs.exists(log), () => false)
    const isStreamed = log === "-" || (exists && (yield* LogFiles.kindOf(log)) !== "File")
    found[isStreamed ? "streamed" : "tailed"].push(log)
  }
  return found
})

/** Follows files, and the files that match patterns. */
const makeTails = (logs: ReadonlyArray<string>, take: (record: Record) => void, tell: Tell) => {
  const tails = new Map<string, ReturnType<typeof Tail.make>>()
  const files = OpenFiles.make()
  const context: Tail.Context = { take, tell, files, inodes: new Set() }
  const waiting = new Set<string>()
  let look = 0
  const expand = Effect.fnUntraced(function*() {
    for (const log of logs) {
      const files = yield* LogFiles.matching(log)
      if (files.length === 0 && !waiting.has(log)) yield* tell(`waiting for a file that matches ${log}`)
      if (files.length === 0) waiting.add(log)
      else waiting.delete(log)
      for (const file of files) {
        // A compressed log was rotated away: nothing is appended to it.
        if (!tails.has(file) && !file.endsWith(".gz")) tails.set(file, Tail.make(file, context))
      }
    }
  })
  return {
    poll: Effect.suspend(() => {
      files.lookAnew()
      return Effect.andThen(
        // The first file of a pattern may have the records that the caller waits for.
        look++ % looks === 0 || waiting.size > 0 ? expand() : Effect.void,
        Effect.suspend(() => Effect.forEach([...tails.values()], (poll) => poll))
      )
    }),
    close: files.closeAll
  }
}

/**
 * What to draw, as it happens. The stream ends only if no file is polled and all other sources have ended. `tell`
 * reports files that are waited for, and lines that are not records.
 */
export const pieces = Effect.fnUntraced(function*<Piece>(
  { journal, logs }: Sources,
  following: Consumer<Piece>,
  tell: Tell
) {
  const { stdin } = yield* Stdio.Stdio
  const clock = yield* Clock.Clock
  const take = (record: Record) => following.add(record, clock.currentTimeMillisUnsafe())
  const { streamed, tailed } = yield* sort(logs)
  const tails = makeTails(tailed, take, tell)
  yield* Effect.addFinalizer(() => tails.close)
  const fibers = yield* Effect.forEach([
    ...(journal ? [drainJournal(take, tell)] : []),
    ...streamed.map((log) => drain(log === "-" ? "stdin" : log, log === "-" ? stdin : pipe(log), take, tell))
  ], (reading) => Effect.forkScoped(reading))

  const tick = Effect.fnUntraced(function*(isFirst: boolean) {
    if (!isFirst) yield* Effect.sleep(interval)
    yield* tails.poll
    const isOver = tailed.length === 0 && fibers.every((fiber) => fiber.pollUnsafe() !== undefined)
    for (const fiber of fibers) if (fiber.pollUnsafe() !== undefined) yield* Fiber.join(fiber)
    const due: ReadonlyArray<Piece> = following.due(clock.currentTimeMillisUnsafe())
    return [isOver ? [...due, ...following.rest()] : due, isOver ? Option.none() : Option.some(false)] as const
  })
  return Stream.paginate(true, tick)
})
