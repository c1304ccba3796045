import { assert, describe, it } from "@effect/vitest"
import * as Blocks from "../../../../src/render/html/page/Blocks.ts"

const lines = (parts: ReadonlyArray<Blocks.Part>): string =>
  parts.map((part) => typeof part === "string" ? part : [part.head, lines(part.parts), part.tail].join("\n")).join("\n")

describe("the blocks of a document", () => {
  it("are its objects and lists, with the lines between them", () => {
    const text = JSON.stringify({ a: 1, b: 2, c: { d: [1, 2, 3], e: 4 }, f: 5 }, undefined, 2)
    assert.deepStrictEqual(Blocks.of(text), [{
      head: "{",
      parts: [
        "  \"a\": 1,\n  \"b\": 2,",
        {
          head: "  \"c\": {",
          parts: [{ head: "    \"d\": [", parts: ["      1,\n      2,\n      3"], tail: "    ]," }, "    \"e\": 4"],
          tail: "  },"
        },
        "  \"f\": 5"
      ],
      tail: "}"
    }])
  })

  it("are not what takes three lines or four", () => {
    const text = JSON.stringify({ a: { b: 1 }, c: [1, 2] }, undefined, 2)
    assert.deepStrictEqual(Blocks.of(text), [{ head: "{", parts: [text.slice(2, -2)], tail: "}" }])
  })

  it("are not told by braces in texts", () => {
    const text = JSON.stringify({ a: "{", b: "}", "c{": "[", d: "]" }, undefined, 2)
    assert.deepStrictEqual(Blocks.of(text), [{ head: "{", parts: [text.slice(2, -2)], tail: "}" }])
  })

  it("are as deep as a person looks, however deep a document is, and have all of its lines", () => {
    const text = JSON.stringify(
      JSON.parse(`${"{\"a\":1,\"b\":2,\"c\":[".repeat(200)}${"]}".repeat(200)}`),
      undefined,
      1
    )
    const depth = (parts: ReadonlyArray<Blocks.Part>): number =>
      Math.max(0, ...parts.map((part) => typeof part === "string" ? 0 : 1 + depth(part.parts)))
    assert.strictEqual(lines(Blocks.of(text)), text)
    assert.strictEqual(depth(Blocks.of(text)), 8)
  })
})
