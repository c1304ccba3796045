/** Formats values as text. */

const two = (value: number): string => String(value).padStart(2, "0")

/** A moment in local time, to the millisecond; unchanged if it is not a date. */
export const moment = (time: string): string => {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`
}

/** The offset of local time from UTC: `+01:00`. */
export const zone = (): string => {
  const east = -new Date().getTimezoneOffset()
  return `${east < 0 ? "-" : "+"}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`
}

/** A duration, given in milliseconds. */
export const duration = (value: number | undefined): string => {
  if (value === undefined) return ""
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ms`
}

/** `1 operation`, `2 operations`. */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** Joins the parts that are not empty. */
export const joined = (parts: ReadonlyArray<string | undefined>, between = " "): string =>
  parts.filter((part) => part !== undefined && part !== "").join(between)
