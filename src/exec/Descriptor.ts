/** Writes to descriptors that this process was started with. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"

/** How many bytes were taken; none where the reader has to catch up first. */
const writeSome = (fd: number, rest: string | Uint8Array): number => {
  try {
    return typeof rest === "string" ? Fs.writeSync(fd, rest) : Fs.writeSync(fd, rest)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0
    throw error
  }
}

/**
 * Writes all of a text. `process.stdout` would cost more than the whole rest of an answer, and loses what is not
 * flushed at the exit.
 */
export const write = Effect.fnUntraced(function*(fd: number, text: string) {
  // A string costs the runtimes less than the bytes that it stands for: those are made only where a write is cut short.
  let rest: string | Uint8Array = text
  while (true) {
    const written = yield* Effect.try({ try: () => writeSome(fd, rest), catch: (error) => error as Error })
    if (written === Buffer.byteLength(rest)) return
    if (written === 0) yield* Effect.sleep(1)
    rest = (typeof rest === "string" ? Buffer.from(rest) : rest).subarray(written)
  }
})
