/** Files that are read again and again, few of them open at a time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as OpenFiles from "../../src/log/OpenFiles.ts"
import { files } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"

describe("a file", () => {
  it("is another one on another device, whatever the digits of both numbers", () => {
    const inodeOf = (dev: number, ino: bigint) => OpenFiles.inodeOf({ dev, ino: Option.some(ino) } as never)
    assert.notStrictEqual(inodeOf(1, 11n), inodeOf(11, 1n))
  })
})

describe("the folder of files that are not open", () => {
  /** Two files, whose state is asked in each round. Says how often their folder was read. */
  const round = (change: (path: string) => void) =>
    Effect.gen(function*() {
      using folder = temporary()
      const fs = yield* FileSystem.FileSystem
      const opened = OpenFiles.make()
      const known = yield* Effect.forEach(["a", "b"], (name) => {
        const path = `${folder.path}/${name}`
        Fs.writeFileSync(path, name)
        return Effect.map(fs.stat(path), (info) => ({ path, inode: OpenFiles.inodeOf(info) }))
      })
      known.forEach(({ path }) => change(path))
      reads = 0
      const infos = yield* Effect.forEach(known, opened.stat)
      return { reads, paths: known.map(({ path }) => path.slice(folder.path.length)), there: infos.map(Boolean) }
    }).pipe(Effect.provide(counted))
  let reads = 0
  const counted = files((fs) => ({
    readDirectory: (path, options) => Effect.suspend(() => (reads++, fs.readDirectory(path, options)))
  }))

  it.effect("is not read while they have their names", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* round(() => {}), { reads: 0, paths: ["/a", "/b"], there: [true, true] })
    }))

  it.effect("is read once for all that were renamed", () =>
    Effect.gen(function*() {
      const renamed = yield* round((path) => Fs.renameSync(path, `${path}.1`))
      assert.deepStrictEqual(renamed, { reads: 1, paths: ["/a.1", "/b.1"], there: [true, true] })
    }))

  it.effect("is read once for all that are gone", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* round((path) => Fs.rmSync(path)), {
        reads: 1,
        paths: ["/a", "/b"],
        there: [false, false]
      })
    }))
})

describe("files that are read", () => {
  let opens = 0
  const counted = files((fs) => ({
    open: (path, options) => Effect.suspend(() => (opens++, fs.open(path, options)))
  }))

  /** Files of a folder, as many as asked for. */
  const filesIn = Effect.fnUntraced(function*(folder: string, count: number) {
    const fs = yield* FileSystem.FileSystem
    return yield* Effect.forEach(Array.from({ length: count }), (_, index) => {
      const path = `${folder}/log-${index}`
      Fs.writeFileSync(path, "")
      return Effect.map(fs.stat(path), (info) => ({ path, inode: OpenFiles.inodeOf(info) }))
    })
  })

  it.effect("are open 64 at a time, and those that were read last stay open", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const opened = OpenFiles.make()
      const known = yield* filesIn(folder.path, 65)
      opens = 0
      /** How many files are opened to get these. */
      const opening = Effect.fnUntraced(function*(...all: ReadonlyArray<number>) {
        const before = opens
        for (const index of all) assert.isDefined(yield* opened.get(known[index]!))
        return opens - before
      })
      assert.strictEqual(yield* opening(...Array.from({ length: 64 }, (_, index) => index)), 64)
      assert.strictEqual(yield* opening(0), 0)
      assert.strictEqual(yield* opening(64), 1)
      assert.strictEqual(yield* opening(0, 2, 63, 64), 0)
      assert.strictEqual(yield* opening(1), 1)
      yield* opened.closeAll
      assert.strictEqual(yield* opening(0), 1)
      yield* opened.closeAll
    }).pipe(Effect.provide(counted)))

  it.effect("are not opened where another file has their name", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const opened = OpenFiles.make()
      const [one, other] = yield* filesIn(folder.path, 2)
      Fs.renameSync(other!.path, one!.path)
      assert.isUndefined(yield* opened.get(one!))
      assert.isDefined(yield* opened.get({ ...other!, path: one!.path }))
      yield* opened.closeAll
    }).pipe(Effect.provide(counted)))
})
