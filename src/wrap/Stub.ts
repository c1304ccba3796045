/**
 * What stands in the place of a wrapped plugin: a script of its own whose first line names the executable that runs
 * around plugins. So an installer that writes into that file writes over this plugin, and over no other.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as OwnFolder from "../exec/OwnFolder.ts"
import { quoted } from "../exec/ShellQuote.ts"

/** Where a folder of plugins has what belongs to its wrapped plugins. All are absolute paths without symbolic links. */
export interface Places {
  /** The folder of plugins itself. */
  readonly folder: string
  /** The folder with all that is ours, in the folder of plugins. */
  readonly own: string
  /** The one copy of the plugin executable that all stubs name. */
  readonly executable: string
  /** Our fields, as a network configuration has them. */
  readonly config: string
  /** The wrapped plugins, by their names: hard links of their files. */
  readonly plugins: string
  /** The symbolic links that are wrapped, by their names: what they lead to is in `plugins`. */
  readonly links: string
  /** Hard links to the stubs, under the names of their plugins. They identify a stub that was renamed or moved. */
  readonly stubs: string
  /** What is on its way to another place. Whatever lies here when a run begins is left from one that was killed. */
  readonly staged: string
}

/** The places of a folder of plugins, given by its real path. */
export const places = (folder: string): Places => {
  const own = `${folder}/${OwnFolder.ownFolder}`
  return {
    folder,
    own,
    executable: `${own}/${OwnFolder.executable}`,
    config: `${own}/${OwnFolder.config}`,
    plugins: `${own}/${OwnFolder.plugins}`,
    links: `${own}/links`,
    stubs: `${own}/stubs`,
    staged: `${own}/${OwnFolder.staged}`
  }
}

const firstLine = ({ executable }: Places): string => `#!${executable}`

/**
 * The text of the stubs of a folder. The second line is for a shell that the kernel started for a plugin that is a
 * script, and that opens the stub, which came into its place in between.
 */
export const text = (at: Places): string => `${firstLine(at)}\nexec ${quoted(at.executable)} "$0" "$@"\n`

/** How long the first line of a script may be, in bytes, without its end. Source: Linux, `BINPRM_BUF_SIZE`. */
const longestLine = 255

/** How long a stub can be, in bytes: its second line names the executable too, with each quote as four bytes. */
const longestStub = 6 * longestLine

/** The kernel would not find the executable by the stubs of a folder. */
export class UnfitFolder extends Data.TaggedError("UnfitFolder")<{
  readonly folder: string
  readonly reason: string
}> {
  override readonly message = `plugins of ${JSON.stringify(this.folder)} cannot be wrapped: ${this.reason}`
}

/** Fails where the path of a folder does not fit into the first line of a script. */
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

/** Whether a file is a stub of this folder. A symbolic link to one is none. */
export const isStub = Effect.fnUntraced(function*(at: Places, file: string) {
  const fs = yield* FileSystem.FileSystem
  const expected = text(at)
  const info = yield* fs.lstat(file)
  if (info.type !== "File" || Number(info.size) !== Buffer.byteLength(expected)) return false
  return (yield* fs.readFileString(file)) === expected
})

/** The folder that a first line was written for. */
const folderIn = new RegExp(`^#!(/.*)/${OwnFolder.ownFolder.replaceAll(".", "\\.")}/${OwnFolder.executable}\n`)

/** The folder that a file is a stub of, by the path that it had then; undefined if the file is no stub. */
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
