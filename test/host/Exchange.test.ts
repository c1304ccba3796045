/** Files that change places at once, where the kernel is asked for that, and where it cannot be. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Exchange from "../../src/host/Exchange.ts"
import * as Command from "../support/command.ts"
import { withLibc } from "../support/libc.ts"
import { temporary } from "../support/plugin.ts"

/** The module anew: it looks for the C library once. */
const load = () => {
  vi.resetModules()
  return Effect.promise(() => import("../../src/host/Exchange.ts"))
}

const make = () => {
  const folder = temporary()
  const [from, place] = [`${folder.path}/new`, `${folder.path}/place`]
  Fs.writeFileSync(from, "new")
  Fs.writeFileSync(place, "old")
  const files = () =>
    Object.fromEntries(
      Fs.readdirSync(folder.path).map((name) => [name, Fs.readFileSync(`${folder.path}/${name}`, "utf8")])
    )
  return { from, place, files, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

/** Whether a file has this text. */
const has = (text: string) => (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(fs.readFileString(file), (found) => found === text))

/** renameat2(2) as the kernel does it for two files that are to change places. */
const renameat2 = (
  number: number,
  folder: number,
  one: Uint8Array,
  otherFolder: number,
  other: Uint8Array,
  flags: number
): number => {
  const expected = [process.arch === "arm64" ? 276 : 316, -100, -100, 2]
  if (JSON.stringify([number, folder, otherFolder, flags]) !== JSON.stringify(expected)) return -1
  const [from, to] = [one, other].map((path) => {
    const text = Buffer.from(path).toString()
    return text.endsWith("\0") ? text.slice(0, -1) : ""
  }) as [string, string]
  if (!Fs.existsSync(from) || !Fs.existsSync(to)) return -1
  Fs.renameSync(from, `${from}.between`)
  Fs.renameSync(to, from)
  Fs.renameSync(`${from}.between`, to)
  return 0
}

const withSyscall = (call: typeof renameat2) =>
  withLibc({ syscall: { args: ["i32", "i32", "ptr", "i32", "ptr", "u32"], returns: "i32", call } })

/** Hosts, and where what is to be replaced is looked at for the second time: where it went, or where it still is. */
const hosts: {
  readonly [name: string]: readonly [prepare: (() => Disposable) | undefined, second: "new" | "place"]
} = {
  "where two files can change places at once": [() => withSyscall(renameat2), "new"],
  "where the file system cannot do that": [() => withSyscall(() => -1), "place"],
  "where the C library cannot be called": [undefined, "place"]
}

for (const [where, [prepare, second]] of Object.entries(hosts)) {
  describe(`a file that is put into a place, ${where},`, () => {
    const test = (
      name: string,
      body: (
        exchange: typeof Exchange
      ) => Effect.Effect<void, unknown, FileSystem.FileSystem>
    ) =>
      it.effect(name, () =>
        Effect.gen(function*() {
          using _ = prepare?.() ?? { [Symbol.dispose]: () => {} }
          yield* body(yield* load())
        }).pipe(Effect.provide(Command.host)))

    test("replaces what was expected there, and leaves nothing else", (Exchange) =>
      Effect.gen(function*() {
        using files = make()
        const { ino } = Fs.statSync(files.from)
        assert.isTrue(yield* Exchange.put(files.from, files.place, has("old")))
        assert.deepStrictEqual(files.files(), { place: "new" })
        assert.strictEqual(Fs.statSync(files.place).ino, ino)
      }))

    test("leaves what was not expected there", (Exchange) =>
      Effect.gen(function*() {
        using files = make()
        assert.isFalse(yield* Exchange.put(files.from, files.place, has("older")))
        assert.deepStrictEqual(files.files(), { new: "new", place: "old" })
      }))

    test("leaves what came there since the first look", (Exchange) =>
      Effect.gen(function*() {
        using files = make()
        const looks: Array<string> = []
        const isExpected = (file: string) =>
          Effect.tap(has("old")(file), () =>
            Effect.sync(() => {
              if (looks.length === 0) Fs.writeFileSync(files.place, "of another program")
              looks.push(Path.basename(file))
            }))
        assert.isFalse(yield* Exchange.put(files.from, files.place, isExpected))
        assert.deepStrictEqual(files.files(), { new: "new", place: "of another program" })
        assert.deepStrictEqual(looks, ["place", second])
      }))
  })
}
