/** Formats dates as `date -R` does (RFC 5322), and as syslog does (RFC 3164). */

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const twoDigits = (value: number): string => String(value).padStart(2, "0")

/** Returns a date whose UTC fields are the local time. */
const localDate = (time: number, east: number): Date => new Date(time + east * 60_000)

const clock = (local: Date): string =>
  [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(twoDigits).join(":")

/**
 * Renders `Mon, 23 Nov 2026 18:58:47 +0000`. `time` is in milliseconds since 1970. `east` is the time zone in minutes
 * east of UTC.
 */
export const render = (time: number, east: number): string => {
  const zone = (east < 0 ? "-" : "+") + twoDigits(Math.floor(Math.abs(east) / 60)) + twoDigits(Math.abs(east) % 60)
  const local = localDate(time, east)
  const day = `${days[local.getUTCDay()]}, ${twoDigits(local.getUTCDate())} ${months[local.getUTCMonth()]}`
  return `${day} ${local.getUTCFullYear()} ${clock(local)} ${zone}`
}

/** Renders `Nov 3 18:58:47`. Source: RFC 3164, section 4.1.2. */
export const renderShort = (time: number, east: number): string => {
  const local = localDate(time, east)
  return `${months[local.getUTCMonth()]} ${String(local.getUTCDate()).padStart(2)} ${clock(local)}`
}
