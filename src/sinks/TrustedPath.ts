/**
 * Checks the owners of a path. Root must not write where another user is in control: the owner of a folder or a
 * symbolic link can redirect the path to any file of the host, and the owner of a log can read and change it.
 */
import * as Fs from "node:fs"
import * as FolderWalk from "./FolderWalk.ts"

/**
 * Whether a user is trusted with a log: root, or the user of this process. In a user namespace, the host's root has
 * another ID, which is the owner of `/`.
 */
const isTrusted = (owner: number): boolean =>
  owner === 0 || owner === process.geteuid?.() || owner === Fs.statSync("/").uid

/** A path, or a part of one, whose owner is not trusted. */
interface Untrusted {
  readonly path: string
  readonly owner: number
}

const refusal = ({ owner, path }: Untrusted): Error =>
  new Error(
    `${JSON.stringify(path)} belongs to the user ${owner}, expected root or the user of the plugin ` +
      `(${process.geteuid?.() ?? 0}): its owner could change the log, or redirect it`
  )

/** Throws if an untrusted user owns a folder, or a folder or symbolic link on the path to it. */
export const checkFolder = (folder: string): void => {
  const untrusted = FolderWalk.walk(folder, {
    about: (path, { uid }): Untrusted | undefined => isTrusted(uid) ? undefined : { path, owner: uid }
  })
  if (untrusted !== undefined) throw refusal(untrusted)
}

/** Throws if an untrusted user owns a file. */
export const checkFile = (path: string, owner: number): void => {
  if (!isTrusted(owner)) throw refusal({ path, owner })
}
