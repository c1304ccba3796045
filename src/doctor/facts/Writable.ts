/** Whether files can be made in a folder, as far as that can be told without making one. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Fs from "node:fs"
import * as AtomicFile from "../../host/AtomicFile.ts"

/** Where root cannot make files, and why. */
export interface Unwritable {
  /** The folder, or the next one above it that is there. */
  readonly at: string
  readonly reason: string
}

/** Why root cannot make files in a folder; undefined if it can. */
export const whyNot = Effect.fnUntraced(function*(folder: string) {
  if (process.getuid?.() !== 0) return undefined // what others may not, says nothing of root
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let at = path.resolve(folder)
  while (at !== "/" && !(yield* Effect.orElseSucceed(fs.exists(at), () => true))) at = path.dirname(at)
  const access = yield* Effect.result(fs.access(at, { writable: true }))
  if (Result.isFailure(access)) return { at, reason: AtomicFile.reasonOf(access.failure) } satisfies Unwritable
  const space = yield* Effect.result(Effect.tryPromise(() => Fs.promises.statfs(at)))
  if (Result.isFailure(space)) return undefined
  const { bfree, ffree, files } = space.success
  const lack = bfree === 0 ? "space" : files > 0 && ffree === 0 ? "inodes" : undefined
  return lack === undefined ? undefined : { at, reason: `no ${lack} left on device` } satisfies Unwritable
})
