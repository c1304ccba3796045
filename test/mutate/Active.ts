/**
 * Which mutant is active: each mutated module asks here. The answer comes from a file, because some tests start processes
 * with an environment of their own.
 */
import * as Fs from "node:fs"

/** The folder in which `Runner.ts` says what is active, and learns which mutants were reached. */
export const folder = "/mnt/mutants"

/** In place of a number in the file `active`: no mutant is active, and those reached are recorded. */
export const recording = "record"

/** Where mutants are recorded as reached. */
export const reachedNow = `${folder}/reached`

const read = (): string => {
  try {
    return Fs.readFileSync(`${folder}/active`, "utf8")
  } catch {
    return ""
  }
}

const active = read()

/** Those that the test of this number has reached. Each test of a file has another number. */
const reached = { test: 0, mutants: new Set<number>() }

/** Whether the mutant of this number takes the place of the original. */
export const isActive = (mutant: number): boolean => {
  if (active === recording) {
    const test: number = (globalThis as { readonly testOfMutants?: number }).testOfMutants ?? 0
    if (reached.test !== test) Object.assign(reached, { test, mutants: new Set() })
    if (!reached.mutants.has(mutant)) {
      reached.mutants.add(mutant)
      try {
        // A folder, because some tests leave no descriptors, or let no file grow.
        Fs.mkdirSync(`${reachedNow}/${mutant}`)
      } catch { /* another process has made it */ }
    }
  }
  return active === String(mutant)
}
