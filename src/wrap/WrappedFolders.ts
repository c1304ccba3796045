/**
 * The register of folders with wrapped plugins. The usual folders are found without it; it is for those that only
 * `--dir` names, so that a removal of our package finds them too.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as FolderLock from "../host/FolderLock.ts"
import * as Stub from "./Stub.ts"

/** The file of the register: one absolute path a line. */
export const Register = Context.Reference<string>("cni-passthrough/wrap/WrappedFolders/Register", {
  defaultValue: () => "/var/lib/cni-passthrough/wrapped"
})

/** The registered folders, or none without a register. */
const registered = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.orElseSucceed(fs.readFileString(yield* Register), () => "")
  return text.split("\n").filter((line) => line.startsWith("/"))
})

/** Whether a folder still has files of ours. */
const isWrapped = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.exists(Stub.places(folder).own), () => false)
})

/** The registered folders that still have files of ours. */
export const list = Effect.flatMap(registered, (folders) => Effect.filter(folders, isWrapped))

/**
 * Registers a folder, or removes it if it has no files of ours any more, and other such folders with it. Never fails:
 * plugins are wrapped even if the register cannot be written.
 */
export const update = Effect.fnUntraced(function*(folder: string) {
  const path = yield* Path.Path
  const register = yield* Register
  const before = yield* registered
  if (before.includes(folder) === (yield* isWrapped(folder))) return
  yield* AtomicFile.makeFolder(path.dirname(register))
  const write = Effect.gen(function*() {
    const folders = yield* Effect.filter([...new Set([...yield* registered, folder])].sort(), isWrapped)
    yield* AtomicFile.replaceText(register, folders.map((each) => `${each}\n`).join(""))
  })
  yield* FolderLock.hold(path.dirname(register), write)
}, (effect) => Effect.ignore(effect))
