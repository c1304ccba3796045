/** Two JSON values compared member by member. */
import { assert, describe, it } from "@effect/vitest"
import * as JsonDiff from "../../src/operations/JsonDiff.ts"

const lines = (left: unknown, right: unknown) =>
  JsonDiff.between(left, right).map(({ kind, what }) => `${{ added: "+", removed: "-", changed: "~" }[kind]} ${what}`)

describe("the differences between two JSON values", () => {
  it("are told with their paths, and with both values", () => {
    assert.deepStrictEqual(
      lines(
        { type: "bridge", ipMasq: true, ipam: { ranges: [[{ subnet: "10.88.0.0/16" }]] } },
        { type: "bridge", mtu: 1450, ipam: { ranges: [[{ subnet: "10.89.0.0/16" }], []] } }
      ),
      [
        "- ipMasq: true",
        "~ ipam.ranges[0][0].subnet: \"10.88.0.0/16\" → \"10.89.0.0/16\"",
        "+ ipam.ranges[1]: []",
        "+ mtu: 1450"
      ]
    )
  })

  it("are none where only the order of the keys is another", () => {
    assert.deepStrictEqual(lines({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }), [])
  })

  it("are values of different types, and keys of any name", () => {
    assert.deepStrictEqual(lines({ "a.b": [], __proto__x: {} }, { "a.b": "[]", __proto__x: null }), [
      "~ [\"a.b\"]: [] → \"[]\"",
      "~ __proto__x: {} → null"
    ])
    assert.deepStrictEqual(lines(undefined, 1), ["+ the document: 1"])
  })

  it("are bounded by the depth of the values, however deep these are", () => {
    const deep = (end: string) => JSON.parse(`${"[".repeat(5000)}${end}${"]".repeat(5000)}`)
    assert.lengthOf(lines(deep("1"), deep("2")), 1)
  })
})
