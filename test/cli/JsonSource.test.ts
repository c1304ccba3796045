/** Where things are in a JSON text, and what is wrong with one that is none. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as JsonSource from "../../src/cli/JsonSource.ts"

const problem = (text: string): string => {
  const source = JsonSource.parse(text)
  if ("value" in source) return "none"
  const { column, line } = JsonSource.position(text, source.offset)
  return `${line}:${column} ${source.message}`
}

describe("the problem of a text that is no JSON", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, problem: string]> = [
    ["a trailing comma in a list", `{\n  "a": [1,\n  ]\n}`, `2:10 a trailing comma in front of "]"`],
    ["a trailing comma in an object", `{"a": 1,}`, `1:8 a trailing comma in front of "}"`],
    ["a comment", `{\n  // why\n  "a": 1}`, `2:3 "/" where a key in quotes should be`],
    ["a comment in place of a value", `{"a": // why\n1}`, `1:7 a comment, which JSON does not have`],
    ["a missing comma", `{"a": 1 "b": 2}`, `1:9 "\\"" where "," or "}" should be`],
    ["a key without quotes", `{a: 1}`, `1:2 "a" where a key in quotes should be`],
    ["an end in the middle", `{"a": [1`, `1:9 the end of the file where "," or "]" should be`],
    ["something behind the end", `{} {}`, `1:4 "{" behind the end of the document`],
    ["a word", `{"a": yes}`, `1:7 yes is no JSON value`],
    ["a byte-order mark", `\uFEFF{}`, "1:1 a byte-order mark, which runtimes do not read"],
    ["nothing", "", "1:1 the end of the file where a value should be"]
  ]
  for (const [name, text, expected] of cases) {
    it(`is told with its place: ${name}`, () => {
      assert.strictEqual(problem(text), expected)
    })
  }

  it("may be too many levels", () => {
    assert.match(problem("[".repeat(100_000)), /more than 500 levels/)
  })
})

describe("a JSON text", () => {
  it.prop(
    "has the value that JSON.parse gives it, and the text of each value at its place",
    [Schema.Json],
    ([value]) => {
      const text = JSON.stringify({ list: [value] }, null, 2)
      const source = JSON.parse(text)
      const parsed = JsonSource.parse(text)
      if (!("value" in parsed)) throw new Error(parsed.message)
      assert.deepStrictEqual(parsed.value, source)
      const range = parsed.ranges.get("list[0]")
      assert.deepStrictEqual(JSON.parse(text.slice(range?.start, range?.end)), source.list[0])
    }
  )
})
