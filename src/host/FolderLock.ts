/**
 * Lets one process at a time change a folder. Each has a file of its own there, whose name says which process it is: so
 * one that was killed holds nothing, and no process ever removes what another one relies on.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { failed } from "./AtomicFile.ts"

/** Another process did not end changing a folder. */
export class FolderBusy extends Data.TaggedError("FolderBusy")<{ readonly folder: string; readonly pid: number }> {
  override readonly message = `process ${this.pid} is changing ${this.folder}, and has not ended within ${
    patienceMs / 1000
  } s: try again later`
}

/** How long another process is waited for, and how often to look, in milliseconds. */
const patienceMs = 30_000
const pauseMs = 50

const prefix = ".passthrough.lock"

/** When a process started, in ticks since the host did: tells it from others that get its ID later. */
const startOf = Effect.fnUntraced(function*(pid: number) {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/stat`), () => "")
  return stat.slice(stat.lastIndexOf(")") + 1).trim().split(" ")[19]
})

/** The other processes that hold or want this folder. The files of those that are no more are removed. */
const rivals = Effect.fnUntraced(function*(folder: string, own: string) {
  const fs = yield* FileSystem.FileSystem
  const living: Array<number> = []
  for (const name of yield* fs.readDirectory(folder)) {
    const [, pid = "", start] = /^\.passthrough\.lock\.(\d+)\.(\d+)$/.exec(name) ?? []
    if (start === undefined || name === own) continue
    if ((yield* startOf(Number(pid))) === start) living.push(Number(pid))
    else yield* fs.remove(`${folder}/${name}`, { force: true })
  }
  return living
})

/** Removes what processes left in a folder that were killed while they held it. */
export const cleanUp = (folder: string) => Effect.asVoid(rivals(folder, ""))

/** Waits until no other process holds the folder. Of several that want it, the one with the lowest ID goes first. */
const take = Effect.fnUntraced(function*(folder: string, own: string) {
  const fs = yield* FileSystem.FileSystem
  const file = `${folder}/${own}`
  for (let waited = 0;; waited += pauseMs) {
    yield* fs.writeFileString(file, "")
    const [first, ...others] = yield* rivals(folder, own)
    if (first === undefined) return
    if (Math.min(first, ...others) < process.pid) yield* fs.remove(file, { force: true })
    if (waited >= patienceMs) return yield* new FolderBusy({ folder, pid: first })
    yield* Effect.sleep(pauseMs)
  }
})

/** Runs `effect` while no other process that does the same runs one for this folder. */
export const hold = Effect.fnUntraced(function*<A, E, R>(folder: string, effect: Effect.Effect<A, E, R>) {
  const fs = yield* FileSystem.FileSystem
  const own = `${prefix}.${process.pid}.${yield* startOf(process.pid)}`
  return yield* take(folder, own).pipe(
    Effect.catchTag(
      "PlatformError",
      (cause) => Effect.fail(failed(folder)(cause))
    ),
    Effect.andThen(effect),
    Effect.ensuring(Effect.ignore(fs.remove(`${folder}/${own}`, { force: true })))
  )
})
