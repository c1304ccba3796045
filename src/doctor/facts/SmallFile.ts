/** Files of folders that others write into, too: what is no file, or far too long, is not read. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** The text of a file; undefined where it cannot be read, or has more than `longest` bytes. */
export const read = Effect.fnUntraced(function*(path: string, longest: number) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(path))
  if (info._tag === "None" || info.value.type !== "File" || info.value.size > longest) return undefined
  return yield* Effect.orElseSucceed(fs.readFileString(path), () => undefined)
})
