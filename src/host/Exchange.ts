/**
 * Exchanges two files in one step. A rename onto a file cannot show which file it replaced. After an exchange that file
 * is still there, and goes back if it was not the expected one.
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

/** The number of renameat2(2): not every C library has a function for it. */
const numbers: { readonly [processor: string]: number } = { x64: 316, arm64: 276 }

/** Constants of the kernel: `AT_FDCWD`, for paths relative to the working directory, and `RENAME_EXCHANGE`. */
const [atWorkingFolder, exchange] = [-100, 2]

let libc: Functions | undefined | null = null

/** Exchanges two files; false if this is impossible, as in Node.js and on some file systems. */
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
 * Moves a file into the place of another, unless that other file is not the expected one: then it stays, and the result
 * is false. `isExpected` checks the file before the exchange, and again the file that came out of it.
 */
export const put = Effect.fnUntraced(function*<E, R>(
  from: string,
  place: string,
  isExpected: (file: string) => Effect.Effect<boolean, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* isExpected(place))) return false
  if (!swap(from, place)) {
    if (!(yield* isExpected(place))) return false // it may have gone in the meantime
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
