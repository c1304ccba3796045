/**
 * Who owns what a path leads through. Root must not write where another user decides: the owner of a folder or of a
 * symbolic link can lead the path to any file of the host, and the owner of a log can read and change what it says.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

/**
 * The users that are trusted with a log: root, and the one that this process runs as. A user namespace shows root of the
 * host by another number, which is that of `/`.
 */
const trusted = (): ReadonlySet<number> => new Set([0, process.geteuid?.() ?? 0, Fs.statSync("/").uid])

/** How many symbolic links a path may lead through. Source: Linux, `MAXSYMLINKS`. */
const mostLinks = 40

/** Where the walk along a path ended: at a part whose owner is not trusted, if there is one. */
export interface Untrusted {
  readonly path: string
  readonly owner: number
}

/** The first folder or symbolic link on the way to a folder, itself included, whose owner is not trusted. */
const partOf = (folder: string, owners: ReadonlySet<number>): Untrusted | undefined => {
  const left = folder.split("/")
  let at = ""
  for (let links = 0; left.length > 0 && links <= mostLinks;) {
    const name = left.shift() ?? ""
    if (name === "" || name === ".") continue
    if (name === "..") {
      at = Path.dirname(at)
      continue
    }
    const path = at === "/" ? `/${name}` : `${at}/${name}`
    const stat = Fs.lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined // what is not there yet has no owner
    if (!owners.has(stat.uid)) return { path, owner: stat.uid }
    if (!stat.isSymbolicLink()) {
      at = path
      continue
    }
    const target = Fs.readlinkSync(path)
    left.unshift(...target.split("/"))
    if (Path.isAbsolute(target)) at = ""
    links++
  }
  return undefined
}

const refusal = ({ owner, path }: Untrusted): Error =>
  new Error(
    `${JSON.stringify(path)} belongs to the user ${owner}, expected root or the user of the plugin ` +
      `(${process.geteuid?.() ?? 0}): its owner could change the log, or lead it elsewhere`
  )

/** Throws where a folder, or what leads to it, belongs to a user that is not trusted. */
export const checkFolder = (folder: string): void => {
  const untrusted = partOf(Path.isAbsolute(folder) ? folder : `${process.cwd()}/${folder}`, trusted())
  if (untrusted !== undefined) throw refusal(untrusted)
}

/** Throws where a file belongs to a user that is not trusted. */
export const checkFile = (path: string, owner: number): void => {
  if (!trusted().has(owner)) throw refusal({ path, owner })
}
