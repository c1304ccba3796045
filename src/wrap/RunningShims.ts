/** Finds and awaits the processes that still need our files in a folder of plugins, and removes the files after that. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "node:path"
import * as AtomicFile from "../host/AtomicFile.ts"
import type * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"

/** How long the kernel may take from the start of a stub to the executable that it names, in milliseconds. */
const graceMs = 200

/** How long to wait for processes that run around plugins, and how often to look, in milliseconds. */
const patienceMs = 10_000
const pauseMs = 100

/** Removes a file, or a folder with its content, if it exists. */
export const removeAll = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    fs.remove(path, { recursive: true, force: true }),
    AtomicFile.failed(path)
  )
})

/** The index of our executable's path in a command line. The kernel inserts it before the path of the stub. */
const indexIn = (line: ReadonlyArray<string>, exe: string | undefined, executable: string): number | undefined => {
  const [first = "", second = "", third = ""] = line
  const isProgram = exe === executable || exe === `${executable} (deleted)`
  if (isProgram || (exe === undefined && first === executable)) return 0
  // The script form: its first line names env, which execs Node.js.
  const name = Path.basename(exe ?? first)
  if (name === "env" && third === executable) return 2
  return /^(?:node|nodejs|env|busybox|coreutils)$/.test(name) && second === executable ? 1 : undefined
}

/** The part of a running process that we may see. */
const processOf = Effect.fnUntraced(function*(pid: string) {
  const fs = yield* FileSystem.FileSystem
  const line = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/cmdline`), () => "")
  // Without CAP_SYS_PTRACE, /proc hides the executable of a process with more capabilities.
  const exe = yield* Effect.orElseSucceed(fs.readLink(`/proc/${pid}/exe`), () => undefined)
  return { exe, line: line.split("\0") }
})

/**
 * The shims that run one of these plugins, or any plugin if none is named. A path in another program's arguments does
 * not count, because any user can put it there.
 */
const runningAround = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  const fs = yield* FileSystem.FileSystem
  const found: Array<number> = []
  for (const pid of (yield* fs.readDirectory("/proc")).filter((name) => /^\d+$/.test(name))) {
    const { exe, line } = yield* processOf(pid)
    const index = indexIn(line, exe, at.executable)
    if (index === undefined) continue
    if (names?.some((name) => line[index + 1]?.endsWith(`/${name}`)) ?? true) found.push(Number(pid))
  }
  return found
})

/**
 * Waits until no process runs around the named plugins, or around any plugin if none is named. Returns the processes
 * that did not end within ten seconds.
 */
export const settle = Effect.fnUntraced(function*(at: Stub.Places, names?: ReadonlyArray<string>) {
  yield* Effect.sleep(graceMs)
  for (let waited = 0;; waited += pauseMs) {
    const running = yield* Effect.orElseSucceed(runningAround(at, names), () => [])
    if (running.length === 0 || waited >= patienceMs) return running
    yield* Effect.sleep(pauseMs)
  }
})

/** Whether nothing in a folder still needs our files. */
export const isUnused = (at: Stub.Places) =>
  Effect.map(
    Survey.make(at),
    ({ plugins }) => !plugins.some(({ isNeeded, state }) => isNeeded || Survey.hasStub(state))
  )
