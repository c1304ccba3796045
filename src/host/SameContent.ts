/** Compares files without loading them into memory. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

const chunk = 1_048_576

/** The next bytes of an open file: a full buffer unless the file ends. */
const fill = Effect.fnUntraced(function*(file: FileSystem.File, buffer: Uint8Array) {
  let length = 0
  while (length < buffer.length) {
    const read = yield* file.read(buffer.subarray(length))
    if (read === 0) break
    length += read
  }
  return buffer.subarray(0, length)
})

/** Whether two files have the same bytes. */
export const hasSameContent = Effect.fnUntraced(function*(one: string, other: string) {
  const fs = yield* FileSystem.FileSystem
  if ((yield* fs.stat(one)).size !== (yield* fs.stat(other)).size) return false
  const [a, b] = [yield* fs.open(one), yield* fs.open(other)]
  const [left, right] = [new Uint8Array(chunk), new Uint8Array(chunk)]
  for (;;) {
    const bytes = yield* fill(a, left)
    if (Buffer.compare(bytes, yield* fill(b, right)) !== 0) return false
    if (bytes.length < chunk) return true
  }
}, Effect.scoped)
