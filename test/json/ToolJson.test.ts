/** JSON as tools of the host print it. */
import { assert, describe, it } from "@effect/vitest"
import * as ToolJson from "../../src/json/ToolJson.ts"

describe("JSON of a tool", () => {
  it("may have control characters in its strings as they are", () => {
    assert.deepStrictEqual(ToolJson.parse(`[{"ifname":"a\u001bb\u0001\u007f"}]\n`), [{
      ifname: "a\u001bb\u0001\u007f"
    }])
  })

  it("may escape a quote that needs none, and what else has a backslash stays", () => {
    assert.deepStrictEqual(
      ToolJson.parse(String.raw`[{"ifname":"q\'q","ifalias":"a\n\\\"\\'é"}]`),
      [{ ifname: "q'q", ifalias: "a\n\\\"\\'é" }]
    )
  })

  it("is nothing else", () => {
    assert.isUndefined(ToolJson.parse("1: lo: <LOOPBACK>"))
    assert.isUndefined(ToolJson.parse("[\u001b]"))
  })
})
