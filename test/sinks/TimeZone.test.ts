/** The time zone that a log has its times in. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as TimeZone from "../../src/sinks/TimeZone.ts"

const summer = Date.UTC(2026, 6, 1, 12)
const winter = Date.UTC(2026, 0, 1, 12)

const zoneinfo = "/usr/share/zoneinfo"

/** A time zone as date(1) prints it: `+0530`. */
const textOf = (east: number): string => {
  const digits = (value: number) => String(value).padStart(2, "0")
  return `${east < 0 ? "-" : "+"}${digits(Math.floor(Math.abs(east) / 60))}${digits(Math.abs(east) % 60)}`
}

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

  it("is read from the file of the zone, and not asked for", () => {
    using asked = vi.spyOn(Date.prototype, "getTimezoneOffset")
    for (const zone of ["UTC", "Europe/Berlin", ":America/New_York", "/usr/share/zoneinfo/Asia/Kolkata"]) {
      process.env["TZ"] = zone
      TimeZone.minutesEast(summer)
    }
    assert.strictEqual(asked.mock.calls.length, 0)
  })

  it("is asked for where the file has only a rule for that time, and where there is none", () => {
    process.env["TZ"] = "Europe/Berlin"
    assert.strictEqual(TimeZone.minutesEast(Date.UTC(2045, 6, 1)), 120)
    process.env["TZ"] = "No/Such_Zone"
    assert.strictEqual(TimeZone.minutesEast(summer), -new Date(summer).getTimezoneOffset())
  })

  it("is that of date(1) in each zone, around the changes of a year", () => {
    const seconds = Array.from({ length: 74 }, (_, index) => Date.UTC(2026, 0, 1, 1) / 1000 + index * 5 * 86_400)
    const input = seconds.map((time) => `@${time}\n`).join("")
    const isZone = (file: string) => Fs.readFileSync(file).subarray(0, 4).toString() === "TZif"
    const files = Fs.readdirSync(zoneinfo, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => Path.join(parentPath, name))
      .filter((file) => !file.startsWith(`${zoneinfo}/right/`) && isZone(file)) // those count leap seconds
    const distinct = [...new Map(files.map((file) => [Fs.readFileSync(file, "latin1"), file])).values()]
    assert.isAbove(distinct.length, 200)
    for (const file of distinct) {
      const { stdout } = ChildProcess.spawnSync("date", ["-f", "-", "+%z"], {
        env: { ...process.env, TZ: file },
        input,
        encoding: "utf8"
      })
      process.env["TZ"] = file
      const found = seconds.map((time) => textOf(TimeZone.minutesEast(time * 1000)))
      assert.deepStrictEqual(found, stdout.replaceAll("-0000", "+0000").trim().split("\n"), file)
    }
  })
})
