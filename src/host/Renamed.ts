/**
 * Installers write a file beside a plugin and rename it. Where that file was wrapped by then, it is its stub that is renamed,
 * and what the stub stands for has to go with it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as FolderLock from "./FolderLock.ts"
import type * as Stub from "./Stub.ts"
import type * as Survey from "./Survey.ts"

/** The stubs of a folder: the name of each, by its inode. */
export type Stubs = ReadonlyMap<bigint, string>

const inodeOf = ({ info }: Survey.Plugin): bigint | undefined =>
  Option.getOrUndefined(Option.flatMap(info, ({ ino }) => ino))

const hasStub = ({ state }: Survey.Plugin): boolean => state === "wrapped" || state === "lost"

/** The stubs that a folder has now. */
export const stubsOf = (plugins: ReadonlyArray<Survey.Plugin>): Stubs =>
  new Map(
    plugins.filter(hasStub).flatMap((plugin) => {
      const inode = inodeOf(plugin)
      return inode === undefined ? [] : [[inode, plugin.name] as const]
    })
  )

/** Lets plugins follow their stubs, which had other names before. Returns whether there was any. */
export const follow = Effect.fnUntraced(
  function*(at: Stub.Places, plugins: ReadonlyArray<Survey.Plugin>, before: Stubs) {
    const fs = yield* FileSystem.FileSystem
    // Whoever keeps an old plugin under another name puts the new one into its place.
    const left = plugins.filter(({ state }) => state === "gone" || state === "written over")
    const gone = new Set(left.map(({ name }) => name))
    const renamed = plugins.filter(hasStub).flatMap((plugin) => {
      const old = before.get(inodeOf(plugin) ?? -1n)
      return old !== undefined && gone.has(old) ? [{ from: old, to: plugin.name }] : []
    })
    if (renamed.length === 0) return false
    const move = Effect.fnUntraced(function*({ from, to }: { readonly from: string; readonly to: string }) {
      yield* fs.remove(`${at.links}/${to}`, { force: true })
      yield* Effect.ignore(fs.rename(`${at.links}/${from}`, `${at.links}/${to}`))
      yield* fs.rename(`${at.plugins}/${from}`, `${at.plugins}/${to}`)
    })
    yield* FolderLock.hold(at.folder, Effect.forEach(renamed, move))
    return true
  }
)
