/** Writes to the descriptors that this process inherited. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"

/** Returns the number of bytes written: 0 if the reader has to catch up first. */
const writeSome = (fd: number, rest: string | Uint8Array): number => {
  try {
    return typeof rest === "string" ? Fs.writeSync(fd, rest) : Fs.writeSync(fd, rest)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0
    throw error
  }
}

/**
 * Writes a whole text. `process.stdout` costs more time than all other work of an answer, and loses what it has not
 * flushed when the process exits.
 */
export const write = Effect.fnUntraced(function*(fd: number, text: string) {
  // Writing a string is cheaper than encoding it first, so only a partial write encodes it.
  let rest: string | Uint8Array = text
  while (true) {
    const written = yield* Effect.try({ try: () => writeSome(fd, rest), catch: (error) => error as Error })
    if (written === Buffer.byteLength(rest)) return
    if (written === 0) yield* Effect.sleep(1)
    rest = (typeof rest === "string" ? Buffer.from(rest) : rest).subarray(written)
  }
})
