import { assert, describe, it } from "@effect/vitest"
import * as Json from "../../src/json/Json.ts"

describe("a value in an error message", () => {
  const long = (length: number) => "x".repeat(length)
  const cases: ReadonlyArray<readonly [value: unknown, text: string]> = [
    [undefined, "nothing"],
    [[], "an empty list"],
    [[1], "a list"],
    [{}, "an object"],
    [null, "null"],
    ["a\nb", `"a\\nb"`],
    [1.5, "1.5"],
    [false, "false"],
    [long(198), `"${long(198)}"`],
    [long(199), `"${long(199)}…`],
    [long(1000), `"${long(199)}…`]
  ]
  for (const [value, text] of cases) {
    it(`is ${text.slice(0, 20)}`, () => assert.strictEqual(Json.describe(value), text))
  }
})

describe("a text", () => {
  it("has its value where it is JSON", () => {
    assert.deepStrictEqual(Json.parse(`{"a":[1]}`), { a: [1] })
    assert.isNull(Json.parse("null"))
    assert.isUndefined(Json.parse("{"))
  })

  it("is an object only in braces", () => {
    assert.isTrue(Json.isObject({}))
    for (const other of [null, [], "a", 1, undefined]) assert.isFalse(Json.isObject(other))
  })
})
