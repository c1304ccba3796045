/** How our folder leaves a folder of plugins, once no plugin is wrapped any more. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as AtomicFile from "./AtomicFile.ts"
import type * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"

/** How long the kernel may take from the stub that it was told to start to the executable, in milliseconds. */
const graceMs = 200

/** How long processes that run around plugins are waited for, and how often to look, in milliseconds. */
const patienceMs = 10_000
const pauseMs = 100

/** Removes a file, or a folder with all that is in it, where it is there. */
export const removeAll = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    fs.remove(path, { recursive: true, force: true }),
    (cause) => new AtomicFile.NotWritten({ path, reason: AtomicFile.reasonOf(cause), cause })
  )
})

/** The processes that run the executable, also as a script of Node.js. */
const runningIt = Effect.fnUntraced(function*({ executable }: Stub.Places) {
  const fs = yield* FileSystem.FileSystem
  const found: Array<number> = []
  for (const pid of (yield* fs.readDirectory("/proc")).filter((name) => /^\d+$/.test(name))) {
    const program = yield* Effect.orElseSucceed(fs.readLink(`/proc/${pid}/exe`), () => "")
    const line = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/cmdline`), () => "")
    if (program === executable || line.split("\0").includes(executable)) found.push(Number(pid))
  }
  return found
})

/**
 * Removes our folder where no plugin is wrapped, once no process runs the executable any more. Returns the processes
 * for which the folder stays, because they did not end within ten seconds.
 */
export const retire = Effect.fnUntraced(function*(at: Stub.Places) {
  const { plugins } = yield* Survey.make(at)
  if (plugins.some(({ state }) => state === "wrapped" || state === "lost")) return []
  yield* Effect.sleep(graceMs)
  for (let waited = 0;; waited += pauseMs) {
    const running = yield* Effect.orElseSucceed(runningIt(at), () => [])
    if (running.length === 0) break
    if (waited >= patienceMs) return running
    yield* Effect.sleep(pauseMs)
  }
  yield* removeAll(at.own)
  return []
})
