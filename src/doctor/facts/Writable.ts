/** Whether files can be created in a folder, as far as we can tell without creating one. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Fs from "node:fs"
import * as AtomicFile from "../../host/AtomicFile.ts"

/** Where root cannot create files, and why. */
export interface Unwritable {
  /** The folder, or the nearest folder above it that exists. */
  readonly at: string
  readonly reason: string
}

/** Why root cannot create files in a folder; undefined if it can. */
export const whyNot = Effect.fnUntraced(function*(folder: string) {
  if (process.getuid?.() !== 0) return undefined // the limits of another user say nothing about root
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
