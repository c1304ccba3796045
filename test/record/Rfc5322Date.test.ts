import { assert, describe, it } from "@effect/vitest"
import * as Rfc5322Date from "../../src/record/Rfc5322Date.ts"

describe("a date", () => {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  for (const [index, month] of months.entries()) {
    it(`in ${month} has its name`, () => {
      const time = Date.UTC(2026, index, 15, 18, 58, 47)
      assert.include(Rfc5322Date.render(time, 0), `, 15 ${month} 2026 18:58:47 +0000`)
      assert.strictEqual(Rfc5322Date.renderShort(time, 0), `${month} 15 18:58:47`)
    })
  }

  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  for (const [index, day] of days.entries()) {
    it(`on ${day} has its name`, () => {
      const time = Date.UTC(2026, 10, 1 + index, 1, 2, 3) // 1 November 2026 was a Sunday
      assert.strictEqual(Rfc5322Date.render(time, 0), `${day}, 0${1 + index} Nov 2026 01:02:03 +0000`)
      assert.strictEqual(Rfc5322Date.renderShort(time, 0), `Nov  ${1 + index} 01:02:03`)
    })
  }

  const zones: ReadonlyArray<readonly [east: number, date: string, short: string]> = [
    [60, "Fri, 01 Jan 2027 00:30:00 +0100", "Jan  1 00:30:00"],
    [345, "Fri, 01 Jan 2027 05:15:00 +0545", "Jan  1 05:15:00"],
    [-1, "Thu, 31 Dec 2026 23:29:00 -0001", "Dec 31 23:29:00"],
    [-210, "Thu, 31 Dec 2026 20:00:00 -0330", "Dec 31 20:00:00"],
    [-720, "Thu, 31 Dec 2026 11:30:00 -1200", "Dec 31 11:30:00"]
  ]
  for (const [east, date, short] of zones) {
    it(`is local time, ${east} minutes east of UTC`, () => {
      const time = Date.UTC(2026, 11, 31, 23, 30)
      assert.strictEqual(Rfc5322Date.render(time, east), date)
      assert.strictEqual(Rfc5322Date.renderShort(time, east), short)
    })
  }
})
