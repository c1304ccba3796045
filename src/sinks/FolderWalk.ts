/** The way to a folder, part by part, as the kernel goes it: symbolic links are followed where they stand. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** How many symbolic links a path may lead through. Source: Linux, `MAXSYMLINKS`. */
const mostLinks = 40

/** What to ask of each part of the way. The first answer ends it. */
export interface Questions<A> {
  /** Asked before anything looks at the part. */
  readonly before?: (path: string) => A | undefined
  readonly about?: (path: string, stat: Fs.Stats) => A | undefined
}

/** Goes to a folder, itself included, as far as it is there. */
export const walk = <A>(folder: string, { about, before }: Questions<A>): A | undefined => {
  const left = (Path.isAbsolute(folder) ? folder : `${process.cwd()}/${folder}`).split("/")
  let at = "/" // which has no folder above it, not for `..` either
  for (let links = 0; left.length > 0 && links <= mostLinks;) {
    const name = left.shift() ?? ""
    if (name === "" || name === ".") continue
    if (name === "..") {
      at = Path.dirname(at)
      continue
    }
    const path = at === "/" ? `/${name}` : `${at}/${name}`
    const known = before?.(path)
    if (known !== undefined) return known
    const stat = Fs.lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined // what is not there yet says nothing
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
