/** The first part of an output. */
import { assert, describe, it } from "@effect/vitest"
import { OutputBuffer } from "../../src/exec/OutputBuffer.ts"

const kept = (limit: number, ...chunks: ReadonlyArray<string>) => {
  const kept = new OutputBuffer(limit)
  for (const chunk of chunks) kept.take(Buffer.from(chunk))
  return [String(kept.bytes()), kept.truncated]
}

describe("an output of which so much is kept", () => {
  it("is whole up to the limit, and cut off after it, wherever its pieces end", () => {
    assert.deepStrictEqual(kept(4), ["", false])
    assert.deepStrictEqual(kept(4, "ab", "cd"), ["abcd", false])
    assert.deepStrictEqual(kept(4, "ab", "cde"), ["abcd", true])
    assert.deepStrictEqual(kept(4, "abcd", "e", "f"), ["abcd", true])
    assert.deepStrictEqual(kept(0, "a"), ["", true])
    assert.deepStrictEqual(kept(0, ""), ["", false])
  })
})
