/**
 * How long containers have been gone. A single look cannot see when a container ended, only when the files that it left
 * were written. A process that looks repeatedly knows when it first found something left behind.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { Leak } from "../../../doctor/Leaks.ts"
import * as Search from "./Search.ts"

/** Leftovers by their age. */
export interface ByAge {
  readonly old: ReadonlyArray<Leak>
  /** Those that are not known to be old enough. */
  readonly recent: ReadonlyArray<Leak>
}

/** When the newest of these files was written, in milliseconds since 1970; undefined if none is there. */
const newest = Effect.fnUntraced(function*(files: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const infos = yield* Effect.forEach(files, (file) => Effect.option(fs.stat(file)))
  const times = infos.flatMap((info) => Option.toArray(Option.flatMap(info, ({ mtime }) => mtime)))
  return times.length === 0 ? undefined : Math.max(...times.map((time) => time.getTime()))
})

/** Splits leftovers by when their files were written. What has no file, such as a rule alone, counts as recent. */
export const byFiles = Effect.fnUntraced(function*(found: ReadonlyArray<Leak>, older: number) {
  const now = yield* Clock.currentTimeMillis
  const [old, recent] = yield* Effect.partition(
    found,
    Effect.fnUntraced(function*(leak) {
      const time = yield* newest(leak.files)
      return yield* time !== undefined && now - time >= older ? Effect.succeed(leak) : Effect.fail(leak)
    })
  )
  return { old, recent } satisfies ByAge as ByAge
})

const nanosPerMilli = 1_000_000n

/** Remembers since when each leftover has been found without a break. */
export const makeSightings = () => {
  let first = new Map<string, bigint>()
  /** A file that was written since then belongs to an attachment that was alive in between. */
  const keyOf = (leak: Leak) => Effect.map(newest(leak.files), (time) => `${Search.key(leak)} ${time ?? ""}`)
  return {
    /** Splits what a look found. The clock is monotonic, so setting the time of the host changes nothing. */
    split: Effect.fnUntraced(function*(found: ReadonlyArray<Leak>, older: number) {
      const now = yield* Clock.monotonicTimeNanos
      const keyed = yield* Effect.forEach(found, (leak) => Effect.map(keyOf(leak), (key) => ({ key, leak })))
      first = new Map(keyed.map(({ key }) => [key, first.get(key) ?? now]))
      const isOld = ({ key }: (typeof keyed)[number]) =>
        Number((now - (first.get(key) ?? now)) / nanosPerMilli) >= older
      return {
        old: keyed.filter(isOld).map(({ leak }) => leak),
        recent: keyed.filter((each) => !isOld(each)).map(({ leak }) => leak)
      } satisfies ByAge as ByAge
    })
  }
}
