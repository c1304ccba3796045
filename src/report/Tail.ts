/**
 * A file whose end is followed, whatever a log rotation does to it: rename, copy and truncate, unlink. A file is known
 * by its inode, and what was read of it by the bytes before that place, for a truncated file may have grown since.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Record } from "../record/Record.ts"
import { IsFolder, Unreadable } from "./LogError.ts"
import { Reader } from "./RecordLog.ts"

/** What all tails of a run share. */
export interface Context {
  readonly take: (record: Record) => void
  /** Tells a person about something. */
  readonly tell: (message: string) => Effect.Effect<void>
  /** The files that are followed, by device and inode: one that got another name is the same. */
  readonly inodes: Set<string>
}

/** A file that is open. */
interface Opened {
  readonly inode: string
  readonly file: FileSystem.File
  readonly scope: Scope.Closeable
  reader: Reader
  /** How far it was read, and the last bytes before that. */
  offset: number
  last: Uint8Array
}

/** How much is read at once, and by how many bytes a place is known. */
const chunkSize = 262_144
const markSize = 256

/** How long a file that was rotated away is followed, in milliseconds: a run may still have it open. */
const patience = 600_000

const inodeOf = ({ dev, ino }: FileSystem.File.Info): string => `${dev}:${Option.getOrElse(ino, () => 0n)}`

/** Bytes at a place; fewer where the file ends. */
const readAt = Effect.fnUntraced(function*(file: FileSystem.File, position: number, size: number) {
  const buffer = new Uint8Array(size)
  const count = yield* file.read(buffer, { position: BigInt(position) })
  return buffer.subarray(0, count)
})

/** Whether what was read of it is still there. */
const isSame = Effect.fnUntraced(function*({ file, last, offset }: Opened) {
  const found = yield* readAt(file, offset - last.length, last.length)
  return found.length === last.length && found.every((byte, index) => byte === last[index])
})

/** Follows the file of this name. */
export const make = (path: string, { inodes, take, tell }: Context) => {
  let current: Opened | undefined
  let rotated: ReadonlyArray<{ readonly opened: Opened; readonly until: number }> = []
  let notice = ""
  let isForeign = false

  /** Says once why there is nothing to read now. */
  const note = Effect.fnUntraced(function*(message: string) {
    if (message !== "" && message !== notice) yield* tell(message)
    notice = message
  })

  const complain = Effect.fnUntraced(function*({ reader: { skipped } }: Opened) {
    const complaints = skipped.complaints()
    if (!skipped.isForeign()) yield* Effect.forEach(complaints, tell)
    else if (!isForeign) {
      isForeign = true
      yield* tell(skipped.error().message)
    }
  })

  /** Reads what was appended. */
  const drain = Effect.fnUntraced(function*(opened: Opened) {
    const size = Number((yield* opened.file.stat).size)
    if (size === opened.offset) return
    if (size < opened.offset || !(yield* isSame(opened))) {
      opened.reader = new Reader(path, take)
      opened.offset = 0
      opened.last = new Uint8Array()
    }
    while (true) {
      const bytes = yield* readAt(opened.file, opened.offset, chunkSize)
      if (bytes.length === 0) break
      opened.reader.push(bytes)
      opened.offset += bytes.length
      opened.last = Uint8Array.from([...opened.last, ...bytes.subarray(-markSize)]).slice(-markSize)
    }
    yield* complain(opened)
  })

  const open = Effect.fnUntraced(function*(inode: string) {
    const fs = yield* FileSystem.FileSystem
    const scope = yield* Scope.make()
    const file = yield* Scope.provide(fs.open(path), scope)
    inodes.add(inode)
    return { inode, file, scope, reader: new Reader(path, take), offset: 0, last: new Uint8Array() } satisfies Opened
  })

  const rotate = Effect.fnUntraced(function*() {
    if (current === undefined) return
    rotated = [...rotated, { opened: current, until: (yield* Clock.currentTimeMillis) + patience }]
    current = undefined
  })

  const expire = Effect.fnUntraced(function*() {
    const now = yield* Clock.currentTimeMillis
    for (const { opened, until } of rotated) {
      if (until > now) continue
      inodes.delete(opened.inode)
      yield* Scope.close(opened.scope, Exit.void)
    }
    rotated = rotated.filter(({ until }) => until > now)
  })

  const poll = Effect.fnUntraced(function*() {
    const fs = yield* FileSystem.FileSystem
    // What was written just before a rotation is read before what was written after it.
    for (const { opened } of rotated) yield* drain(opened)
    if (current !== undefined) yield* drain(current)
    yield* expire()
    const info = yield* Effect.catchIf(
      fs.stat(path),
      ({ reason }) => reason._tag === "NotFound",
      () => Effect.undefined
    )
    if (info?.type !== "File") {
      yield* rotate()
      return yield* note(info?.type === "Directory" ? new IsFolder({ path }).message : `waiting for ${path}`)
    }
    const inode = inodeOf(info)
    if (inode !== current?.inode) {
      yield* rotate()
      if (inodes.has(inode)) return
      current = yield* open(inode)
    }
    if (current !== undefined) yield* drain(current)
    yield* note("")
  })

  return {
    /** Reads what was appended since the last time, of the file and of those that were rotated away. */
    poll: Effect.catch(Effect.suspend(poll), (cause) => note(new Unreadable({ name: path, cause }).message)),
    /** Closes all files. */
    close: Effect.suspend(() =>
      Effect.forEach(
        [...rotated.map(({ opened }) => opened), ...(current === undefined ? [] : [current])],
        ({ scope }) => Scope.close(scope, Exit.void),
        { discard: true }
      )
    )
  }
}
