/** Moments as people write them: a time, or how long ago it was. */
import * as GoDuration from "../json/GoDuration.ts"

/** The accepted forms, for messages. */
export const expected = "a time such as 2026-11-24T10:00:00Z, or how long ago it was, such as 10m, 2h30m or 1d"

const millisPerDay = 86_400_000

/** Milliseconds since 1970; undefined if the text is neither a time nor a duration. */
export const parse = (text: string, now: number): number | undefined => {
  const [, days, rest = ""] = /^(?:(\d+(?:\.\d+)?)d)?(.*)$/su.exec(text) ?? []
  if (GoDuration.pattern.test(rest) || (days !== undefined && rest === "")) {
    return now - Number(days ?? 0) * millisPerDay - GoDuration.toMillis(rest)
  }
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
