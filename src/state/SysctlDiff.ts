/** Which differences of sysctls tell something: one value that is written changes others. */
import type { Differences } from "../record/Record.ts"

type Difference = Differences[string]

/** A sysctl of a link, or of all links: its family, `conf` or `neigh`, the link and its name there. */
const ofLink = /^(net\.ipv[46])\.(conf|neigh)\.(.+)\.(\w+)$/

const valuesOf = (facts: Iterable<string>): ReadonlyMap<string, string> =>
  new Map([...facts].map((fact) => {
    const [name = "", value = ""] = fact.split(" = ", 2)
    return [name, value]
  }))

/**
 * The sysctls that differ, without those of links that came or went, and without what follows from another: `conf.all.X`
 * and `conf.default.X` may set X of each link, and `ip_forward` is `forwarding` of each.
 */
export const essential = (
  { added, removed }: Difference,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>
): Difference => {
  if (added.length + removed.length === 0) return { added, removed }
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const isEssential = (fact: string): boolean => {
    const [name = ""] = fact.split(" = ", 1)
    const [, family = "", sort, link = "", key = ""] = ofLink.exec(name) ?? []
    if (sort === undefined) return true
    if (!old.has(name) || !now.has(name)) return false
    const causes = [
      ...(link === "all" ? [] : [`${family}.${sort}.all.${key}`]),
      ...(link === "all" || link === "default" ? [] : [`${family}.${sort}.default.${key}`]),
      ...(family === "net.ipv4" && key === "forwarding" ? ["net.ipv4.ip_forward"] : [])
    ]
    return !causes.some((cause) => old.get(cause) !== now.get(cause) && now.get(cause) === now.get(name))
  }
  return { added: added.filter(isEssential), removed: removed.filter(isEssential) }
}
