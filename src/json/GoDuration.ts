/** Durations in the format of Go's `time.ParseDuration`: `300ms`, `30s`, `1m30s`, `1.5h`. */

const units = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, "µs": 1e-3, us: 1e-3, ns: 1e-6 } as const

/** Matches a non-negative duration. A bare `0` needs no unit. */
export const pattern = /^(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/u

/** Converts a duration to milliseconds. It must match {@link pattern}. */
export const toMillis = (duration: string): number => {
  let total = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * units[unit as keyof typeof units]
  }
  return total
}

/** Units that are used only for whole numbers. */
const whole = ["h", "m"] as const

/** Formats milliseconds as a duration in its largest suitable unit: `10m`, `2s`, `1.5s`, `300ms`, `1ns`. */
export const fromMillis = (milliseconds: number): string => {
  if (milliseconds === 0) return "0"
  const large = whole.find((unit) => milliseconds % units[unit] === 0)
  const unit = large ??
    (milliseconds >= units.s ? "s" : milliseconds >= units.ms ? "ms" : milliseconds >= units.us ? "us" : "ns")
  return `${Number((milliseconds / units[unit]).toPrecision(12))}${unit}`
}
