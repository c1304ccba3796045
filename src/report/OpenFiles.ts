/**
 * Files that are read again and again, of which few are open at a time: a process has a limited number of descriptors,
 * and a folder of logs may have more files.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Scope from "effect/Scope"

/** A file, whatever it is called by now. */
export interface Known {
  /** Its device and inode. */
  readonly inode: string
  /** Where it was seen last. */
  path: string
}

interface Open {
  readonly file: FileSystem.File
  readonly scope: Scope.Closeable
}

/** How many files are open at a time. */
const defaultMost = 64

/** The device and inode of a file. */
export const inodeOf = ({ dev, ino }: FileSystem.File.Info): string => `${dev}:${Option.getOrElse(ino, () => 0n)}`

/** Whether this is the file that is known, and not a folder or a pipe that got its inode. */
const is = (known: Known, info: FileSystem.File.Info | undefined): info is FileSystem.File.Info =>
  info?.type === "File" && inodeOf(info) === known.inode

/** What a path leads to; undefined where it leads to nothing. */
export const look = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.catchIf(fs.stat(path), ({ reason }) => reason._tag === "NotFound", () => Effect.undefined)
})

/** Keeps those files open that were read last. */
export const make = (most = defaultMost) => {
  /** The one that was read last is the last one. */
  const open = new Map<Known, Open>()
  /** The names of the files in a folder by their inodes, as far as they were looked for since the last look. */
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

  /** Finds a file that is not open under the name that it has now: a rotation renames files inside their folder. */
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
    /** What is known of a file now; undefined where it is not open and has gone from its folder. */
    stat: (known: Known) => {
      const opened = open.get(known)
      return opened === undefined ? find(known) : opened.file.stat
    },

    /** The file, to be read; undefined where it has another name since it was looked at. */
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

    /** Begins another look at all files: they may have other names by now. */
    lookAnew: () => folders.clear()
  }
}

/** Files of which few are open. */
export type OpenFiles = ReturnType<typeof make>
