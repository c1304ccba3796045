/** What a collector says of spans that it took only in part, as OpenTelemetry's own code encodes it. */
import { assert, describe, it } from "@effect/vitest"
import { createRequire } from "node:module"
import * as PartialSuccess from "../../src/export/PartialSuccess.ts"

const { opentelemetry } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer/build/src/generated/root.js"
)
const message = opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse

const protobuf = (partialSuccess: object): Uint8Array => message.encode({ partialSuccess }).finish()
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

describe("the answer of a collector", () => {
  const found = { rejectedSpans: 300, message: "too old – ältere nicht" }

  it("in protobuf says how many spans it refused, and why", () => {
    const body = protobuf({ rejectedSpans: 300, errorMessage: found.message })
    assert.deepStrictEqual(PartialSuccess.read(body, "application/x-protobuf"), found)
  })

  it("in JSON says the same, with the number as a text or as a number", () => {
    for (const rejectedSpans of ["300", 300]) {
      const body = json({ partialSuccess: { rejectedSpans, errorMessage: found.message } })
      assert.deepStrictEqual(PartialSuccess.read(body, "application/json; charset=utf-8"), found)
    }
  })

  it("need not say why", () => {
    assert.deepStrictEqual(PartialSuccess.read(protobuf({ rejectedSpans: 1 }), ""), { rejectedSpans: 1, message: "" })
  })

  it("with a warning alone means that all were taken", () => {
    assert.isUndefined(PartialSuccess.read(protobuf({ errorMessage: "deprecated" }), ""))
    assert.isUndefined(PartialSuccess.read(json({ partialSuccess: {} }), "application/json"))
  })

  it("that is empty, cut off or something else means nothing", () => {
    const whole = protobuf({ rejectedSpans: 300, errorMessage: "too old" })
    const bodies = [new Uint8Array(), whole.subarray(0, 3), Buffer.from("<html>ok</html>"), Buffer.from("null")]
    for (const body of bodies) {
      for (const type of ["application/x-protobuf", "application/json", "text/html"]) {
        assert.isUndefined(PartialSuccess.read(body, type), `${body} as ${type}`)
      }
    }
  })

  it("is not known where the number is none", () => {
    assert.isUndefined(PartialSuccess.read(Uint8Array.of(0x0a, 3, 0x0a, 1, 0x35), ""))
  })

  it("may have numbers of any size, fields that are not known, and no reason", () => {
    const known = protobuf({ rejectedSpans: 16_512, errorMessage: "x".repeat(200) })
    const unknown = [[0x19, ...Array(8).fill(0xff)], [0x25, ...Array(4).fill(0xff)], [0x28, 0x80, 1], [0x32, 1, 0x41], [
      0x08,
      5
    ]]
    for (const fields of [...unknown, unknown.flat()]) {
      const body = Uint8Array.from([...fields, ...known])
      assert.deepStrictEqual(PartialSuccess.read(body, ""), { rejectedSpans: 16_512, message: "x".repeat(200) })
    }
    assert.deepStrictEqual(PartialSuccess.read(json({ partialSuccess: { rejectedSpans: 1 } }), "text/json"), {
      rejectedSpans: 1,
      message: ""
    })
    for (const value of [{}, { partialSuccess: null }, { partialSuccess: { rejectedSpans: "many" } }]) {
      assert.isUndefined(PartialSuccess.read(json(value), "application/json"))
    }
  })
})
