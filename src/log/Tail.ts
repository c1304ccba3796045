/**
 * Follows the end of a file through any log rotation: rename, copy and truncate, unlink. The inode identifies the file.
 * The bytes before the current position show whether it is the same content, since a truncated file may have grown
 * again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { Record } from "../record/Record.ts"
import { IsFolder, Unreadable } from "./LogError.ts"
import * as OpenFiles from "./OpenFiles.ts"
import { Reader } from "./RecordLog.ts"

/** What all tails of a run share. */
export interface Context {
  readonly take: (record: Record) => void
  /** Shows a message to the user. */
  readonly tell: (message: string) => Effect.Effect<void>
  readonly files: OpenFiles.OpenFiles
  /** The followed files by device and inode, so that a renamed file is recognised. */
  readonly inodes: Set<string>
}

/** A file, and the position in it. */
interface Followed extends OpenFiles.Known {
  reader: Reader
  /** The current position, and the last bytes before it. */
  offset: number
  last: Uint8Array
  /** The modification time at the last read, in milliseconds since 1970. */
  modified: number
  /** For how many rounds in a row the file was missing. */
  misses: number
}

/** A file that was rotated away. */
interface Rotated {
  readonly followed: Followed
  readonly until: number
}

/** How many bytes are read at once, and how many identify a position. */
const chunkSize = 262_144
const markSize = 256

/** How long a rotated file is still followed, in milliseconds: a running plugin may still have it open. */
const patience = 600_000

/** A file is gone after this many rounds without it. It may have been renamed during the first one. */
const mostMisses = 2

/** Reads bytes at a position; fewer at the end of the file. */
const readAt = Effect.fnUntraced(function*(file: FileSystem.File, position: number, size: number) {
  const buffer = new Uint8Array(size)
  const count = yield* file.read(buffer, { position: BigInt(position) })
  return buffer.subarray(0, count)
})

/** Whether the file still has the bytes before the current position. */
const isSame = Effect.fnUntraced(function*(file: FileSystem.File, { last, offset }: Followed) {
  const found = yield* readAt(file, offset - last.length, last.length)
  return found.every((byte, index) => byte === last[index])
})

const modifiedOf = ({ mtime }: FileSystem.File.Info): number =>
  Option.match(mtime, { onNone: () => 0, onSome: (time) => time.getTime() })

/** Follows the file at a path. */
export const make = (path: string, { files, inodes, take, tell }: Context) => {
  let current: Followed | undefined
  let rotated: ReadonlyArray<Rotated> = []
  let notice: string | undefined
  let isForeign = false

  /** Reports once why there is nothing to read. */
  const note = Effect.fnUntraced(function*(message: string) {
    if (message !== notice) yield* tell(message)
    notice = message
  })

  const complain = Effect.fnUntraced(function*({ reader: { skipped } }: Followed) {
    const complaints = skipped.complaints()
    if (!skipped.isForeign()) yield* Effect.forEach(complaints, tell)
    else if (!isForeign) {
      isForeign = true
      yield* tell(skipped.error().message)
    }
  })

  /** Reads what was appended. */
  const drain = Effect.fnUntraced(function*(followed: Followed) {
    const info = yield* files.stat(followed)
    followed.misses = info === undefined ? followed.misses + 1 : 0
    if (info === undefined) return
    const size = Number(info.size)
    const modified = modifiedOf(info)
    if (size === followed.offset && modified === followed.modified) return
    const file = yield* files.get(followed)
    if (file === undefined) return
    if (size < followed.offset || !(yield* isSame(file, followed))) {
      followed.reader = new Reader(path, take)
      followed.offset = 0
      followed.last = new Uint8Array()
    }
    while (true) {
      const bytes = yield* readAt(file, followed.offset, chunkSize)
      if (bytes.length === 0) break
      followed.reader.push(bytes)
      followed.offset += bytes.length
      followed.last = Uint8Array.from([...followed.last, ...bytes.subarray(-markSize)]).slice(-markSize)
    }
    followed.modified = modified
    yield* complain(followed)
  })

  const begin = (inode: string): Followed => {
    inodes.add(inode)
    return { inode, path, reader: new Reader(path, take), offset: 0, last: new Uint8Array(), modified: -1, misses: 0 }
  }

  const rotate = Effect.fnUntraced(function*() {
    if (current === undefined) return
    rotated = [...rotated, { followed: current, until: (yield* Clock.currentTimeMillis) + patience }]
    current = undefined
  })

  const expire = Effect.fnUntraced(function*() {
    const now = yield* Clock.currentTimeMillis
    const isOver = ({ followed, until }: Rotated) => until <= now || followed.misses >= mostMisses
    for (const { followed } of rotated.filter(isOver)) {
      inodes.delete(followed.inode)
      yield* files.close(followed)
    }
    rotated = rotated.filter((one) => !isOver(one))
  })

  const poll = Effect.fnUntraced(function*() {
    // Text written just before a rotation is read before text written after it.
    for (const { followed } of rotated) yield* drain(followed)
    if (current !== undefined) yield* drain(current)
    yield* expire()
    const info = yield* OpenFiles.look(path)
    if (info?.type !== "File") {
      yield* rotate()
      return yield* note(info?.type === "Directory" ? new IsFolder({ path }).message : `waiting for ${path}`)
    }
    const inode = OpenFiles.inodeOf(info)
    if (inode !== current?.inode) {
      yield* rotate()
      if (inodes.has(inode)) return
      current = begin(inode)
    }
    if (current !== undefined) yield* drain(current)
    notice = undefined
  })

  /** Reads what was appended since the last round to the file and to its rotated predecessors. */
  return Effect.catch(Effect.suspend(poll), (cause) => note(new Unreadable({ name: path, cause }).message))
}
