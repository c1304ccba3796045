/** The trace context of a request. */
import { assert, describe, it } from "@effect/vitest"
import * as TraceContext from "../../src/cni/TraceContext.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const valid = `00-${traceId}-${spanId}-01`

describe("a trace context", () => {
  it("names a trace and a span", () => {
    assert.deepStrictEqual(TraceContext.parse(valid), { traceId, spanId })
  })

  it("keeps its trace, its version and its flags with another span", () => {
    assert.strictEqual(TraceContext.withSpan(valid, "00f067aa0ba902b7"), `00-${traceId}-00f067aa0ba902b7-01`)
    assert.strictEqual(
      TraceContext.withSpan(`cc-${traceId}-${spanId}-00`, "1".repeat(16)),
      `cc-${traceId}-${"1".repeat(16)}-00`
    )
  })
})

describe("a text that is no trace context", () => {
  const texts: { readonly [name: string]: string } = {
    "is empty": "",
    "has a trace of zeros": `00-${"0".repeat(32)}-${spanId}-01`,
    "has a span of zeros": `00-${traceId}-${"0".repeat(16)}-01`,
    "has the version that is forbidden": `ff-${traceId}-${spanId}-01`,
    "has capital letters": valid.toUpperCase(),
    "is too short": valid.slice(0, -1),
    "goes on": `${valid}-more`,
    "has a line end": `${valid}\n`
  }
  for (const [name, text] of Object.entries(texts)) {
    it(`names no trace, and stays as it is: ${name}`, () => {
      assert.isUndefined(TraceContext.parse(text))
      assert.strictEqual(TraceContext.withSpan(text, "1".repeat(16)), text)
    })
  }
})
