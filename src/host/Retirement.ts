/** How what is ours leaves a folder of plugins: once no process needs it any more. */
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
    AtomicFile.failed(path)
  )
})

/** Whether a command line is of the executable, or of its script in Node.js, around one of these plugins. */
const isAround = (line: ReadonlyArray<string>, at: Stub.Places, names: ReadonlyArray<string> | undefined): boolean => {
  const index = line.indexOf(at.executable)
  if (index === -1) return false
  return names === undefined || names.some((name) => line[index + 1]?.endsWith(`/${name}`))
}

/** The processes that run around one of these plugins, around any of them where none is named. */
const runningAround = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  const fs = yield* FileSystem.FileSystem
  const found: Array<number> = []
  for (const pid of (yield* fs.readDirectory("/proc")).filter((name) => /^\d+$/.test(name))) {
    const line = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/cmdline`), () => "")
    if (isAround(line.split("\0"), at, names)) found.push(Number(pid))
  }
  return found
})

/**
 * Waits until no process runs around plugins that are not wrapped any more, around any plugin where none is named.
 * Returns those that did not end within ten seconds.
 */
export const settle = Effect.fnUntraced(function*(at: Stub.Places, names?: ReadonlyArray<string>) {
  yield* Effect.sleep(graceMs)
  for (let waited = 0;; waited += pauseMs) {
    const running = yield* Effect.orElseSucceed(runningAround(at, names), () => [])
    if (running.length === 0 || waited >= patienceMs) return running
    yield* Effect.sleep(pauseMs)
  }
})

/** Whether runtimes find no stub in a folder any more. */
export const isUnused = (at: Stub.Places) =>
  Effect.map(Survey.make(at), ({ plugins }) => !plugins.some(({ state }) => Survey.hasStub(state)))
