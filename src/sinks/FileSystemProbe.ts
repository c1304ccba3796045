/**
 * Finds out whether the file system of a log responds. A hanging file system blocks the writing thread in the kernel,
 * where no signal can end it: the process cannot exit, and its parent waits. So this process writes only after the file
 * system has responded, either to the kernel or to another process, which we can abandon.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as HostTools from "../exec/HostTools.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as FolderWalk from "./FolderWalk.ts"

/** File systems that depend on a server, or on another process of this host. */
const remote =
  / - (?:nfs|cifs|smb|fuse(?!ctl)|ceph|9p|afs|lustre|gfs|ocfs|gpfs|beegfs|gluster|virtiofs|orangefs|vboxsf|autofs)/

/** Unescapes a path from the kernel's tables, read as Latin-1. Source: Linux, `mangle_path`. */
const unescape = (path: string): string => {
  const bytes = path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(bytes, "latin1").toString()
}

/**
 * Reads the kernel's table of mounts. `readFileSync` would allocate a buffer so large that it triggers garbage
 * collection.
 */
const readMounts = (): string => {
  const fd = Fs.openSync("/proc/self/mountinfo", "r")
  try {
    let text = ""
    for (const chunk = Buffer.allocUnsafe(4096);;) {
      const length = Fs.readSync(fd, chunk, 0, chunk.length, null)
      if (length === 0) return text
      text += chunk.toString("latin1", 0, length)
    }
  } finally {
    Fs.closeSync(fd)
  }
}

/**
 * Whether a file system in {@link remote} is on the path to a folder, according to a table of mounts. Does not access
 * that file system.
 */
export const isRemoteBy = (table: string, folder: string): boolean => {
  if (!remote.test(table)) return false
  // Of several mounts on one path, the last one is on top.
  const mounts = new Map(table.split("\n").map((line) => [unescape(line.split(" ")[4] ?? ""), remote.test(line)]))
  if (mounts.get("/") === true) return true
  return FolderWalk.walk(folder, { before: (path) => mounts.get(path) === true ? true : undefined }) === true
}

/** Whether a file system in {@link remote} is on the path to a folder. False if the table of mounts cannot be read. */
export const isRemote = (folder: string): boolean => {
  let table: string
  try {
    table = readMounts()
  } catch {
    return false
  }
  return isRemoteBy(table, folder)
}

/** The magic numbers of in-memory file systems. Sources: Linux, `TMPFS_MAGIC`, `RAMFS_MAGIC`. */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** A little more than the granularity of the kernel's file timestamps, in milliseconds. */
const tick = 12

/**
 * Whether a file system accepted a change between two `stat` calls on a file or a folder that was read in between:
 * reading updates the access time, unless the file system is frozen. The kernel updates it only once after each
 * modification, and on some mounts never, so `false` proves nothing.
 */
export const showsResponse = (before: Fs.Stats, after: Fs.Stats, path: string): boolean =>
  after.atimeMs !== before.atimeMs || Math.abs(Date.now() - after.atimeMs) < tick ||
  inMemory.has(Fs.statfsSync(path).type)

/** The size of a folder, in bytes, above which reading it takes too long. */
const longestFolder = 65_536

/** Returns a folder, or its nearest existing ancestor. */
export const nearest = (folder: string): string =>
  Fs.existsSync(folder) || folder === Path.dirname(folder) ? folder : nearest(Path.dirname(folder))

/** Whether the file system in which a folder, or a file in it, will be created accepts changes, see {@link showsResponse}. */
export const folderResponds = (folder: string): boolean => {
  const path = nearest(folder)
  const before = Fs.statSync(path)
  if (before.size <= longestFolder) Fs.readdirSync(path)
  return showsResponse(before, Fs.statSync(path), path)
}

/**
 * Waits until the file system of a folder responds to another process that changes it, even with an error. If that
 * process cannot be started, it is unknown whether the file system responds.
 */
export const wait = (folder: string): Effect.Effect<void, never, ProcessRunner> =>
  Effect.ignore(HostTools.run({ argv: ["touch", "-c", Path.resolve(folder)], until: "exit" }))
