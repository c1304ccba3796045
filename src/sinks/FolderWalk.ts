/** Walks the path of a folder, part by part, as the kernel resolves it, symbolic links included. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The largest number of symbolic links in a path. Source: Linux, `MAXSYMLINKS`. */
const mostLinks = 40

/** The questions for each part of a path. The first answer ends the walk. */
export interface Questions<A> {
  /** Asked before the part is accessed. */
  readonly before?: (path: string) => A | undefined
  readonly about?: (path: string, stat: Fs.Stats) => A | undefined
}

/** Walks to a folder, including the folder itself, as far as it exists. */
export const walk = <A>(folder: string, { about, before }: Questions<A>): A | undefined => {
  const left = (Path.isAbsolute(folder) ? folder : `${process.cwd()}/${folder}`).split("/")
  let at = "/" // which has no folder above it, not for `..` either
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
    if (stat === undefined) return undefined // missing parts have no answer
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
