/** Formats moments in the local time of this host. */

const twoDigits = (value: number): string => String(value).padStart(2, "0")

/** `2026-11-24 11:00:00.000 +01:00`. The moment is in milliseconds since 1970, the offset in minutes east of UTC. */
const render = (time: number, east: number): string => {
  const minutes = Math.abs(east)
  const zone = `${east < 0 ? "-" : "+"}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
  // With the offset added, the UTC fields of a date are those of local time.
  return `${new Date(time + east * 60_000).toISOString().replace("T", " ").replace("Z", "")} ${zone}`
}

/** The time of a record in local time with its zone; unchanged if it is not a date. */
export const ofRecord = (time: string, minutesEast: (time: number) => number): string => {
  const moment = Date.parse(time)
  return Math.abs(moment) < 8e15 ? render(moment, minutesEast(moment)) : time
}
