/**
 * Whether the file system of a log answers. One that hangs keeps the thread that writes to it in the kernel, where no
 * signal ends it: the process cannot even exit, and its parent waits. So nothing is written by this process that has not
 * shown that it answers: by itself, or to another process, which can be left behind.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Environment, searchPath } from "../cni/Environment.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as FolderWalk from "./FolderWalk.ts"

/** File systems that a server, or another process of this host, answers for. */
const remote =
  / - (?:nfs|cifs|smb|fuse|ceph|9p|afs|lustre|gfs|ocfs|gpfs|beegfs|gluster|virtiofs|orangefs|vboxsf|autofs)/

/** A path out of the kernel's tables, read as Latin 1. Source: Linux, `mangle_path`. */
const unescape = (path: string): string => {
  const bytes = path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(bytes, "latin1").toString()
}

/** The kernel's table of mounts. The runtimes read it into a buffer so large that they collect garbage. */
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

/** Whether the way to a folder leads over a file system that others answer for. Looks at none of these. */
export const isRemote = (folder: string): boolean => {
  let text: string
  try {
    text = readMounts()
  } catch {
    return false
  }
  if (!remote.test(text)) return false
  // Of several mounts in one place, the last one is on top.
  const mounts = new Map(text.split("\n").map((line) => [unescape(line.split(" ")[4] ?? ""), remote.test(line)]))
  if (mounts.get("/") === true) return true
  return FolderWalk.walk(folder, { before: (path) => mounts.get(path) === true ? true : undefined }) === true
}

/** The types of file systems in memory. Sources: Linux, `TMPFS_MAGIC`, `RAMFS_MAGIC`. */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** The longest time that the kernel's clock for files stands still, in milliseconds, and a little more. */
const tick = 12

/**
 * Whether a file system took a change between two looks at a file or a folder that was read in between: the kernel then
 * notes when it was read, unless the file system is frozen. It does so only once for each change, and on some mounts
 * never, so `false` says nothing.
 */
export const isShown = (before: Fs.Stats, after: Fs.Stats, path: string): boolean =>
  after.atimeMs !== before.atimeMs || Math.abs(Date.now() - after.atimeMs) < tick ||
  inMemory.has(Fs.statfsSync(path).type)

/** A folder of more bytes than this takes too long to be read. */
const longestFolder = 65_536

/** A folder, or the nearest one above it that is there. */
export const nearest = (folder: string): string =>
  Fs.existsSync(folder) || folder === Path.dirname(folder) ? folder : nearest(Path.dirname(folder))

/** Whether the file system that a folder is to be made in, or a file in a folder, takes changes: see {@link isShown}. */
export const isShownBy = (folder: string): boolean => {
  const path = nearest(folder)
  const before = Fs.statSync(path)
  if (before.size <= longestFolder) Fs.readdirSync(path)
  return isShown(before, Fs.statSync(path), path)
}

/**
 * Waits until the file system of a folder takes a change of another process, whether that is allowed or not. Where that
 * process cannot be started, we do not know.
 */
export const wait = (folder: string, environment: Environment): Effect.Effect<void, never, ProcessRunner> =>
  Effect.flatMap(ProcessRunner, (runner) =>
    Effect.ignore(runner.run({
      argv: ["touch", "-c", Path.resolve(folder)],
      env: { PATH: searchPath(environment) },
      cwd: "/",
      until: "exit"
    })))
