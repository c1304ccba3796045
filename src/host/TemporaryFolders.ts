/** Temporary folders named after their process, so that a later process removes what a killed one left. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as ProcessIdentity from "./ProcessIdentity.ts"

const prefix = "cni-passthrough."

/** Whether a folder has the name of a process in our own PID namespace that has ended. */
const isLeft = Effect.fnUntraced(function*(name: string, own: ProcessIdentity.Identity) {
  const [, pid, start, namespace] = /^cni-passthrough\.(\d+)\.(\d+)\.(\d+)-\w+$/.exec(name) ?? []
  return namespace === own.namespace && (yield* ProcessIdentity.startOf(Number(pid))) !== start
})

/** Removes a folder if this user owns it: other users may give theirs any name in a folder for temporary files. */
const remove = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const { type, uid } = yield* fs.lstat(folder)
  const isOwn = type === "Directory" && Option.getOrUndefined(uid) === process.getuid?.()
  if (isOwn) yield* fs.remove(folder, { recursive: true })
})

/** Removes the folders that killed processes left. */
const removeLeft = Effect.fnUntraced(function*(parent: string, own: ProcessIdentity.Identity) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.filter(yield* fs.readDirectory(parent), (name) => isLeft(name, own))
  yield* Effect.forEach(names, (name) => Effect.ignore(remove(path.join(parent, name))))
})

/** Makes a temporary folder that is removed when the scope closes or, after a kill, when the next one is made. */
export const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const own = yield* ProcessIdentity.self
  const made = yield* fs.makeTempDirectoryScoped({ prefix: `${prefix}${ProcessIdentity.format(own)}-` })
  const folder = yield* fs.realPath(made)
  yield* Effect.ignore(removeLeft(path.dirname(folder), own))
  return folder
})
