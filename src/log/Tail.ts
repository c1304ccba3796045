/**
 * A file whose end is followed, whatever a log rotation does to it: rename, copy and truncate, unlink. A file is known
 * by its inode, and what was read of it by the bytes before that place, for a truncated file may have grown since.
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
  /** Tells a person about something. */
  readonly tell: (message: string) => Effect.Effect<void>
  readonly files: OpenFiles.OpenFiles
  /** The files that are followed, by device and inode: one that got another name is the same. */
  readonly inodes: Set<string>
}

/** A file, and the position in it. */
interface Followed extends OpenFiles.Known {
  reader: Reader
  /** How far it was read, and the last bytes before that. */
  offset: number
  last: Uint8Array
  /** The modification time up to which it was read, in milliseconds since 1970. */
  modified: number
  /** How many rounds in a row did not find it. */
  misses: number
}

/** A file that was rotated away. */
interface Rotated {
  readonly followed: Followed
  readonly until: number
}

/** How much is read at once, and by how many bytes a place is known. */
const chunkSize = 262_144
const markSize = 256

/** How long a file that was rotated away is followed, in milliseconds: a run may still have it open. */
const patience = 600_000

/** After this many rounds that do not find it, a file is gone. It may have been renamed during the first one. */
const mostMisses = 2

/** Bytes at a place; fewer where the file ends. */
const readAt = Effect.fnUntraced(function*(file: FileSystem.File, position: number, size: number) {
  const buffer = new Uint8Array(size)
  const count = yield* file.read(buffer, { position: BigInt(position) })
  return buffer.subarray(0, count)
})

/** Whether what was read of it is still there. */
const isSame = Effect.fnUntraced(function*(file: FileSystem.File, { last, offset }: Followed) {
  const found = yield* readAt(file, offset - last.length, last.length)
  return found.length === last.length && found.every((byte, index) => byte === last[index])
})

const modifiedOf = ({ mtime }: FileSystem.File.Info): number =>
  Option.match(mtime, { onNone: () => 0, onSome: (time) => time.getTime() })

/** Follows the file of this name. */
export const make = (path: string, { files, inodes, take, tell }: Context) => {
  let current: Followed | undefined
  let rotated: ReadonlyArray<Rotated> = []
  let notice = ""
  let isForeign = false

  /** Says once why there is nothing to read now. */
  const note = Effect.fnUntraced(function*(message: string) {
    if (message !== "" && message !== notice) yield* tell(message)
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
    // What was written just before a rotation is read before what was written after it.
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
    yield* note("")
  })

  /** Reads what was appended since the last round to the file, and to those that were rotated away. */
  return Effect.catch(Effect.suspend(poll), (cause) => note(new Unreadable({ name: path, cause }).message))
}
