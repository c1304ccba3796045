/** Text that does nothing else than being read. */
import { assert, describe, it } from "@effect/vitest"
import * as Escape from "../../src/record/Escape.ts"

/** Every control character, and all that ends a line for some readers or turns the direction of text. */
const characters = (...ranges: ReadonlyArray<readonly [first: number, last: number]>): string =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index))
    .map((code) => String.fromCharCode(code)).join("")

const escapes = (text: string): string =>
  [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")

const beyondC0 = characters(
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069]
)

describe("characters that a terminal obeys", () => {
  it("are escaped in a line, all of them", () => {
    const all = characters([0, 0x1f]) + beyondC0
    assert.strictEqual(Escape.inLine(`a${all}b`), `a${escapes(all)}b`)
  })

  it("are escaped in lines, but for tabs and the ends of lines", () => {
    const all = characters([0, 8], [0x0b, 0x1f]) + beyondC0
    assert.strictEqual(Escape.inLines(`a\t${all}\nb`), `a\t${escapes(all)}\nb`)
  })

  it("are escaped in JSON where JSON itself does not", () => {
    assert.strictEqual(Escape.inJson(`{"a":"${beyondC0}"}\n`), `{"a":"${escapes(beyondC0)}"}\n`)
    assert.strictEqual(JSON.parse(Escape.inJson(JSON.stringify(beyondC0))), beyondC0)
  })

  it("are the only ones: others stay, whatever alphabet they are of", () => {
    const text = "a ~\u00a0é世\u061b\u061d\u200d\u2010\u2027\u202f\u2065\u206a😀"
    for (const escape of [Escape.inLine, Escape.inLines, Escape.inJson]) assert.strictEqual(escape(text), text)
  })
})
