/** What this executable was called as: the plugin `passthrough`, or one that it stands around. */
import * as Path from "node:path"
import * as OwnFolder from "../exec/OwnFolder.ts"

/** The plugin that we were called as. */
export interface InvokedAs {
  /** The type of the plugin. */
  readonly name: string
  /** The folder that has us in its place. */
  readonly folder: string
  /** The name that the caller used, as the plugin finds it (argv[0]). */
  readonly argv0: string
  /** What follows the name. Runtimes pass nothing. */
  readonly arguments: ReadonlyArray<string>
}

/** Where a stub waits to be put in the place of a plugin. */
const staged = Path.join(OwnFolder.ownFolder, OwnFolder.staged)

/** Our own name, and those that builds, copies and upgrades have for a while. */
const isOurName = (name: string): boolean => /^\.?passthrough(?:[-.]|$)/.test(name)

/** The folder that a file stands in for, whether it is in its place already or waits for it. */
const placeOf = (folder: string): string => folder.endsWith(`/${staged}`) ? folder.slice(0, -staged.length - 1) : folder

/** What tells how a process was started: parts of Node.js' `process`, whose own types users of the library may lack. */
export interface Started {
  readonly argv: ReadonlyArray<string>
  readonly argv0: string
  readonly execPath: string
  readonly versions: { readonly [name: string]: string | undefined }
}

/**
 * The plugin that we were called as; undefined if that is our own. A stub is a script: the kernel starts its
 * interpreter, which is us, and gives us the path of the stub.
 */
export const of = ({ argv, argv0, execPath, versions }: Started): InvokedAs | undefined => {
  const isBun = versions["bun"] !== undefined
  const own = isBun ? argv0 : argv[1] ?? ""
  const [stub, ...rest] = argv.slice(2)
  const isInterpreter = Path.basename(own) === OwnFolder.executable &&
    Path.basename(Path.dirname(own)) === OwnFolder.ownFolder
  if (isInterpreter && stub !== undefined) {
    if (isOurName(Path.basename(stub))) return undefined
    // The working directory that a relative path was meant for may not be ours.
    const folder = Path.isAbsolute(stub) ? Path.dirname(stub) : Path.dirname(Path.dirname(own))
    return { name: Path.basename(stub), folder: placeOf(folder), argv0: stub, arguments: rest }
  }
  const name = Path.basename(own)
  if (isOurName(name)) return undefined
  const folder = Path.dirname(Path.isAbsolute(own) ? own : execPath)
  return { name, folder, argv0: own, arguments: argv.slice(2) }
}
