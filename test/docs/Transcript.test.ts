/** What counts as the same session. */
import { assert, it } from "@effect/vitest"
import * as Transcript from "./transcript.ts"

const printed = ["ADD eth0 of web (3f2a77aa)", "├─ ✓ bridge      81.1 ms", "└─ 90 ms in total"]

it("times, identifiers and the width of gaps may differ", () => {
  assert.isUndefined(
    Transcript.missing(["ADD eth0 of web (00ff00ff)", "├─ ✓ bridge   1 ms", "└─ 2.5 ms in total"], printed)
  )
})

it("… stands for the rest of a line, or for any number of lines", () => {
  assert.isUndefined(Transcript.missing(["ADD eth0 …", "…"], printed))
  assert.isUndefined(Transcript.missing(["…", "└─ 2 ms in total", "…"], printed))
})

it("a line that is missing, wrong or too many is found", () => {
  assert.deepStrictEqual(Transcript.missing([...printed, "more"], printed), ["more"])
  assert.deepStrictEqual(Transcript.missing(["…", "└─ 2 ms"], printed), ["└─ 2 ms"])
  assert.deepStrictEqual(Transcript.missing(["ADD …"], printed), ["(nothing more)"])
})
