/** Whether two files are the same, by what they are or by what is in them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { hasSameContent } from "../../src/host/SameContent.ts"
import * as Survey from "../../src/wrap/Survey.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const mebibyte = 1_048_576

describe("the content of two files", () => {
  for (const size of [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte, 3 * mebibyte + 5]) {
    it.effect(`is compared to the last of ${size} bytes`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const [one, other] = [`${folder.path}/one`, `${folder.path}/other`]
        const bytes = Buffer.alloc(size, "x")
        Fs.writeFileSync(one, bytes)
        Fs.writeFileSync(other, bytes)
        assert.isTrue(yield* hasSameContent(one, other))
        if (size === 0) return
        bytes[size - 1] = 0
        Fs.writeFileSync(other, bytes)
        assert.isFalse(yield* hasSameContent(one, other))
        Fs.writeFileSync(other, bytes.subarray(0, size - 1))
        assert.isFalse(yield* hasSameContent(one, other))
      }).pipe(Effect.provide(Command.host)))
  }
})

/** Two files with two names each, as an overlay shows one file that it copied up. */
const alike = (path: string, content: string, otherContent: string, mode = 0o755) => {
  const time = new Date("2026-01-02T03:04:05Z")
  for (const [name, text] of [["one", content], ["other", otherContent]] as const) {
    Fs.writeFileSync(`${path}/${name}`, text)
    Fs.chmodSync(`${path}/${name}`, name === "one" ? 0o755 : mode)
    Fs.linkSync(`${path}/${name}`, `${path}/${name}-again`)
    Fs.utimesSync(`${path}/${name}`, time, time)
  }
}

describe("two paths", () => {
  const isSame = (path: string, one: string, other: string) => Survey.isSame(`${path}/${one}`, `${path}/${other}`)
  const test = (name: string, expected: boolean, make: (path: string) => void) =>
    it.effect(name, () =>
      Effect.gen(function*() {
        using folder = temporary()
        make(folder.path)
        assert.strictEqual(yield* isSame(folder.path, "one", "other"), expected)
      }).pipe(Effect.provide(Command.host)))

  test("of one file are the same", true, (path) => {
    Fs.writeFileSync(`${path}/one`, "")
    Fs.linkSync(`${path}/one`, `${path}/other`)
  })
  test(
    "are the same where only the inode tells them apart, and both have other names",
    true,
    (path) => alike(path, "a", "a")
  )
  test("are not where the content differs too", false, (path) => alike(path, "a", "b"))
  test("are not where the mode differs too", false, (path) => alike(path, "a", "a", 0o700))
  test("are not where neither has another name", false, (path) => {
    alike(path, "a", "a")
    for (const name of ["one-again", "other-again"]) Fs.rmSync(`${path}/${name}`)
  })
  test("that are links to one place are the same", true, (path) => {
    for (const name of ["one", "other"]) Fs.symlinkSync("none", `${path}/${name}`)
  })
  test("that are links to different places are not", false, (path) => {
    for (const name of ["one", "other"]) Fs.symlinkSync(`${name}-target`, `${path}/${name}`)
  })
  test("of a link and of the file that it leads to are not", false, (path) => {
    Fs.writeFileSync(`${path}/other`, "")
    Fs.symlinkSync("other", `${path}/one`)
  })
})
