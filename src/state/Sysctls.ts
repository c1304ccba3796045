/** Facts of sysctls, out of what `grep -rH` prints: a line for each line, after the name of its file, which has no `:`. */
import { lines } from "./Lines.ts"

const folder = "/proc/sys/"

/** Words that make `grep` read all sysctls of a namespace. */
export const all: ReadonlyArray<string> = ["", `${folder}net`]

/** What changes by itself, what the facts of links have, and secrets. */
const asideOf =
  /^net\.(?:netfilter\.nf_conntrack_count|ipv[46]\.tcp_fastopen_key|ipv6\.conf\..*\.(?:mtu|stable_secret)) =/

/** Facts of sysctls, with the names that the command of that name prints: a dot in the name of a link is a slash. */
export const facts = (text: string): ReadonlyArray<string> =>
  lines(text).map((line) => {
    const colon = line.indexOf(":")
    const name = line.slice(folder.length, colon).replace(/[./]/g, (each) => each === "/" ? "." : "/")
    return `${name} = ${line.slice(colon + 1).replace(/\s+/g, " ").trim()}`
  }).filter((fact) => !asideOf.test(fact))

/** Words that make `grep` read all sysctls of a namespace, of those of links only those of these links. */
export const ofLinks = (links: ReadonlyArray<string>): ReadonlyArray<string> => [
  "--exclude-dir=conf",
  "--exclude-dir=neigh",
  ...all,
  ...["all", "default", ...links].flatMap((link) =>
    ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"].map((each) => `${folder}net/${each}/${link}`)
  )
]
