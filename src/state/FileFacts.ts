/** Facts out of files, as `grep -H ''` prints them: a line for each line, after the name of its file, in which there is no `:`. */
import { lines } from "./Lines.ts"

const sysctlFolder = "/proc/sys/"

/** What changes by itself, what the facts of links have, and secrets. */
const asideOf =
  /^net\.(?:netfilter\.nf_conntrack_count|ipv[46]\.tcp_fastopen_key|ipv6\.conf\..*\.(?:mtu|stable_secret)) =/

/** Facts of sysctls, with the names that the command of that name prints: a dot in the name of a link is a slash. */
export const sysctls = (text: string): ReadonlyArray<string> =>
  lines(text).map((line) => {
    const colon = line.indexOf(":")
    const path = line.slice(sysctlFolder.length, colon).replace(/[./]/g, (each) => each === "/" ? "." : "/")
    return `${path} = ${line.slice(colon + 1).replace(/\s+/g, " ").trim()}`
  }).filter((fact) => !asideOf.test(fact))

/** The folders of sysctls, of which those of links are left to be named, and those of these links. */
export const sysctlFolders = (links: ReadonlyArray<string>): ReadonlyArray<string> => [
  `${sysctlFolder}net`,
  ...["all", "default", ...links].flatMap((link) =>
    ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"].map((folder) => `${sysctlFolder}net/${folder}/${link}`)
  )
]

/** Where the kernel names the tables of iptables' legacy backend, if it has any: asking the tool would make them. */
export const legacyNames = { ip: "/proc/net/ip_tables_names", ip6: "/proc/net/ip6_tables_names" } as const

/** What is there where the kernel knows ipsets: asking the tool would load them. */
export const ipsetModule = "/sys/module/ip_set/parameters/max_sets"
