/** Network sysctls: reads their files as `grep -rH` prints them, and lines such as `net.ipv4.ip_forward = 1`. */
import type { Differences } from "../record/Record.ts"
import { linesOf, type Reader } from "./Line.ts"

const folder = "/proc/sys/"

/** Arguments that make `grep` read all sysctls of a namespace. */
export const all: ReadonlyArray<string> = ["", `${folder}net`]

/** Arguments that make `grep` read all sysctls of a namespace, but those of links only for these links. */
export const ofLinks = (links: ReadonlyArray<string>): ReadonlyArray<string> => [
  "--exclude-dir=conf",
  "--exclude-dir=neigh",
  ...all,
  ...["all", "default", ...links].flatMap((link) =>
    ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"].map((each) => `${folder}net/${each}/${link}`)
  )
]

/** Sysctls that change by themselves, that repeat the lines of links, or that are secret. */
const asideOf =
  /^net\.(?:netfilter\.nf_conntrack_count|ipv[46]\.tcp_fastopen_key|ipv6\.conf\..*\.(?:mtu|stable_secret)) =/

/**
 * The lines of sysctls, named as by the command `sysctl`: a dot in the name of a link becomes a slash. `grep` prints
 * the name of the file, which has no `:`, before each of its lines.
 */
export const lines = (text: string): ReadonlyArray<string> =>
  linesOf(text).map((line) => {
    const colon = line.indexOf(":")
    const name = line.slice(folder.length, colon).replace(/[./]/g, (each) => each === "/" ? "." : "/")
    return `${name} = ${line.slice(colon + 1).replace(/\s+/g, " ").trim()}`
  }).filter((line) => !asideOf.test(line))

const valuesOf = (lines: Iterable<string>): ReadonlyMap<string, string> =>
  new Map([...lines].map((line) => line.split(" = ", 2) as [string, string]))

/**
 * The sysctls that differ, without those of links that came or went, and without those that follow from another one:
 * `conf.all.X` and `conf.default.X` may set X of each link, and `ip_forward` is `forwarding` of each.
 */
export const essential = (
  { added, removed }: Differences[string],
  before: ReadonlySet<string>,
  after: ReadonlySet<string>
): Differences[string] => {
  if (added.length + removed.length === 0) return { added, removed }
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const isEssential = (line: string): boolean => {
    const [name = ""] = line.split(" = ", 1)
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

export const reader: Reader = {
  identity: (line) => line.split(" = ")[0] ?? line,
  link: (line) => /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\./.exec(line)?.[1]?.replaceAll("/", "."),
  words: (line) => `sysctl ${line}`
}
