import { assert, describe, it } from "@effect/vitest"
import * as GoDuration from "../../src/json/GoDuration.ts"

describe("a Go duration", () => {
  const durations = {
    "30s": 30_000,
    "1m30s": 90_000,
    "1.5h": 5_400_000,
    "500ms": 500,
    "250us": 0.25,
    "0": 0,
    ".5s": 500
  }
  for (const [text, millis] of Object.entries(durations)) {
    it(`${text} is ${millis} ms`, () => {
      assert.match(text, GoDuration.pattern)
      assert.strictEqual(GoDuration.toMillis(text), millis)
    })
  }

  it("needs a unit, and is not negative", () => {
    for (const text of ["", "5", "-5s", "5 s", "s", "5d", "1..5s", "5s "]) assert.notMatch(text, GoDuration.pattern)
  })
})

describe("a length in milliseconds", () => {
  const cases: ReadonlyArray<readonly [milliseconds: number, duration: string]> = [
    [0, "0"],
    [1e-6, "1ns"],
    [0.0015, "1.5us"],
    [300, "300ms"],
    [1500, "1.5s"],
    [90_000, "90s"]
  ]
  for (const [milliseconds, duration] of cases) {
    it(`of ${milliseconds} is told as ${duration}`, () => {
      assert.strictEqual(GoDuration.fromMillis(milliseconds), duration)
    })
  }
})
