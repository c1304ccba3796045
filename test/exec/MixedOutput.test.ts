/** JSON documents among other things in an output. */
import { assert, describe, it } from "@effect/vitest"
import * as MixedOutput from "../../src/exec/MixedOutput.ts"
import * as CpuTime from "../support/cpuTime.ts"

describe("the documents of an output", () => {
  it("are found one after the other, with or without white space between", () => {
    assert.deepStrictEqual(MixedOutput.of(`{"a":1}{"b":2}\n  {"c":3}\n`), {
      documents: [{ a: 1 }, { b: 2 }, { c: 3 }],
      hasOther: false
    })
  })

  it("may have braces and quotes in their strings", () => {
    const text = JSON.stringify({ msg: `} " { \\" }` })
    assert.deepStrictEqual(MixedOutput.of(`${text}${text}`).documents.length, 2)
  })

  it("are found between lines of other text, whatever braces these have", () => {
    assert.deepStrictEqual(MixedOutput.of(`time="x" {a\n{ not JSON }\n{"a":1}\n} {"b"\n`), {
      documents: [{ a: 1 }],
      hasOther: true
    })
  })

  it("are none within a line, nor lists", () => {
    assert.deepStrictEqual(MixedOutput.of(`msg={"a":1}\n[1]`), { documents: [], hasOther: true })
    assert.deepStrictEqual(MixedOutput.of(" \n"), { documents: [], hasOther: false })
  })

  it("are looked for no further once four million characters were looked at in vain", () => {
    const braces = (count: number) => `${"{ x\n".repeat(count)}`
    assert.lengthOf(MixedOutput.of(`${braces(1000)}{"a":1}`).documents, 1)
    assert.lengthOf(MixedOutput.of(`${braces(2000)}{"a":1}`).documents, 0)
  })

  it("are found at once in an output that has little else but white space", () => {
    const text = `x${" ".repeat(100_000)}\n${"\t".repeat(100_000)}{"a":1}`
    assert.isBelow(CpuTime.of(() => assert.lengthOf(MixedOutput.of(text).documents, 1)), 5000)
  })

  it("are counted in words", () => {
    assert.strictEqual(MixedOutput.describe(MixedOutput.of("{}")), "1 JSON document")
    assert.strictEqual(MixedOutput.describe(MixedOutput.of("{}{}x")), "2 JSON documents and other text")
  })

  it("are other text too where an object does not end, or is none", () => {
    assert.deepStrictEqual(MixedOutput.of(`{"a":1`), { documents: [], hasOther: true })
    assert.deepStrictEqual(MixedOutput.of(`{"a":"\\"}`), { documents: [], hasOther: true })
    assert.deepStrictEqual(MixedOutput.of(`{a}{"b":1}`), { documents: [], hasOther: true })
    assert.deepStrictEqual(MixedOutput.of(`{"a":1} x {"b":2}`), { documents: [{ a: 1 }], hasOther: true })
    assert.deepStrictEqual(MixedOutput.of(`\t{"a":{"b":"\\\\"}}`), { documents: [{ a: { b: "\\" } }], hasOther: false })
  })

  it("are counted in words, one without an s, and none with", () => {
    assert.strictEqual(MixedOutput.describe(MixedOutput.of("x")), "0 JSON documents and other text")
    assert.strictEqual(MixedOutput.describe(MixedOutput.of(" ")), "0 JSON documents")
  })
})
