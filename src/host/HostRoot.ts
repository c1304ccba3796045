/**
 * Enters the root of the host from a container. A command there finds each file by the host's path, symbolic links
 * included. The programs that it starts use the host's libraries.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Libc from "../exec/Libc.ts"

/** The root of the host cannot be entered. */
export class NotEntered extends Data.TaggedError("NotEntered")<{ readonly root: string; readonly reason: string }> {
  override readonly message = `cannot go to the root of the host in ${this.root}: ${this.reason}`
}

interface Functions {
  readonly chroot: (path: Uint8Array) => number
  readonly chdir: (path: Uint8Array) => number
}

/** The host's path of a file, which may be given as the container sees it: `/host/opt/cni/bin`. */
export const pathOn = (root: string, path: string): string =>
  path === root || path.startsWith(`${root}/`) ? path.slice(root.length) || "/" : path

/**
 * The start of relative paths on the command line, if not the working directory: a change of the root moves this process
 * to `/`.
 */
let startFolder = ""

/** The absolute path of a file on the command line, even after a change of the root. */
export const resolved = (file: string): string => Path.resolve(startFolder, file)

/** A path that leads to a file whatever the root of this process is, for as long as the process lives. */
const anchored = (file: string) =>
  Effect.try({
    try: () => `/proc/${process.pid}/fd/${Fs.openSync(Path.dirname(file), "r")}/${Path.basename(file)}`,
    catch: (cause) => cause as Error
  })

/**
 * Makes a folder the root of this process for the rest of its life. Returns a path that still leads to a file of the
 * container, and to the files beside it.
 */
export const enter = Effect.fnUntraced(function*(root: string, file: string) {
  const fs = yield* FileSystem.FileSystem
  const libc = Libc.functions<Functions>({
    chroot: { args: ["ptr"], returns: "i32" },
    chdir: { args: ["ptr"], returns: "i32" }
  })
  if (libc === undefined) {
    return yield* new NotEntered({ root, reason: "only the standalone form of cni-passthrough can: use that one" })
  }
  const self = yield* Effect.option(fs.readLink(`${root}/proc/self`))
  if (self._tag === "None" || self.value !== String(process.pid)) {
    return yield* new NotEntered({
      root,
      reason:
        `found no process ${process.pid} in ${root}/proc, expected the host's /proc: mount the root of the host ` +
        "with all that is mounted below it, and share its process IDs (hostPID: true, or podman run --pid host)"
    })
  }
  const kept = yield* Effect.mapError(
    anchored(file),
    ({ message }) => new NotEntered({ root, reason: `the plugin cannot be read: ${message}` })
  )
  const before = process.cwd()
  if (libc.chroot(Buffer.from(`${root}\0`)) !== 0) {
    return yield* new NotEntered({ root, reason: "expected to be root, with the capability SYS_CHROOT" })
  }
  startFolder = before
  libc.chdir(Buffer.from("/\0"))
  process.chdir("/") // which in our executable only records the folder, see `.ci/pack/imports.mjs`
  return kept
})
