/** How the page writes things. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Texts from "../../../../src/render/html/page/Texts.ts"

describe("the page writes", () => {
  it("a moment in local time, to the millisecond, and what has no date as it is", () => {
    assert.strictEqual(Texts.moment(new Date(2026, 0, 2, 3, 4, 5, 6).toISOString()), "2026-01-02 03:04:05.006")
    assert.strictEqual(Texts.moment(new Date(2026, 10, 24, 13, 14, 15, 678).toISOString()), "2026-11-24 13:14:15.678")
    assert.strictEqual(Texts.moment("yesterday"), "yesterday")
  })

  it("the zone as what it is east of UTC", () => {
    const zoneOf = (west: number): string => {
      const asked = vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(west)
      const zone = Texts.zone()
      asked.mockRestore()
      return zone
    }
    assert.deepStrictEqual([0, -60, -330, 90, 600].map(zoneOf), ["+00:00", "+01:00", "+05:30", "-01:30", "-10:00"])
  })

  it("a length of time as exactly as one reads it", () => {
    const lengths = [undefined, 0, 1.26, 99.94, 99.96, 100.4, 9999, 10_000, 12_345]
    assert.deepStrictEqual(lengths.map(Texts.duration), [
      "",
      "0 ms",
      "1.3 ms",
      "99.9 ms",
      "100 ms",
      "100 ms",
      "9999 ms",
      "10.0 s",
      "12.3 s"
    ])
  })

  it("counts and what there is of several words", () => {
    assert.deepStrictEqual([0, 1, 2].map((count) => Texts.plural(count, "run")), ["0 runs", "1 run", "2 runs"])
    assert.strictEqual(Texts.joined(["a", undefined, "", "b"]), "a b")
    assert.strictEqual(Texts.joined(["a", "b"], ", "), "a, b")
  })
})
