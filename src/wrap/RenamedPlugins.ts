/**
 * Installers write a file beside a plugin and rename it. If that file was wrapped in between, they rename its stub, so
 * the wrapped plugin must follow. A hard link to each stub records which plugin it was made for.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PluginName from "./PluginName.ts"
import type * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"

/** A stub that was renamed. */
export interface RenamedPlugin {
  readonly from: string
  readonly to: string
}

/**
 * Whether the file `to` is the stub that was made for `from`. Only its inode shows this: all stubs have the same
 * content.
 */
const isStubOf = Effect.fnUntraced(
  function*(at: Stub.Places, from: string, to: string) {
    const fs = yield* FileSystem.FileSystem
    const [made, there] = [yield* fs.lstat(`${at.stubs}/${from}`), yield* fs.lstat(`${at.folder}/${to}`)]
    return made.dev === there.dev && Option.isSome(made.ino) && made.ino.value === Option.getOrUndefined(there.ino)
  },
  Effect.orElseSucceed(() => false)
)

/** The stubs whose name differs from the plugin that they were made for. */
export const find = Effect.fnUntraced(function*(at: Stub.Places, plugins: ReadonlyArray<Survey.Plugin>) {
  // An installer that puts an old plugin aside under another name puts the new one into its place.
  const left = plugins.filter(({ isKept, state }) => isKept && (state === "gone" || state === "written over"))
  const found: Array<RenamedPlugin> = []
  for (const { name: to, state } of plugins) {
    if (state !== "wrapped" && state !== "lost") continue
    for (const { name: from } of left) {
      const isItsName = state === "lost" && PluginName.finalOf(from) === to
      if ((yield* isStubOf(at, from, to)) || isItsName) found.push({ from, to })
    }
  }
  return found
})

/** Renames wrapped plugins after their stubs. The caller holds the lock of the folder. */
export const follow = Effect.fnUntraced(function*(at: Stub.Places) {
  const fs = yield* FileSystem.FileSystem
  const { plugins } = yield* Survey.make(at)
  for (const { from, to } of yield* find(at, plugins)) {
    yield* fs.remove(`${at.links}/${to}`, { force: true })
    yield* Effect.ignore(fs.rename(`${at.links}/${from}`, `${at.links}/${to}`))
    yield* fs.rename(`${at.plugins}/${from}`, `${at.plugins}/${to}`)
    yield* Effect.ignore(fs.rename(`${at.stubs}/${from}`, `${at.stubs}/${to}`))
  }
})
