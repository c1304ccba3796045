/** Durations as Go writes them: `300ms`, `30s`, `1m30s`, `1.5h`. */

const units = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, "µs": 1e-3, us: 1e-3, ns: 1e-6 } as const

/** A duration that is not negative. A bare `0` needs no unit. */
export const pattern = /^(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/u

/** The length in milliseconds of a duration that matches {@link pattern}. */
export const toMillis = (duration: string): number => {
  let total = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * units[unit as keyof typeof units]
  }
  return total
}

/** A length in milliseconds as a duration, in the unit that suits it: `2s`, `1.5s`, `300ms`, `1ns`. */
export const fromMillis = (milliseconds: number): string => {
  if (milliseconds === 0) return "0"
  const unit = milliseconds >= units.s ? "s" : milliseconds >= units.ms ? "ms" : milliseconds >= units.us ? "us" : "ns"
  return `${Number((milliseconds / units[unit]).toPrecision(12))}${unit}`
}
