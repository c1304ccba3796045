/** Where things are in a JSON text, and what is wrong with a text that is not JSON. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as JsonSource from "../../src/json/JsonSource.ts"
import * as JsonText from "../../src/json/JsonText.ts"

const problem = (text: string): string => {
  const outcome = JsonSource.parse(text)
  if (JsonSource.isSource(outcome)) return "none"
  const { column, line } = JsonSource.position(text, outcome.offset)
  return `${line}:${column} ${outcome.message}`
}

const sourceOf = (text: string): JsonSource.Source => {
  const outcome = JsonSource.parse(text)
  if (JsonSource.isSource(outcome)) return outcome
  throw new Error(outcome.message)
}

const textAt = (text: string, ...path: ReadonlyArray<string | number>): string | undefined => {
  const range = sourceOf(text).range(path)
  return range === undefined ? undefined : text.slice(range.start, range.end)
}

describe("the problem of a text that is not JSON", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, problem: string]> = [
    ["a trailing comma in a list", `{\n  "a": [1,\n  ]\n}`, `2:10 a trailing comma before "]"`],
    ["a trailing comma in an object", `{"a": 1,}`, `1:8 a trailing comma before "}"`],
    ["a comment", `{\n  // why\n  "a": 1}`, "2:3 a comment, which JSON does not have"],
    ["a comment in place of a value", `{"a": // why\n1}`, "1:7 a comment, which JSON does not have"],
    ["a missing comma", `{"a": 1 "b": 2}`, `1:9 "\\"" where "," should be`],
    ["a key without quotes", `{a: 1}`, "1:2 a key without quotes"],
    ["an end in the middle", `{"a": [1`, `1:9 the end of the file where "," or "]" should be`],
    ["something after the end", `{} {}`, `1:4 "{" after the end of the document`],
    ["a word", `{"a": yes}`, `1:7 yes is not a JSON value`],
    ["a string over two lines", `{"a": "b\n"}`, "1:7 a string without its closing quote on the same line"],
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
    assert.match(problem("[".repeat(501) + "]".repeat(501)), /more than 500 levels/)
    assert.match(problem(`${`{"a":`.repeat(501)}1${"}".repeat(501)}`), /more than 500 levels/)
    assert.match(problem(`${`[{"a":`.repeat(251)}1${"}]".repeat(251)}`), /more than 500 levels/)
  })

  it("is not too many levels where it has 500, or many values beside each other, or brackets in strings", () => {
    const texts = [
      "[".repeat(500) + "]".repeat(500),
      `${`{"a":`.repeat(500)}1${"}".repeat(500)}`,
      `[${Array(600).fill("{}").join()},${Array(600).fill("[]").join()}]`,
      JSON.stringify(["[".repeat(600), `\\"${"{".repeat(600)}`])
    ]
    for (const text of texts) assert.strictEqual(problem(text), "none")
  })
})

describe("a JSON text", () => {
  it.prop(
    "has the value that JSON.parse gives it, and the text of each value at its place",
    [Schema.Json],
    ([value]) => {
      const text = JSON.stringify({ list: [value] }, null, 2)
      assert.deepStrictEqual(sourceOf(text).value, JSON.parse(text))
      assert.deepStrictEqual(JSON.parse(textAt(text, "list", 0) ?? ""), JSON.parse(text).list[0])
    }
  )

  it("is found by keys and indices, so that no key can look like a path", () => {
    const text = `{"plugins[0]": "a", "plugins": ["b"], "a.b": 1, "a": {"b": 2}}`
    assert.strictEqual(textAt(text, "plugins[0]"), `"a"`)
    assert.strictEqual(textAt(text, "plugins", 0), `"b"`)
    assert.strictEqual(textAt(text, "a", "b"), "2")
  })

  it("has the last one of members with the same name, as JSON.parse and Go take it", () => {
    const text = `{"a": [1], "a": [2]}`
    assert.strictEqual(textAt(text, "a", 0), "2")
    assert.deepStrictEqual(sourceOf(text).value, { a: [2] })
  })

  it("has no value where a path leads nowhere, and the nearest one around it", () => {
    const text = `{"a": [1, {}], "b": 3}`
    for (const path of [["c"], ["a", 2], ["a", "b"], ["b", 0], ["a", 1, "x"]]) {
      assert.isUndefined(sourceOf(text).range(path))
    }
    const near = JsonSource.nearest(sourceOf(text), ["a", 1, "x", "y"])
    assert.strictEqual(text.slice(near.start, near.end), "{}")
  })
})

describe("a path", () => {
  it("is written as people write it", () => {
    assert.strictEqual(JsonText.pathText(["plugins", 0, "ipam", "type"]), "plugins[0].ipam.type")
    assert.strictEqual(JsonText.pathText([]), "")
  })
})
