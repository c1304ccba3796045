/** Temporary folders with the name of their process, so that the next one removes what a killed one left. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as ProcessIdentity from "./ProcessIdentity.ts"

const prefix = "cni-passthrough."

/** Whether a name is that of a folder whose process, of our own PID namespace, does not run any more. */
const isLeft = Effect.fnUntraced(function*(name: string, own: ProcessIdentity.Identity) {
  const [, pid, start, namespace] = /^cni-passthrough\.(\d+)\.(\d+)\.(\d+)-\w+$/.exec(name) ?? []
  return namespace === own.namespace && (yield* ProcessIdentity.startOf(Number(pid))) !== start
})

/** Removes the folders that killed processes of this user left. Others may write names into the same parent. */
const removeLeft = Effect.fnUntraced(function*(parent: string, own: ProcessIdentity.Identity) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const name of yield* fs.readDirectory(parent)) {
    if (!(yield* isLeft(name, own))) continue
    const folder = path.join(parent, name)
    const { type, uid } = yield* fs.lstat(folder)
    const isOwn = type === "Directory" && Option.getOrUndefined(uid) === process.getuid?.()
    if (isOwn) yield* fs.remove(folder, { recursive: true })
  }
})

/** Makes a temporary folder that is gone when the scope closes, or when the next one is made after a kill. */
export const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const own = yield* ProcessIdentity.self
  const made = yield* fs.makeTempDirectoryScoped({ prefix: `${prefix}${ProcessIdentity.format(own)}-` })
  const folder = yield* fs.realPath(made)
  yield* Effect.ignore(removeLeft(path.dirname(folder), own))
  return folder
})
