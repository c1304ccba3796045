/** The signals that this process inherited as ignored: from `nohup`, or from a shell that runs it in the background. */
import * as Libc from "./Libc.ts"

let known: ReadonlyArray<number> | undefined

/**
 * Returns the numbers of these signals. Must first be called before this process handles any signal. Empty under
 * Node.js, which resets all signals to their defaults.
 */
export const atStart = (): ReadonlyArray<number> => known ??= Libc.load()?.ignoredSignals() ?? []
