/** The time when `wrap --for` ends. It also holds for runs that start again before then. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as AtomicFile from "../../../host/AtomicFile.ts"

/** The file does not contain a time. */
export class NotATime extends Data.TaggedError("NotATime")<{ readonly file: string; readonly found: string }> {
  override readonly message = `${this.file}: found ${
    JSON.stringify(this.found)
  }, expected a time such as 2026-01-31T12:00:00.000Z`
}

/** When the time is up. */
export interface Deadline {
  /** In milliseconds since 1970. */
  readonly time: number
  /** Whether an earlier run set it. */
  readonly isOlder: boolean
}

/**
 * The deadline in `length` milliseconds. A named file stores it, and a deadline that the file already has counts
 * instead.
 */
export const begin = Effect.fnUntraced(function*(length: number, file: Option.Option<string>) {
  const fs = yield* FileSystem.FileSystem
  const time = (yield* Clock.currentTimeMillis) + length
  if (Option.isNone(file)) return { time, isOlder: false } satisfies Deadline
  yield* AtomicFile.checkOwner(file.value)
  const text = yield* Effect.option(fs.readFileString(file.value))
  if (Option.isSome(text)) {
    const found = text.value.trim()
    const older = Date.parse(found)
    if (Number.isNaN(older)) return yield* new NotATime({ file: file.value, found })
    return { time: older, isOlder: true } satisfies Deadline
  }
  yield* AtomicFile.replaceText(file.value, `${new Date(time).toISOString()}\n`)
  return { time, isOlder: false } satisfies Deadline
})

/** Timers of Node.js reach no further than 24 days. */
const longestSleep = 86_400_000

/** Waits until a time, which is in milliseconds since 1970. */
export const wait: (time: number) => Effect.Effect<void> = Effect.fnUntraced(function*(time: number) {
  for (;;) {
    const left = time - (yield* Clock.currentTimeMillis)
    if (left <= 0) return
    yield* Effect.sleep(Math.min(left, longestSleep))
  }
})
