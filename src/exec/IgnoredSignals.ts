/** The signals that whoever started us made us ignore, as `nohup` does, and shells for what runs in the background. */
import * as Libc from "./Libc.ts"

let known: ReadonlyArray<number> | undefined

/**
 * Their numbers. Has to be asked for before this process listens to any signal. None are known under Node.js, which
 * ignores nothing that it was made to ignore.
 */
export const atStart = (): ReadonlyArray<number> => known ??= Libc.load()?.ignoredSignals() ?? []
