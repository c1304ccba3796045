/** The way to the folder of a log, and which parts of it are asked about. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as FolderWalk from "../../src/sinks/FolderWalk.ts"

/** Runs a test in a folder whose real path is known. */
const inFolder = (test: (folder: string) => void) => () => {
  const folder = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "walk-")))
  try {
    test(folder)
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}

/** The parts that a way leads through: those that are asked about before anything looks at them, and after that. */
const partsOf = (path: string) => {
  const before: Array<string> = []
  const about: Array<string> = []
  FolderWalk.walk(path, { before: (part) => void before.push(part), about: (part) => void about.push(part) })
  return { before, about }
}

/** All folders above a path and the path, from the top. */
const above = (path: string): ReadonlyArray<string> => path === "/" ? [] : [...above(Path.dirname(path)), path]

describe("the way to a folder", () => {
  it(
    "leads through each folder once, whatever dots and slashes are in it",
    inFolder((folder) => {
      Fs.mkdirSync(`${folder}/a/b`, { recursive: true })
      const expected = [...above(folder), `${folder}/a`, `${folder}/a/b`]
      assert.deepStrictEqual(partsOf(`${folder}//a/./b/`), { before: expected, about: expected })
      assert.deepStrictEqual(partsOf(`${folder}/a/../a/b`).about, [
        ...above(folder),
        `${folder}/a`,
        `${folder}/a`,
        `${folder}/a/b`
      ])
      assert.deepStrictEqual(partsOf("/..").about, [])
      assert.deepStrictEqual(partsOf("/../tmp").about, ["/tmp"])
    })
  )

  it("begins at the working directory where it is relative", () => {
    assert.deepStrictEqual(partsOf(".").about, above(process.cwd()))
  })

  it(
    "follows a symbolic link from where it stands",
    inFolder((folder) => {
      Fs.mkdirSync(`${folder}/a/b`, { recursive: true })
      Fs.symlinkSync("a/b", `${folder}/relative`)
      Fs.symlinkSync(`${folder}/a`, `${folder}/absolute`)
      assert.deepStrictEqual(partsOf(`${folder}/relative`).about, [
        ...above(folder),
        `${folder}/relative`,
        `${folder}/a`,
        `${folder}/a/b`
      ])
      assert.deepStrictEqual(partsOf(`${folder}/absolute/b`).about, [
        ...above(folder),
        `${folder}/absolute`,
        ...above(folder),
        `${folder}/a`,
        `${folder}/a/b`
      ])
      Fs.symlinkSync(`/..${folder}/a`, `${folder}/above`)
      assert.deepStrictEqual(partsOf(`${folder}/above`).about, [
        ...above(folder),
        `${folder}/above`,
        ...above(folder),
        `${folder}/a`
      ])
    })
  )

  it(
    "ends after as many symbolic links as the kernel follows",
    inFolder((folder) => {
      Fs.symlinkSync("loop", `${folder}/loop`)
      assert.lengthOf(partsOf(`${folder}/loop`).about, above(folder).length + 41)
    })
  )

  it(
    "ends at what is not there, and at the first answer",
    inFolder((folder) => {
      const missing = partsOf(`${folder}/missing/a`)
      assert.deepStrictEqual(missing.about, above(folder))
      assert.deepStrictEqual(missing.before, [...above(folder), `${folder}/missing`])
      const first = FolderWalk.walk(`${folder}/missing`, { about: (path) => path === folder ? path : undefined })
      assert.strictEqual(first, folder)
      const unseen = FolderWalk.walk(`${folder}/missing`, {
        before: (path) => path.endsWith("missing") ? path : undefined
      })
      assert.strictEqual(unseen, `${folder}/missing`)
    })
  )
})
