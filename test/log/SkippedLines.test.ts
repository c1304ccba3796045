/** What is said of lines that are not records. */
import { assert, describe, it } from "@effect/vitest"
import { SkippedLines } from "../../src/log/SkippedLines.ts"

describe("the lines of a log that are not records", () => {
  it("are told by their numbers, five of them, and then that there are more", () => {
    const skipped = new SkippedLines("log")
    skipped.record()
    skipped.blank()
    for (let line = 0; line < 9; line++) skipped.other("x")
    assert.deepStrictEqual(skipped.complaints(), [
      ...[3, 4, 5, 6, 7].map((line) => `log:${line}: not a record, passed over`),
      "log: more lines that are not records are passed over"
    ])
    assert.deepStrictEqual(skipped.complaints(), [])
    assert.deepStrictEqual([skipped.records, skipped.others], [1, 9])
  })

  it("are of another log where there are no others but empty ones", () => {
    const skipped = new SkippedLines("log")
    assert.deepStrictEqual([skipped.isEmpty(), skipped.isForeign()], [true, false])
    skipped.blank()
    assert.deepStrictEqual([skipped.isEmpty(), skipped.isForeign()], [true, false])
    skipped.other("x")
    assert.deepStrictEqual([skipped.isEmpty(), skipped.isForeign()], [false, true])
    skipped.record()
    assert.deepStrictEqual([skipped.isEmpty(), skipped.isForeign()], [false, false])
  })

  it("are those of a text log where one of the first twenty is like those", () => {
    const messageOf = (before: number) => {
      const skipped = new SkippedLines("log")
      for (let line = 0; line < before; line++) skipped.other("x")
      skipped.other("CNI_COMMAND: ADD")
      return skipped.error().isText
    }
    assert.deepStrictEqual([0, 19, 20].map(messageOf), [true, true, false])
  })

  it("are shown by the first of them, of which a hundred characters are kept", () => {
    const skipped = new SkippedLines("log")
    skipped.other("a".repeat(200))
    skipped.other("b")
    assert.strictEqual(skipped.error().first, "a".repeat(100))
  })
})
