/** Which run stands in which. */
import { assert, describe, it } from "@effect/vitest"
import * as Nesting from "../../src/operations/Nesting.ts"

/** The homes of runs, given the run that started each. */
const homes = (started: { readonly [run: string]: string }): { readonly [run: string]: string | undefined } => {
  const home = Nesting.homes(Object.keys(started), (run) => started[run])
  return Object.fromEntries(Object.keys(started).map((run) => [run, home(run)]))
}

describe("a run", () => {
  it("stands in the one that started it", () => {
    assert.deepStrictEqual(homes({ c: "b", b: "a" }), { b: "a", c: "b" })
    assert.deepStrictEqual(homes({ b: "a", c: "b" }), { b: "a", c: "b" })
  })

  it("of a circle stands for itself, and one that a run of the circle started in that", () => {
    assert.deepStrictEqual(homes({ a: "b", b: "a", c: "a" }), { a: undefined, b: undefined, c: "a" })
    assert.deepStrictEqual(homes({ c: "a", a: "b", b: "a" }), { a: undefined, b: undefined, c: "a" })
    assert.deepStrictEqual(homes({ a: "a" }), { a: undefined })
  })

  it("that is too deep stands beside the one that started it", () => {
    const names = Array.from({ length: 12 }, (_, index) => `${index}`)
    const found = homes(Object.fromEntries(names.slice(1).map((name, index) => [name, `${index}`])))
    assert.deepStrictEqual(names.slice(1).map((name) => found[name]), [
      ..."01234567",
      "7",
      "7",
      "7"
    ])
  })
})
