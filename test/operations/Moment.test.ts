/** Moments as people write them. */
import { assert, describe, it } from "@effect/vitest"
import * as Moment from "../../src/operations/Moment.ts"
import * as LocalTime from "../../src/render/terminal/LocalTime.ts"

const now = Date.UTC(2026, 10, 24, 10)
const hour = 3_600_000

describe("a moment", () => {
  it("is a time, or how long ago it was, in days too", () => {
    assert.strictEqual(Moment.parse("2026-11-24T09:00:00Z", now), now - hour)
    assert.strictEqual(Moment.parse("10m", now), now - hour / 6)
    assert.strictEqual(Moment.parse("1d", now), now - 24 * hour)
    assert.strictEqual(Moment.parse("1.5d", now), now - 36 * hour)
    assert.strictEqual(Moment.parse("2d12h30m", now), now - 60.5 * hour)
    assert.strictEqual(Moment.parse("0", now), now)
  })

  it("has these forms in messages", () => {
    assert.strictEqual(
      Moment.expected,
      "a time such as 2026-11-24T10:00:00Z, or how long ago it was, such as 10m, 2h30m or 1d"
    )
  })

  it("is nothing else than what differs from these by a character", () => {
    const wrong = {
      "": "0",
      yesterday: "2026-11-23",
      d: "1d",
      "1x": "1m",
      "1d1d": "1d1h",
      "-1d": "1d",
      m: "1m",
      "1dx": "1d1s",
      "1h1d": "1d1h",
      "1..5d": "1.5d",
      ".d": "0.5d"
    }
    for (const [text, right] of Object.entries(wrong)) {
      assert.isUndefined(Moment.parse(text, now), text)
      assert.isDefined(Moment.parse(right, now), right)
    }
    assert.strictEqual(Moment.parse("2026-11-23", now), Date.UTC(2026, 10, 23))
  })

  it("is shown in local time with its zone", () => {
    const east = (minutes: number) => LocalTime.ofRecord("2026-11-24T10:00:00.000Z", () => minutes)
    assert.strictEqual(east(0), "2026-11-24 10:00:00.000 +00:00")
    assert.strictEqual(east(330), "2026-11-24 15:30:00.000 +05:30")
    assert.strictEqual(east(-90), "2026-11-24 08:30:00.000 -01:30")
    for (const text of ["", "never", "+275760-09-13T00:00:00.001Z"]) {
      assert.strictEqual(LocalTime.ofRecord(text, () => 0), text)
    }
    assert.strictEqual(LocalTime.ofRecord("+200000-01-01T00:00:00.000Z", () => 0), "+200000-01-01 00:00:00.000 +00:00")
    assert.strictEqual(LocalTime.ofRecord("+275760-09-13T00:00:00.000Z", () => 60), "+275760-09-13T00:00:00.000Z")
  })
})
