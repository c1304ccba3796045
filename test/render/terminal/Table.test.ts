/** Rows whose cells stand below each other. */
import { assert, describe, it } from "@effect/vitest"
import * as Table from "../../../src/render/terminal/Table.ts"

describe("a table", () => {
  it("has its cells below each other, with two spaces between them, and no space at the end", () => {
    assert.deepStrictEqual(Table.lines([["a", "bbb", "c"], ["aaaa", "b", ""], ["", "", "last"]]), [
      "a     bbb  c",
      "aaaa  b",
      "           last"
    ])
  })

  it("measures cells as a terminal shows them", () => {
    assert.deepStrictEqual(Table.lines([["日本", "x"], ["abc", "y"]]), ["日本  x", "abc   y"])
  })

  it("has rows that end early, whose missing cells take no room", () => {
    assert.deepStrictEqual(Table.lines([["aaaa", "b", "c"], ["a"]]), ["aaaa  b  c", "a"])
  })

  it("has nothing to show of no rows", () => {
    assert.deepStrictEqual(Table.lines([]), [])
  })

  it("breaks a last cell that is too long between words, and goes on below it", () => {
    assert.deepStrictEqual(Table.lines([["name", "one two three four five"], ["n", "six"]], 26), [
      "name  one two three four",
      "      five",
      "n     six"
    ])
  })

  it("gives the last cell 20 columns, however narrow the screen is", () => {
    assert.deepStrictEqual(Table.lines([["name", "one two three four f"]], 10), ["name  one two three four f"])
    assert.deepStrictEqual(Table.lines([["name", "one two three four fi"]], 10), [
      "name  one two three four",
      "      fi"
    ])
  })
})
