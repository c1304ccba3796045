/** Which differences of sysctls tell something: one value that is written changes others. */
import type { Differences } from "../record/Record.ts"

const valuesOf = (facts: Iterable<string>): ReadonlyMap<string, string> =>
  new Map([...facts].map((fact) => fact.split(" = ", 2) as [string, string]))

/**
 * The sysctls that differ, without those of links that came or went, and without what follows from another: `conf.all.X`
 * and `conf.default.X` may set X of each link, and `ip_forward` is `forwarding` of each.
 */
export const essential = (
  { added, removed }: Differences[string],
  before: ReadonlySet<string>,
  after: ReadonlySet<string>
): Differences[string] => {
  if (added.length + removed.length === 0) return { added, removed }
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const isEssential = (fact: string): boolean => {
    const [name = ""] = fact.split(" = ", 1)
    const [, folder, link, key = ""] = /^(net\.ipv[46]\.(?:conf|neigh)\.)(.+)\.(\w+)$/.exec(name) ?? []
    if (folder === undefined) return true
    const causes = [
      ...(folder === "net.ipv4.conf." && key === "forwarding" ? ["net.ipv4.ip_forward"] : []),
      ...(link === "all" ? [] : [`${folder}all.${key}`, ...(link === "default" ? [] : [`${folder}default.${key}`])])
    ]
    return old.has(name) && now.has(name) &&
      !causes.some((cause) => old.get(cause) !== now.get(cause) && now.get(cause) === now.get(name))
  }
  return { added: added.filter(isEssential), removed: removed.filter(isEssential) }
}
