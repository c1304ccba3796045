/**
 * Who owns what a path leads through. Root must not write where another user decides: the owner of a folder or of a
 * symbolic link can lead the path to any file of the host, and the owner of a log can read and change what it says.
 */
import * as Fs from "node:fs"
import * as FolderWalk from "./FolderWalk.ts"

/**
 * Whether a user is trusted with a log: root, and the one that this process runs as. A user namespace shows root of the
 * host by another number, which is that of `/`.
 */
const isTrusted = (owner: number): boolean =>
  owner === 0 || owner === process.geteuid?.() || owner === Fs.statSync("/").uid

/** A part of a path whose owner is not trusted. */
interface Untrusted {
  readonly path: string
  readonly owner: number
}

const refusal = ({ owner, path }: Untrusted): Error =>
  new Error(
    `${JSON.stringify(path)} belongs to the user ${owner}, expected root or the user of the plugin ` +
      `(${process.geteuid?.() ?? 0}): its owner could change the log, or lead it elsewhere`
  )

/** Throws where a folder, or a folder or symbolic link that leads to it, belongs to a user that is not trusted. */
export const checkFolder = (folder: string): void => {
  const untrusted = FolderWalk.walk(folder, {
    about: (path, { uid }): Untrusted | undefined => isTrusted(uid) ? undefined : { path, owner: uid }
  })
  if (untrusted !== undefined) throw refusal(untrusted)
}

/** Throws where a file belongs to a user that is not trusted. */
export const checkFile = (path: string, owner: number): void => {
  if (!isTrusted(owner)) throw refusal({ path, owner })
}
