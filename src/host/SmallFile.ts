/** Reads files from folders that other programs write to. Refuses anything that is not a regular file, or too long. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { reasonOf } from "./AtomicFile.ts"

/** A file cannot be read, or is refused. */
export class NotRead extends Data.TaggedError("NotRead")<{
  readonly reason: string
  /** Whether the file does not exist. */
  readonly isMissing: boolean
  /** Whether we lack the permission to read or to find it. */
  readonly isForbidden: boolean
  readonly cause?: unknown
}> {
  override readonly message = this.reason
}

const refused = (reason: string) => new NotRead({ reason, isMissing: false, isForbidden: false })

/** The kinds of files that are refused. */
const otherKinds: { readonly [type in FileSystem.File.Type]?: string } = {
  FIFO: "a named pipe",
  Socket: "a socket",
  BlockDevice: "a device",
  CharacterDevice: "a device",
  Unknown: "a file of an unknown kind"
}

/** The kernel presents its files as regular ones, but some of them have no end. */
const isOfKernel = (real: string): boolean => /^\/(?:proc|sys)\//.test(real)

/** The fewest and the most bytes to read at once. Memory for the most costs more than reading a small file. */
const chunk = { least: 4096, most: 1_048_576 }

/** The bytes of a file that seems to have `size`, up to `length`. */
const readUpTo = Effect.fnUntraced(function*(path: string, size: number, length: number) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(path)
  const chunks: Array<Uint8Array> = []
  for (let left = length; left > 0;) {
    const missing = size - (length - left) + 1
    const bytes = yield* file.readAlloc(Math.min(left, Math.max(chunk.least, Math.min(missing, chunk.most))))
    if (bytes._tag === "None") break
    chunks.push(bytes.value)
    left -= bytes.value.length
  }
  return Buffer.concat(chunks)
}, Effect.scoped)

/** The text of a regular file of at most `longest` bytes. */
export const textOf = Effect.fnUntraced(function*(path: string, longest: number) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.gen(function*() {
    const { size, type } = yield* fs.stat(path)
    const kind = isOfKernel(yield* fs.realPath(path)) ? "a file of the kernel" : otherKinds[type]
    if (kind !== undefined) return yield* refused(`found ${kind}, expected a regular file`)
    if (type === "File" && size > longest) return yield* refused(`found ${size} bytes, expected at most ${longest}`)
    return yield* readUpTo(path, Number(size), longest + 1)
  }).pipe(
    Effect.catchTag("PlatformError", (cause) => {
      const { _tag } = cause.reason
      return Effect.fail(
        new NotRead({
          reason: reasonOf(cause),
          isMissing: _tag === "NotFound",
          isForbidden: _tag === "PermissionDenied",
          cause
        })
      )
    })
  )
  // The file may have grown since its size was read.
  if (bytes.length > longest) return yield* refused(`found more than ${longest} bytes`)
  return bytes.toString()
})

/** The text of a file, or undefined if it cannot be read or is refused. */
export const read = (path: string, longest: number) => Effect.orElseSucceed(textOf(path, longest), () => undefined)
