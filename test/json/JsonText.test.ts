import { assert, describe, it } from "@effect/vitest"
import * as JsonText from "../../src/json/JsonText.ts"

describe("a member of a JSON text", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, member: string | undefined]> = [
    ["is its text, without the white space around it", `{ "a" : \n[1, 2.0 ] , "b":0}`, "[1, 2.0 ]"],
    ["may be the last one", `{"b":0,"a":1.0}`, "1.0"],
    ["is the last one of its name", `{"a":1,"a":{"x":2},"b":3}`, `{"x":2}`],
    ["may have an escaped name", `{"\\u0061":7}`, "7"],
    ["is not one of an inner object", `{"b":{"a":1},"c":[{"a":2}]}`, undefined],
    ["is not a value", `{"b":"a","c":"\\"a\\":1"}`, undefined],
    ["may have quotes, braces and backslashes in its strings", `{"a":"\\\\\\"}{,:[","b":"\\\\"}`, `"\\\\\\"}{,:["`],
    ["is not there in an empty object", "{}", undefined]
  ]
  for (const [name, text, member] of cases) {
    it(name, () => {
      assert.doesNotThrow(() => JSON.parse(text))
      assert.strictEqual(JsonText.member(text, "a"), member)
      const own = text.replace(/\}$/, text === "{}" ? `"a":[9]}` : `,"a":[9]}`)
      assert.strictEqual(JsonText.member(own, "a"), "[9]")
    })
  }
})

describe("a JSON text", () => {
  it("is indented the way jq prints it", () => {
    const value = { a: [1, { b: "x,{}[]:\"" }], c: {}, d: [], e: null }
    assert.strictEqual(JsonText.indented(JSON.stringify(value)), JSON.stringify(value, null, 2))
    assert.strictEqual(JsonText.indented(JSON.stringify(value, null, "\t")), JSON.stringify(value, null, 2))
    assert.strictEqual(JsonText.indented("{ }"), "{}")
  })

  it("keeps numbers, keys and escapes as they are when it is indented", () => {
    assert.strictEqual(
      JsonText.indented(`{"2":12345678901234567890,"1":1.0,"1":"\\u0041"}`),
      [
        "{",
        "  \"2\": 12345678901234567890,",
        "  \"1\": 1.0,",
        "  \"1\": \"\\u0041\"",
        "}"
      ].join("\n")
    )
  })

  it("of any depth is indented without using more than its own order of space", () => {
    const text = "[".repeat(10_000) + "]".repeat(10_000)
    const indented = JsonText.indented(text)
    assert.isBelow(indented.length, text.length * 70)
    assert.strictEqual(indented.replaceAll(/\s/g, ""), text)
  })

  it("is indented by two a level, down to the 32nd", () => {
    const lines = JsonText.indented("[".repeat(40) + "]".repeat(40)).split("\n")
    const spaces = lines.map((line) => line.search(/\S/))
    assert.deepStrictEqual(spaces.slice(0, 34), [...Array.from({ length: 33 }, (_, level) => level * 2), 64])
    assert.strictEqual(Math.max(...spaces), 64)
  })

  it("fits on one line", () => {
    assert.strictEqual(JsonText.onOneLine("{\r\n  \"a\": \"x  y\",\n\t\"b\": 1\n}\n"), `{"a": "x  y","b": 1}`)
  })
})

describe("each value of a JSON text", () => {
  it("has its path and its range, a list or an object after all that is in it", () => {
    const text = ` {"a" : [1,"x" , [ ]], "b":{"c":-1.5e3},"d":true}`
    const found: Array<string> = []
    JsonText.eachValue(
      text,
      (path, start, end) => void found.push(`${JsonText.pathText(path)}=${text.slice(start, end)}`)
    )
    assert.deepStrictEqual(found, [
      "a[0]=1",
      `a[1]="x"`,
      "a[2]=[ ]",
      `a=[1,"x" , [ ]]`,
      "b.c=-1.5e3",
      `b={"c":-1.5e3}`,
      "d=true",
      `=${text.trim()}`
    ])
  })

  it("may be an empty string, by an empty key, or the only one", () => {
    const found = (text: string) => {
      const values: Array<string> = []
      JsonText.eachValue(text, (path, start, end) => void values.push(`${path.join()}=${text.slice(start, end)}`))
      return values
    }
    assert.deepStrictEqual(found(`{"":"","a":[""],"b":""}`), [
      `=""`,
      `a,0=""`,
      `a=[""]`,
      `b=""`,
      `={"":"","a":[""],"b":""}`
    ])
    assert.deepStrictEqual(["1.5", `"a"`, "null"].flatMap(found), ["=1.5", `="a"`, "=null"])
    assert.deepStrictEqual(found(`[{"a":1},{"b":2}]`), [
      "0,a=1",
      `0={"a":1}`,
      "1,b=2",
      `1={"b":2}`,
      `=[{"a":1},{"b":2}]`
    ])
  })
})

describe("values that are replaced", () => {
  const replaced = (text: string, ...chosen: ReadonlyArray<string>) =>
    JsonText.replace(text, "0", (path) => chosen.includes(JsonText.pathText(path)))

  it("are the chosen ones, wherever they stand", () => {
    assert.strictEqual(replaced(`{"a":[1,2],"b":3}`, "a[1]", "b"), `{"a":[1,0],"b":0}`)
    assert.strictEqual(replaced(`[1,2]`, "[0]"), `[0,2]`)
    assert.strictEqual(replaced(` 1 `, ""), " 0 ")
    assert.strictEqual(replaced(`{"a":1}`), `{"a":1}`)
  })

  it("go as a whole, with the chosen ones that are in them", () => {
    assert.strictEqual(replaced(`{"x":1,"a":{"b":1,"c":[2]},"d":4}`, "a.b", "a.c[0]", "a", "d"), `{"x":1,"a":0,"d":0}`)
    assert.strictEqual(replaced(`[[1],[2]]`, "[0][0]", "[0]", ""), "0")
  })
})

describe("the elements of a JSON list", () => {
  it("are their texts", () => {
    assert.deepStrictEqual(JsonText.elements(` [ 1.0, "a,]" , {"b":[2, 3]},[] ]`), [
      "1.0",
      `"a,]"`,
      `{"b":[2, 3]}`,
      "[]"
    ])
    assert.deepStrictEqual(JsonText.elements("[]"), [])
  })
})

describe("members of a JSON object", () => {
  it("are put in the place of those of their name, and otherwise at the end", () => {
    assert.strictEqual(
      JsonText.withMembers(`{"a":1,"b":{"a":2} }`, { a: "[3]", c: "4.0" }),
      `{"a":[3],"b":{"a":2},"c":4.0}`
    )
    assert.strictEqual(JsonText.withMembers("{ }", { a: "1" }), `{"a":1}`)
    assert.strictEqual(JsonText.withMembers(`{"a":1,"a":2}`, { a: "3" }), `{"a":3,"a":3}`)
  })
})
