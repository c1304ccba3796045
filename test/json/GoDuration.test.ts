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
    ".5s": 500,
    "1h1m1s1ms1us1ns": 3_661_001.001_001,
    "2µs": 0.002,
    "5.s": 5000
  }
  for (const [text, millis] of Object.entries(durations)) {
    it(`${text} is ${millis} ms`, () => {
      assert.match(text, GoDuration.pattern)
      assert.strictEqual(GoDuration.toMillis(text), millis)
    })
  }

  const wrong = {
    "": "0",
    "5": "5s",
    "00": "0s",
    "-5s": "5s",
    "5 s": "5s",
    s: "5s",
    "5d": "5h",
    "1..5s": "1.5s",
    ".s": ".5s",
    "5s ": "5.s",
    "5sx": "5s5ms",
    "5S": "5µs"
  }
  for (const [text, right] of Object.entries(wrong)) {
    it(`is not ${JSON.stringify(text)}, but may be ${right}`, () => {
      assert.notMatch(text, GoDuration.pattern)
      assert.match(right, GoDuration.pattern)
    })
  }
})

describe("a length in milliseconds", () => {
  const cases: ReadonlyArray<readonly [milliseconds: number, duration: string]> = [
    [0, "0"],
    [1e-6, "1ns"],
    [0.0015, "1.5us"],
    [0.000_999, "999ns"],
    [0.001, "1us"],
    [0.999, "999us"],
    [1, "1ms"],
    [300, "300ms"],
    [999, "999ms"],
    [1000, "1s"],
    [1500, "1.5s"],
    [90_000, "90s"]
  ]
  for (const [milliseconds, duration] of cases) {
    it(`of ${milliseconds} is told as ${duration}`, () => {
      assert.strictEqual(GoDuration.fromMillis(milliseconds), duration)
    })
  }
})
