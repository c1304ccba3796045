/** What a command wrote, beside what it wrote before. */
import { assert, describe, it } from "@effect/vitest"
import * as OutputDiff from "../../src/operations/OutputDiff.ts"

const signs = { same: " ", added: "+", removed: "-", leftOut: "…" }

const between = (before: string, after: string) =>
  OutputDiff.between(before.replaceAll(" ", "\n"), after.replaceAll(" ", "\n"))
    ?.map(({ kind, what }) => `${signs[kind]}${what}`).join(" ")

describe("the difference of two outputs", () => {
  it("is nothing where they are the same, and unknown where they have no line in common", () => {
    assert.strictEqual(between("a b", "a b"), "")
    assert.isUndefined(between("a b", "c d"))
  })

  it("has one line around each change, and how many were left out", () => {
    assert.strictEqual(between("a b c d e", "a b x d e"), " a  b -c +x  d  e")
    assert.strictEqual(between("a b c d e f g", "a b c x e f g"), "…2 lines as before  c -d +x  e …2 lines as before")
    assert.strictEqual(
      between("x a b c d y", "1 a b c d 2"),
      "-x +1  a …2 lines as before  d -y +2"
    )
    assert.strictEqual(between("x a b c y", "1 a b c 2"), "-x +1  a  b  c -y +2")
  })

  it("has what was added at the end", () => {
    assert.strictEqual(between("a", "a b"), " a +b")
    assert.strictEqual(between("a b", "a"), " a -b")
  })
})
