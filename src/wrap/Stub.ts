/**
 * A stub stands in the place of a wrapped plugin. It is a script whose first line names the executable that runs around
 * plugins. Each plugin has a separate stub, so an installer that writes into that file overwrites no other plugin.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { quoted } from "../exec/ShellQuote.ts"
import * as WrapFolder from "../exec/WrapFolder.ts"

/**
 * Where a folder of plugins keeps the files of its wrapped plugins. All paths are absolute and without symbolic links.
 */
export interface Places {
  /** The folder of plugins itself. */
  readonly folder: string
  /** The folder with all our files, inside the folder of plugins. */
  readonly own: string
  /** The one copy of the plugin executable that all stubs name. */
  readonly executable: string
  /** Our fields, in the form that a network configuration has. */
  readonly config: string
  /** The wrapped plugins by name: hard links to their files. */
  readonly plugins: string
  /** The wrapped symbolic links by name. Their targets are in `plugins`. */
  readonly links: string
  /** Hard links to the stubs, under the names of their plugins. They identify a stub that was renamed or moved. */
  readonly stubs: string
  /** Files on their way to another place. A file that is here when a run begins was left by a killed run. */
  readonly staged: string
}

/** The places of a folder of plugins, which is given by its real path. */
export const places = (folder: string): Places => {
  const own = `${folder}/${WrapFolder.ownFolder}`
  return {
    folder,
    own,
    executable: `${own}/${WrapFolder.executable}`,
    config: `${own}/${WrapFolder.config}`,
    plugins: `${own}/${WrapFolder.plugins}`,
    links: `${own}/links`,
    stubs: `${own}/stubs`,
    staged: `${own}/${WrapFolder.staged}`
  }
}

const firstLine = ({ executable }: Places): string => `#!${executable}`

/**
 * The text of the stubs of a folder. The second line serves a shell that the kernel started for a plugin that is a
 * script: the stub may replace the plugin before the shell opens it.
 */
export const text = (at: Places): string => `${firstLine(at)}\nexec ${quoted(at.executable)} "$0" "$@"\n`

/** The longest first line of a script, in bytes, without its line end. Source: Linux, `BINPRM_BUF_SIZE`. */
const longestLine = 255

/** The longest stub, in bytes: its second line names the executable too, with each quote as four bytes. */
const longestStub = 6 * longestLine

/** The kernel could not find the executable through the stubs of a folder. */
export class UnfitFolder extends Data.TaggedError("UnfitFolder")<{
  readonly folder: string
  readonly reason: string
}> {
  override readonly message = `plugins of ${JSON.stringify(this.folder)} cannot be wrapped: ${this.reason}`
}

/** Fails if the path of a folder does not fit into the first line of a script. */
export const checkFolder = Effect.fnUntraced(function*(at: Places) {
  if (/\s/.test(at.folder)) {
    return yield* new UnfitFolder({
      folder: at.folder,
      reason: "found white space in its path, expected none, as the first line of a script has this path"
    })
  }
  const length = Buffer.byteLength(firstLine(at))
  if (length > longestLine) {
    return yield* new UnfitFolder({
      folder: at.folder,
      reason: `found a first line of ${length} bytes for scripts there, expected at most ${longestLine}`
    })
  }
})

/** Whether a file is a stub of this folder. A symbolic link to a stub is not. */
export const isStub = Effect.fnUntraced(function*(at: Places, file: string) {
  const fs = yield* FileSystem.FileSystem
  const expected = text(at)
  const info = yield* fs.lstat(file)
  if (info.type !== "File" || Number(info.size) !== Buffer.byteLength(expected)) return false
  return (yield* fs.readFileString(file)) === expected
})

/** The folder in the first line of a stub. */
const folderIn = new RegExp(`^#!(/.*)/${WrapFolder.ownFolder.replaceAll(".", "\\.")}/${WrapFolder.executable}\n`)

/** The folder that a file is a stub of, by its path at the time; undefined if the file is not a stub. */
export const homeOf = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* fs.lstat(file)
  if (info.type !== "File" || Number(info.size) > longestStub) return undefined
  const found = yield* fs.readFileString(file)
  const folder = folderIn.exec(found)?.[1]
  return folder !== undefined && found === text(places(folder)) ? folder : undefined
})

/** Whether a file is a stub, of this folder or of another one. */
export const isAnyStub = (file: string) => Effect.map(homeOf(file), (folder) => folder !== undefined)
