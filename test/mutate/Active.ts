/**
 * Which mutant is active: each mutated module asks here. The answer comes from a file, because some tests start processes
 * with an environment of their own.
 */
import * as Fs from "node:fs"

/** The folder in which `Runner.ts` says what is active, and learns which mutants were reached. */
export const folder = "/mnt/mutants"

/** In place of a number in the file `active`, with a number after it: no mutant is active, and those reached are recorded. */
export const recording = "record"

const read = (): string => {
  try {
    return Fs.readFileSync(`${folder}/active`, "utf8")
  } catch {
    return ""
  }
}

const active = read()
const [, run] = active.split(`${recording}-`)
const reached = new Set<number>()

/** Whether the mutant of this number takes the place of the original. */
export const isActive = (mutant: number): boolean => {
  if (run !== undefined && !reached.has(mutant)) {
    reached.add(mutant)
    try {
      // A folder, because some tests leave no descriptors, or let no file grow.
      Fs.mkdirSync(`${folder}/reached-${run}/${mutant}`)
    } catch { /* another process has made it */ }
  }
  return active === String(mutant)
}
