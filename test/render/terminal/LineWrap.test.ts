/** Lines that fit on a screen. */
import { assert, describe, it } from "@effect/vitest"
import * as LineWrap from "../../../src/render/terminal/LineWrap.ts"

describe("a line", () => {
  it("that fits stays as it is", () => {
    assert.deepStrictEqual(LineWrap.lines("  a  b ", 7), ["  a  b "])
    assert.deepStrictEqual(LineWrap.lines("a".repeat(1000), Number.POSITIVE_INFINITY), ["a".repeat(1000)])
  })

  it("is broken between words, and goes on with an indent", () => {
    assert.deepStrictEqual(LineWrap.lines("dial tcp 10.0.0.1:443: connect: refused", 24), [
      "dial tcp 10.0.0.1:443:",
      "  connect: refused"
    ])
    assert.deepStrictEqual(LineWrap.lines("    one two three four five", 20), ["    one two three", "      four five"])
  })

  it("is indented by half of a narrow screen at most, and not further where that has less than 20 columns", () => {
    const words = "a".repeat(5)
    assert.deepStrictEqual(LineWrap.lines(`${" ".repeat(10)}${words} ${words}`, 10), [`     ${words}`, `     ${words}`])
    assert.deepStrictEqual(LineWrap.lines("aaaaaaaaaa bbbbbbbbbb", 19), ["aaaaaaaaaa", "bbbbbbbbbb"])
    assert.deepStrictEqual(LineWrap.lines("aaaaaaaaaa bbbbbbbbbb", 20), ["aaaaaaaaaa", "  bbbbbbbbbb"])
  })

  it("is not broken inside a character, however narrow the screen is", () => {
    for (const width of [0, 1]) assert.deepStrictEqual(LineWrap.lines("ae\u0301i", width), ["a", "e\u0301", "i"])
  })

  it("is broken inside a word where that is wider than a line", () => {
    assert.deepStrictEqual(LineWrap.lines("x abcdefghij", 4), ["x", "abcd", "efgh", "ij"])
  })

  it("is measured as a terminal shows it", () => {
    assert.deepStrictEqual(LineWrap.lines("ファイル", 4), ["ファ", "イル"])
    assert.strictEqual(LineWrap.columns("é✓"), 2)
  })
})

describe("a text", () => {
  it("is broken line by line, and commands stay whole for those who copy them", () => {
    const command = "    cni-passthrough run del pods --netns demo"
    assert.strictEqual(
      LineWrap.text(`error: it failed for a reason\n  To undo it:\n${command}`, 20),
      `error: it failed for\n  a reason\n  To undo it:\n${command}`
    )
  })
})
