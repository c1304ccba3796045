/** The time zone that a log has its times in. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as TimeZone from "../../src/sinks/TimeZone.ts"

const summer = Date.UTC(2026, 6, 1, 12)
const winter = Date.UTC(2026, 0, 1, 12)

const before = process.env["TZ"]

afterEach(() => {
  if (before === undefined) delete process.env["TZ"]
  else process.env["TZ"] = before
})

describe("local time", () => {
  const zones = {
    UTC: [0, 0],
    "Asia/Kolkata": [330, 330],
    "Europe/Berlin": [120, 60],
    "America/New_York": [-240, -300],
    "Etc/GMT-3": [180, 180], // its name is not UTC, nor is it
    "XUTC-2": [120, 120] // a zone of POSIX whose name ends like the one that is passed over
  }
  for (const [zone, [east, eastInWinter]] of Object.entries(zones)) {
    it(`is ${east} minutes east of UTC in summer where TZ is ${zone}, and ${eastInWinter} in winter`, () => {
      process.env["TZ"] = zone
      assert.strictEqual(TimeZone.minutesEast(summer), east)
      assert.strictEqual(TimeZone.minutesEast(winter), eastInWinter)
    })
  }

  it("is not asked for where TZ says that it is UTC", () => {
    process.env["TZ"] = "UTC"
    using asked = vi.spyOn(Date.prototype, "getTimezoneOffset")
    assert.strictEqual(TimeZone.minutesEast(summer), 0)
    assert.strictEqual(asked.mock.calls.length, 0)
  })
})
