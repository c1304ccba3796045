/** The time zone of this host, read from its file: the engines take a third of a whole run to load time zones. */
import * as Fs from "node:fs"

/** The file of a time zone, which TZ names. Undefined if TZ describes the zone itself, such as `CET-1CEST`. */
const fileOf = (zone: string | undefined): string | undefined => {
  if (zone === undefined) return "/etc/localtime"
  const name = zone.replace(/^:/, "")
  if (name.startsWith("/")) return name
  return /^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/.test(name) ? `/usr/share/zoneinfo/${name}` : undefined
}

/** The length of a header, and where it has its counts. */
const header = { length: 44, utc: 20, standard: 24, leaps: 28, times: 32, types: 36, characters: 40 } as const

/**
 * Returns how many seconds east of UTC a zone is at a time (seconds since 1970). Undefined if the file is not one of a
 * zone, or leaves the time to the rule at its end. Source: RFC 9636, section 3.
 */
const secondsEast = (file: Buffer, time: number): number | undefined => {
  if (file.toString("latin1", 0, 4) !== "TZif" || file.readUInt8(4) < 0x32) return undefined
  const count = (at: number, name: Exclude<keyof typeof header, "length">) => file.readUInt32BE(at + header[name])
  /** The length of the data after the header at this place, whose times have so many bytes. */
  const dataLength = (at: number, size: number) =>
    count(at, "times") * (size + 1) + count(at, "types") * 6 + count(at, "characters") +
    count(at, "leaps") * (size + 4) + count(at, "standard") + count(at, "utc")
  // The first part has times of four bytes, for old programs.
  const second = header.length + dataLength(0, 4)
  const times = second + header.length
  const total = count(second, "times")
  let [passed, end] = [0, total]
  while (passed < end) {
    const middle = (passed + end) >> 1
    if (file.readBigInt64BE(times + 8 * middle) <= time) passed = middle + 1
    else end = middle
  }
  const rule = file.toString("latin1", times + dataLength(second, 8))
  if (passed === total && rule.includes(",")) return undefined
  const kinds = times + 8 * total
  const kind = passed === 0 ? 0 : file.readUInt8(kinds + passed - 1)
  return file.readInt32BE(kinds + total + 6 * kind)
}

/** Returns the time zone at a time (milliseconds since 1970) in minutes east of UTC. */
export const minutesEast = (time: number): number => {
  const zone = process.env["TZ"]
  try {
    const file = fileOf(zone)
    const seconds = file === undefined ? undefined : secondsEast(Fs.readFileSync(file), Math.floor(time / 1000))
    if (seconds !== undefined) return Math.trunc(seconds / 60)
  } catch { /* the engine may know it */ }
  return -new Date(time).getTimezoneOffset()
}
