/** One process at a time changes a folder. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as FolderLock from "../../src/host/FolderLock.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import { hurried } from "../support/wrapped.ts"

const startOf = (pid: number): string =>
  Fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? ""

/** The file by which a process holds a folder. */
const fileOf = (pid: number, start = startOf(pid)) => `.passthrough.lock.${pid}.${start}`

/** A process that lives until the test ends. */
const living = () => {
  const child = ChildProcess.spawn("sleep", ["60"])
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => void child.kill("SIGKILL") }
}

describe("a folder that is changed", () => {
  it.effect("is held by this process meanwhile, and not after it, also where that fails", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const look = Effect.sync(() => Fs.readdirSync(folder.path))
      assert.deepStrictEqual(yield* FolderLock.hold(folder.path, look), [fileOf(process.pid)])
      yield* Effect.exit(FolderLock.hold(folder.path, Effect.die("a defect")))
      assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("is not held by a process that is no more, nor by a later one of the same ID", () =>
    Effect.gen(function*() {
      using folder = temporary()
      for (const name of [fileOf(4194305, "1"), fileOf(1, "1")]) Fs.writeFileSync(`${folder.path}/${name}`, "")
      const look = Effect.sync(() => Fs.readdirSync(folder.path))
      assert.deepStrictEqual(yield* FolderLock.hold(folder.path, look), [fileOf(process.pid)])
    }).pipe(Effect.provide(Command.host)))

  it.effect("is waited for, and given up with the process named that holds it", () =>
    Effect.gen(function*() {
      using folder = temporary()
      using other = living()
      Fs.writeFileSync(`${folder.path}/${fileOf(other.pid)}`, "")
      const error = yield* Effect.flip(hurried(FolderLock.hold(folder.path, Effect.die("must not run"))))
      assert.strictEqual(
        (error as Error).message,
        `process ${other.pid} is changing ${folder.path}, and has not ended within 30 s: try again later`
      )
      assert.deepStrictEqual(Fs.readdirSync(folder.path), [fileOf(other.pid)])
    }).pipe(Effect.provide(Command.host)))

  it.effect("is taken when the other process has ended", () =>
    Effect.gen(function*() {
      using folder = temporary()
      using other = living()
      const file = `${folder.path}/${fileOf(other.pid)}`
      Fs.writeFileSync(file, "")
      setTimeout(() => Fs.rmSync(file), 20)
      yield* hurried(FolderLock.hold(folder.path, Effect.sync(() => assert.isFalse(Fs.existsSync(file)))))
    }).pipe(Effect.provide(Command.host)))

  it.effect("that cannot be written is an error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(FolderLock.hold("/proc/none", Effect.void))
      assert.strictEqual(error.message, "cannot write /proc/none: there is no such file or folder")
    }).pipe(Effect.provide(Command.host)))
})
