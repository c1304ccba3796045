/** Bytes that arrive in pieces, as lines. */
import { assert, describe, it } from "@effect/vitest"
import * as LineSplitter from "../../src/log/LineSplitter.ts"
import * as CpuTime from "../support/cpuTime.ts"

const split = (...pieces: ReadonlyArray<Uint8Array | string>) => {
  const splitter = new LineSplitter.Splitter()
  return [...pieces.flatMap((piece) => splitter.push(Buffer.from(piece as string))), splitter.end()]
}

describe("lines", () => {
  it("are the same wherever the pieces end, inside a character too", () => {
    const bytes = Buffer.from("a\n\né✓😀\nlast")
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepStrictEqual(split(bytes.subarray(0, cut), bytes.subarray(cut)), ["a", "", "é✓😀", "last"])
    }
    assert.deepStrictEqual(split(...[...bytes].map((byte) => Uint8Array.of(byte))), ["a", "", "é✓😀", "last"])
  })

  it("are whole up to 64 MiB, whose next character makes them too long", () => {
    assert.strictEqual(LineSplitter.longestLine, 67_108_864)
    const half = "x".repeat(LineSplitter.longestLine / 2)
    assert.deepStrictEqual(split(half, half, "\nnext\n").map((line) => line.length), [LineSplitter.longestLine, 4, 0])
    assert.deepStrictEqual(split(half, half, "x\nnext\n"), ["too long", "next", ""])
    assert.deepStrictEqual(split(half, half, "x"), ["too long"])
    const lengths = split("a", "\n", half, half, "\n").map((line) => line.length)
    assert.deepStrictEqual(lengths, [1, LineSplitter.longestLine, 0])
  })

  it("begin anew after the end: half a character is not part of the next text", () => {
    const splitter = new LineSplitter.Splitter()
    splitter.push(Buffer.from("é").subarray(0, 1))
    assert.strictEqual(splitter.end(), "\ufffd")
    assert.deepStrictEqual(splitter.push(Buffer.from("a\n")), ["a"])
    assert.strictEqual(splitter.end(), "")
  })

  it("of any length take time that grows with it, and not more memory than one may have", () => {
    const piece = "x".repeat(1_048_576)
    const took = CpuTime.of(() => {
      const lines = split(...Array.from({ length: 100 }, () => piece), "\n", "{}\n")
      assert.deepStrictEqual(lines, ["too long", "{}", ""])
    })
    assert.isBelow(took, 50_000)
  })
})
