/** Reads the policy files that apply to one of our executables. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as WrapFolder from "../exec/WrapFolder.ts"
import * as Policy from "./Policy.ts"

const attempt = <A>(io: () => A): A | undefined => {
  try {
    return io()
  } catch {
    return undefined
  }
}

/** The maximum size of a policy, in bytes. */
const maxSize = 65_536

/** Reads a policy file. Only root or the owner of the plugin may be able to write it. */
const readFile = (file: string, plugin: string): Policy.Policy | Policy.Broken => {
  const broken = (problem: string) => ({ file, problem })
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = Fs.constants
  let fd: number | undefined
  try {
    fd = Fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const { mode, size, uid } = Fs.fstatSync(fd)
    const isFile = (mode & Fs.constants.S_IFMT) === Fs.constants.S_IFREG
    if (!isFile) return broken("it is not a regular file")
    if (size > maxSize) return broken(`it has ${size} bytes, expected at most ${maxSize}`)
    const owners = [0, Fs.statSync("/").uid, attempt(() => Fs.statSync(plugin).uid)]
    if (!owners.includes(uid)) return broken(`it belongs to the user ${uid}, expected root or the owner of the plugin`)
    if ((mode & 0o022) !== 0) {
      return broken(
        `it has mode ${(mode & 0o7777).toString(8).padStart(4, "0")}, expected one that lets no other user write it`
      )
    }
    return Policy.parse(file, Fs.readFileSync(fd, "utf8"))
  } catch (error) {
    return broken(
      (error as NodeJS.ErrnoException).code === "ELOOP" ? "it is a symbolic link" : (error as Error).message
    )
  } finally {
    if (fd !== undefined) Fs.closeSync(fd)
  }
}

/**
 * Reads the policies beside an executable. The executable of a shim is in our folder inside a plugin folder, so the
 * policy of the plugin folder, which taps there obey, applies to the shim too.
 */
const readBeside = (plugin: string): ReadonlyArray<Policy.Policy | Policy.Broken> => {
  const folder = Path.dirname(plugin)
  const folders = Path.basename(folder) === WrapFolder.ownFolder ? [folder, Path.dirname(folder)] : [folder]
  return folders.map((each) => Path.join(each, Policy.fileName))
    .filter((file) => {
      try {
        return Fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined
      } catch {
        return true // it may exist
      }
    })
    .map((file) => readFile(file, plugin))
}

/**
 * Resolves the symbolic links of a folder's path. Keeps parts that do not exist yet. Returns undefined if a link is
 * broken.
 */
const realFolder = (folder: string): string | undefined => {
  const real = attempt(() => Fs.realpathSync(folder))
  if (real !== undefined) return real
  if (folder === "/" || attempt(() => Fs.lstatSync(folder)) !== undefined) return undefined
  const parent = realFolder(Path.dirname(folder))
  return parent === undefined ? undefined : Path.join(parent, Path.basename(folder))
}

/** Returns the policies that apply to an executable. */
export const policiesOf = (executable: () => string): Policy.Policies => ({
  read: Effect.sync(() => readBeside(executable())),
  realFolder
})
