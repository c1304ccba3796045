/** The part of a text that is kept and shown. */
import { assert, describe, it } from "@effect/vitest"
import * as Excerpt from "../../src/operations/Excerpt.ts"

describe("the last lines of a text", () => {
  const last = (text: string, lines = 3, characters = 100) => Excerpt.last(text, { lines, characters })

  it("are all of it where it is short, without the empty ones at the end", () => {
    assert.deepStrictEqual(last("a\n\nb\n\n \n"), { lines: ["a", "", "b"], linesBefore: 0, charactersAfter: 0 })
    assert.deepStrictEqual(last("a"), { lines: ["a"], linesBefore: 0, charactersAfter: 0 })
    assert.deepStrictEqual(last(" \n\n"), { lines: [], linesBefore: 0, charactersAfter: 0 })
  })

  it("are no more than asked for, and it is known how many come before", () => {
    assert.deepStrictEqual(last("a\nb\nc\nd\ne"), { lines: ["c", "d", "e"], linesBefore: 2, charactersAfter: 0 })
    assert.deepStrictEqual(last("\na\nb\nc"), { lines: ["a", "b", "c"], linesBefore: 1, charactersAfter: 0 })
  })

  it("are cut where they are long, and say so", () => {
    assert.deepStrictEqual(last("abcdef", 3, 3), { lines: ["…def"], linesBefore: 0, charactersAfter: 0 })
    assert.deepStrictEqual(last("a\nbcdef", 3, 3), { lines: ["…def"], linesBefore: 1, charactersAfter: 0 })
    assert.deepStrictEqual(last("a\ndef", 1, 3), { lines: ["def"], linesBefore: 1, charactersAfter: 0 })
    assert.deepStrictEqual(last("abc", 3, 3), { lines: ["abc"], linesBefore: 0, charactersAfter: 0 })
  })
})

describe("the first part of a text", () => {
  const first = (text: string, lines = 2, characters = 100) => Excerpt.first(text, { lines, characters })

  it("is all of it where it is short", () => {
    assert.deepStrictEqual(first("a\nb"), { lines: ["a", "b"], linesBefore: 0, charactersAfter: 0 })
  })

  it("has no more lines and characters than asked for, and it is known how many come after", () => {
    assert.deepStrictEqual(first("a\nb\nc"), { lines: ["a", "b"], linesBefore: 0, charactersAfter: 2 })
    assert.deepStrictEqual(first("abcdef", 2, 4), { lines: ["abcd"], linesBefore: 0, charactersAfter: 2 })
  })
})
