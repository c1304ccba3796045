/** Determines what this executable was called as: the plugin `passthrough`, or a plugin that it wraps. */
import * as Path from "node:path"
import * as WrapFolder from "../exec/WrapFolder.ts"

/** A call as a wrapped plugin. */
export interface InvokedAs {
  /** The type of the plugin. */
  readonly name: string
  /** The folder in which we replace the plugin. */
  readonly folder: string
  /** The name that the caller used. The plugin gets it as argv[0]. */
  readonly argv0: string
  /** The arguments after the name. Runtimes pass none. */
  readonly arguments: ReadonlyArray<string>
}

/** The folder of stubs that are not in place yet. */
const staged = Path.join(WrapFolder.ownFolder, WrapFolder.staged)

/** Whether a name is our own, including those of builds, copies and files during an upgrade. */
const isOurName = (name: string): boolean => /^\.?passthrough(?:[-.]|$)/.test(name)

/** Returns the folder that a stub is for, whether the stub is in place or still staged. */
const targetFolderOf = (folder: string): string =>
  folder.endsWith(`/${staged}`) ? folder.slice(0, -staged.length - 1) : folder

/**
 * How a process was started. The parts of Node.js' `process` are declared here, because users of the library may lack
 * its types.
 */
export interface Started {
  readonly argv: ReadonlyArray<string>
  readonly argv0: string
  readonly execPath: string
  readonly versions: { readonly [name: string]: string | undefined }
}

/**
 * Returns the wrapped plugin that we were called as, or undefined if we were called by our own name. A stub is a
 * script: the kernel starts us as its interpreter and passes the path of the stub.
 */
export const of = ({ argv, argv0, execPath, versions }: Started): InvokedAs | undefined => {
  const isBun = versions["bun"] !== undefined
  const own = isBun ? argv0 : argv[1] ?? ""
  const [stub, ...rest] = argv.slice(2)
  const isInterpreter = Path.basename(own) === WrapFolder.executable &&
    Path.basename(Path.dirname(own)) === WrapFolder.ownFolder
  if (isInterpreter && stub !== undefined) {
    if (isOurName(Path.basename(stub))) return undefined
    // A relative path may be relative to another working directory than ours.
    const folder = Path.isAbsolute(stub) ? Path.dirname(stub) : Path.dirname(Path.dirname(own))
    return { name: Path.basename(stub), folder: targetFolderOf(folder), argv0: stub, arguments: rest }
  }
  const name = Path.basename(own)
  if (isOurName(name)) return undefined
  const folder = Path.dirname(Path.isAbsolute(own) ? own : execPath)
  return { name, folder, argv0: own, arguments: argv.slice(2) }
}
