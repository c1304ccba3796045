/** One process at a time changes a folder. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as FolderLock from "../../src/host/FolderLock.ts"
import * as Command from "../support/command.ts"
import { files } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import { holds } from "../support/until.ts"
import { hurried } from "../support/wrapped.ts"

const startOf = (pid: number): string =>
  Fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? ""

const [ownNamespace = ""] = /\d+/.exec(Fs.readlinkSync("/proc/self/ns/pid")) ?? []

/** The file by which a process holds a folder. */
const fileOf = (pid: number, start = startOf(pid), namespace = ownNamespace) =>
  `.passthrough.lock.${pid}.${start}.${namespace}`

/** A namespace of process IDs that this process is not in. */
const otherNamespace = "1"

const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000)

/** A process that lives until the test ends. */
const living = () => {
  const child = ChildProcess.spawn("sleep", ["60"])
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => void child.kill("SIGKILL") }
}

describe("a folder that is changed", () => {
  it.effect("is held by an empty file that only its owner may read", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const look = Effect.sync(() => Fs.statSync(`${folder.path}/${fileOf(process.pid)}`))
      assert.include(yield* FolderLock.hold(folder.path, look), { mode: 0o100600, size: 0 })
    }).pipe(Effect.provide(Command.host)))

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

  it.effect("is looked at every 50 ms for 30 s", () =>
    Effect.gen(function*() {
      using folder = temporary()
      using other = living()
      Fs.writeFileSync(`${folder.path}/${fileOf(other.pid)}`, "")
      let looks = 0
      const counted = files((fs) => ({
        readDirectory: (path) => Effect.suspend(() => (looks++, fs.readDirectory(path)))
      }))
      yield* Effect.provide(Effect.flip(hurried(FolderLock.hold(folder.path, Effect.void))), counted)
      assert.strictEqual(looks, 30_000 / 50 + 1)
    }))

  for (const [order, namespace, gives] of [["an earlier", "1", true], ["a later", "9999999999", false]] as const) {
    const what = gives ? "is left to" : "is not left to"
    it.effect(`${what} a process with our ID in ${order} namespace that wants it too`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        Fs.writeFileSync(`${folder.path}/${fileOf(process.pid, "1", namespace)}`, "")
        const own = `${folder.path}/${fileOf(process.pid)}`
        let removals = 0
        const counted = files((fs) => ({
          remove: (path, options) =>
            Effect.suspend(() => {
              if (path === own) removals++
              return fs.remove(path, options)
            })
        }))
        yield* Effect.provide(Effect.flip(hurried(FolderLock.hold(folder.path, Effect.void))), counted)
        if (gives) assert.isAbove(removals, 1)
        else assert.strictEqual(removals, 1, "at the end")
      }))
  }

  it.effect("is not held by a process whose file another one removes first", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const removed = files((fs) => ({
        readDirectory: (path) => Effect.map(fs.readDirectory(path), (names) => [...names, fileOf(4194305, "1")])
      }))
      assert.isTrue(yield* Effect.provide(FolderLock.hold(folder.path, Effect.succeed(true)), removed))
    }))

  it.effect("is taken when the other process has ended", () =>
    Effect.gen(function*() {
      using folder = temporary()
      using other = living()
      const file = `${folder.path}/${fileOf(other.pid)}`
      Fs.writeFileSync(file, "")
      setTimeout(() => Fs.rmSync(file), 20)
      const look = Effect.sync(() => Fs.readdirSync(folder.path))
      assert.deepStrictEqual(yield* hurried(FolderLock.hold(folder.path, look)), [fileOf(process.pid)])
    }).pipe(Effect.provide(Command.host)))

  it.effect("is held by a process of another PID namespace as long as that renews its file", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/${fileOf(4194305, "1", otherNamespace)}`
      Fs.writeFileSync(file, "")
      const error = yield* Effect.flip(hurried(FolderLock.hold(folder.path, Effect.die("must not run"))))
      assert.match((error as Error).message, /^process 4194305 is changing /)
      Fs.utimesSync(file, secondsAgo(60), secondsAgo(60))
      const look = Effect.sync(() => Fs.readdirSync(folder.path))
      assert.deepStrictEqual(yield* FolderLock.hold(folder.path, look), [fileOf(process.pid)])
    }).pipe(Effect.provide(Command.host)))

  it.effect("has a file that is renewed all the while", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/${fileOf(process.pid)}`
      const renewed = Effect.gen(function*() {
        Fs.utimesSync(file, secondsAgo(60), secondsAgo(60))
        yield* TestClock.adjust(1000)
        yield* holds(() => Date.now() - Fs.statSync(file).mtimeMs < 50_000)
      })
      yield* FolderLock.hold(folder.path, renewed)
    }).pipe(Effect.provide(Command.host)))

  const full = (code: string) =>
    Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) =>
        FileSystem.FileSystem.of({
          ...fs,
          writeFileString: () =>
            Effect.fail(PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "writeFile",
              cause: Object.assign(new Error(`${code}: no space left on device, open '/a'`), { code })
            }))
        }))
    ).pipe(Layer.provideMerge(Command.host))

  for (const code of ["ENOSPC", "EDQUOT"]) {
    it.effect(`can be held without a file where there is no room for one, unless another process holds it: ${code}`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const error = yield* Effect.flip(FolderLock.hold(folder.path, Effect.die("must not run")))
        assert.strictEqual((error as Error).message, `cannot write ${folder.path}: no space left on device`)
        assert.isTrue(yield* FolderLock.hold(folder.path, Effect.succeed(true), { evenIfFull: true }))
        using later = living()
        for (const pid of [1, later.pid]) {
          const file = `${folder.path}/${fileOf(pid)}`
          Fs.writeFileSync(file, "")
          const held = FolderLock.hold(folder.path, Effect.die("must not run"), { evenIfFull: true })
          assert.match(((yield* Effect.flip(hurried(held))) as Error).message, new RegExp(`^process ${pid} `))
          Fs.rmSync(file)
        }
      }).pipe(Effect.provide(full(code))))
  }

  it.effect("that cannot be written is an error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(FolderLock.hold("/proc/none", Effect.void))
      assert.strictEqual(error.message, "cannot write /proc/none: there is no such file or folder")
    }).pipe(Effect.provide(Command.host)))
})
