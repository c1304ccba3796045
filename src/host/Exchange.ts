/**
 * Two files that change places at once. Whoever renames a file onto another one cannot know what was there at that moment;
 * after an exchange it is at hand, and can be put back where it was not what was expected.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Libc from "../exec/Libc.ts"

interface Functions {
  readonly syscall: (
    number: number,
    folder: number,
    path: Uint8Array,
    otherFolder: number,
    otherPath: Uint8Array,
    flags: number
  ) => number | bigint
}

/** The number of renameat2(2), which not every C library has a function for. */
const numbers: { readonly [processor: string]: number } = { x64: 316, arm64: 276 }

/** Values of the kernel: a path starts at the working directory, and both files stay. */
const [atWorkingFolder, exchange] = [-100, 2]

let libc: Functions | undefined | null = null

/** Lets two files change places; false where this is impossible, as in Node.js and on some file systems. */
const swap = (one: string, other: string): boolean => {
  libc ??= Libc.functions<Functions>({
    syscall: { args: ["i32", "i32", "ptr", "i32", "ptr", "u32"], returns: "i32" }
  }) ?? null
  const number = numbers[process.arch]
  if (libc === null || number === undefined) return false
  const [from, to] = [Buffer.from(`${one}\0`), Buffer.from(`${other}\0`)]
  return Number(libc.syscall(number, atWorkingFolder, from, atWorkingFolder, to, exchange)) === 0
}

/**
 * Puts a file into the place of another, unless that is not what was expected: then it stays there, and this is false.
 * `isExpected` looks at the file before, and at what came out of the place.
 */
export const put = Effect.fnUntraced(function*<E, R>(
  from: string,
  place: string,
  isExpected: (file: string) => Effect.Effect<boolean, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* isExpected(place))) return false
  if (!swap(from, place)) {
    if (!(yield* isExpected(place))) return false // it may be gone since
    yield* fs.rename(from, place)
    return true
  }
  if (!(yield* isExpected(from))) {
    swap(from, place)
    return false
  }
  yield* fs.remove(from)
  return true
})
