/** Durations as Go writes them: `300ms`, `30s`, `1m30s`, `1.5h`. */

const milliseconds: { readonly [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000
}

/** A duration that is not negative. A bare `0` needs no unit. */
export const pattern = /^(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/u

/** The length in milliseconds of a duration that matches {@link pattern}. */
export const toMillis = (duration: string): number => {
  let total = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * (milliseconds[unit ?? ""] ?? 0)
  }
  return total
}
