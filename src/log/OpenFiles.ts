/**
 * Files that are read repeatedly, with only a few open at a time: a folder of logs may have more files than a process
 * may have descriptors.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Scope from "effect/Scope"

/** A file, identified independently of its name. */
export interface Known {
  /** Its device and inode. */
  readonly inode: string
  /** Its last known path. */
  path: string
}

interface Open {
  readonly file: FileSystem.File
  readonly scope: Scope.Closeable
}

/** The largest number of files open at a time. */
const defaultMost = 64

/** The device and inode of a file. */
export const inodeOf = ({ dev, ino }: FileSystem.File.Info): string => `${dev}:${Option.getOrElse(ino, () => 0n)}`

/** Whether this is the same file, and not a folder or a pipe that reuses its inode. */
const is = (known: Known, info: FileSystem.File.Info | undefined): info is FileSystem.File.Info =>
  info?.type === "File" && inodeOf(info) === known.inode

/** The file at a path, or undefined if there is none. */
export const look = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.catchIf(fs.stat(path), ({ reason }) => reason._tag === "NotFound", () => Effect.undefined)
})

/** Keeps the most recently read files open. */
export const make = (most = defaultMost) => {
  /** In order of use, the most recent last. */
  const open = new Map<Known, Open>()
  /** The names of the files in each folder by inode, cached for one round. */
  const folders = new Map<string, ReadonlyMap<string, string>>()

  const close = Effect.fnUntraced(function*(known: Known) {
    const opened = open.get(known)
    open.delete(known)
    if (opened !== undefined) yield* Scope.close(opened.scope, Exit.void)
  })

  const namesIn = Effect.fnUntraced(function*(folder: string) {
    const cached = folders.get(folder)
    if (cached !== undefined) return cached
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const names = new Map<string, string>()
    for (const name of yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])) {
      const file = path.join(folder, name)
      const info = yield* Effect.orElseSucceed(look(file), () => undefined)
      if (info?.type === "File") names.set(inodeOf(info), file)
    }
    folders.set(folder, names)
    return names
  })

  /** Finds the current name of a file that is not open. A rotation renames files inside their folder. */
  const find = Effect.fnUntraced(function*(known: Known) {
    const info = yield* look(known.path)
    if (is(known, info)) return info
    const path = yield* Path.Path
    const found = (yield* namesIn(path.dirname(known.path))).get(known.inode)
    if (found === undefined) return undefined
    known.path = found
    const there = yield* look(found)
    return is(known, there) ? there : undefined
  })

  return {
    /** The current state of a file, or undefined if it is not open and no longer in its folder. */
    stat: (known: Known) => {
      const opened = open.get(known)
      return opened === undefined ? find(known) : opened.file.stat
    },

    /** Opens a file for reading. Undefined if it was renamed since it was found. */
    get: Effect.fnUntraced(function*(known: Known) {
      const opened = open.get(known)
      if (opened !== undefined) {
        open.delete(known)
        open.set(known, opened)
        return opened.file
      }
      const fs = yield* FileSystem.FileSystem
      for (const oldest of open.keys()) {
        if (open.size < most) break
        yield* close(oldest)
      }
      const scope = yield* Scope.make()
      const file = yield* Scope.provide(fs.open(known.path), scope)
      open.set(known, { file, scope })
      if (is(known, yield* file.stat)) return file
      yield* close(known)
      return undefined
    }),

    close,

    closeAll: Effect.suspend(() => Effect.forEach([...open.keys()], close, { discard: true })),

    /** Starts a new round over all files, since they may have been renamed. */
    lookAnew: () => folders.clear()
  }
}

export type OpenFiles = ReturnType<typeof make>
