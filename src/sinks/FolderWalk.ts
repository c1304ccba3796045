/** Walks the path of a folder part by part, including symbolic links, as the kernel does. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The maximum number of symbolic links in a path. Source: Linux, `MAXSYMLINKS`. */
const mostLinks = 40

/** Callbacks for each part of a path. The first defined answer ends the walk. */
export interface Callbacks<A> {
  /** Called before the part is accessed. */
  readonly before?: (path: string) => A | undefined
  readonly about?: (path: string, stat: Fs.Stats) => A | undefined
}

/** Walks to a folder, including the folder itself, as far as it exists. */
export const walk = <A>(folder: string, { about, before }: Callbacks<A>): A | undefined => {
  const left = (Path.isAbsolute(folder) ? folder : `${process.cwd()}/${folder}`).split("/")
  let at = "/" // its `..` is `/` itself
  for (let links = 0; links <= mostLinks;) {
    const name = left.shift()
    if (name === undefined) return undefined
    if (name === "" || name === ".") continue
    if (name === "..") {
      at = Path.dirname(at)
      continue
    }
    const path = at === "/" ? `/${name}` : `${at}/${name}`
    const known = before?.(path)
    if (known !== undefined) return known
    const stat = Fs.lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined // the rest does not exist
    const answer = about?.(path, stat)
    if (answer !== undefined) return answer
    if (!stat.isSymbolicLink()) {
      at = path
      continue
    }
    const target = Fs.readlinkSync(path)
    left.unshift(...target.split("/"))
    if (Path.isAbsolute(target)) at = "/"
    links++
  }
  return undefined
}
