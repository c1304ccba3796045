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
    ["a trailing comma at the end of a line", "[1, \n \n]", `1:3 a trailing comma before "]"`],
    ["a missing colon", `{"a" 1}`, `1:6 "1" where ":" should be`],
    ["a missing comma after a tab", `{"a":1\t"b":2}`, `1:8 "\\"" where "," should be`],
    ["a missing comma in a list", "[1 2]", `1:4 "2" where "," should be`],
    ["an object that does not end", `{"a": 1`, `1:8 the end of the file where "," or "}" should be`],
    ["a number for a key", "{1: 2}", `1:2 "1" where a key in quotes should be`],
    ["a comma for a value", "[,]", `1:2 "," where a value should be`],
    ["an unknown escape", `["\\x"]`, "1:2 a string with an escape that JSON does not have"],
    ["a control character", `["a\u0001b"]`, "1:2 a string with a control character, which JSON requires to be escaped"],
    ["half a number", "[1.]", "1:2 an incomplete number"],
    ["a second key without quotes", `{"b": 1, a: 1}`, "1:10 a key without quotes"],
    ["a word for a value before a colon", `{"a": b: 1}`, "1:7 b is not a JSON value"],
    ["a word for a member", `{"a": 1,\n b}`, "2:2 b is not a JSON value"],
    ["a long word, of which 40 letters", `[${"x".repeat(41)}]`, `1:2 ${"x".repeat(40)} is not a JSON value`],
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
    for (const path of [["c"], ["c", 0], ["c", "d", "e"], ["a", 2], ["a", "b"], ["b", 0], ["a", 1, "x"]]) {
      assert.isUndefined(sourceOf(text).range(path))
    }
    const near = JsonSource.nearest(sourceOf(text), ["a", 1, "x", "y"])
    assert.strictEqual(text.slice(near.start, near.end), "{}")
  })
})

describe("what readers could do without", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, offset: number, blanked: string | undefined]> = [
    ["a comment to the end of its line", "// x\r\n1", 0, "    \r\n1"],
    ["a comment over two lines", "[/* x\ny */1]", 1, "[    \n    1]"],
    ["a byte-order mark", "\uFEFF1", 0, " 1"],
    ["a trailing comma", "[1, ]", 2, "[1  ]"],
    ["a trailing comma in an object", "{\"a\":1,\n}", 6, "{\"a\":1 \n}"],
    ["a comma before a value, which stays", "[1,2]", 2, undefined],
    ["anything else, which stays", "[1]", 1, undefined]
  ]
  for (const [name, text, offset, blanked] of cases) {
    it(`is blanked: ${name}`, () => assert.strictEqual(JsonSource.blanked(text, offset), blanked))
  }
})

describe("keys that an object has twice", () => {
  it("are found with the places of the first and the later ones, each object by itself", () => {
    const text = `{"a":1,"b":{"a":2,"a":3},"a":4,"c":[{"b":1},{"b":2}],"a":5}`
    assert.deepStrictEqual(JsonSource.duplicates(sourceOf(text)), [
      { key: "a", first: 12, last: 18 },
      { key: "a", first: 1, last: 25 },
      { key: "a", first: 1, last: 53 }
    ])
  })
})

describe("a path", () => {
  it("is written as people write it", () => {
    assert.strictEqual(JsonText.pathText(["plugins", 0, "ipam", "type"]), "plugins[0].ipam.type")
    assert.strictEqual(JsonText.pathText([0, 1, "a"]), "[0][1].a")
    assert.strictEqual(JsonText.pathText([]), "")
  })
})
