/** Facts out of files, as `grep -H ''` prints them: a line for each line, after the name of its file, in which there is no `:`. */

/** The names and the values of what is in files. */
const entries = (text: string): ReadonlyArray<readonly [file: string, line: string]> =>
  text.split("\n").flatMap((line) => {
    const end = line.indexOf(":")
    return end < 0 ? [] : [[line.slice(0, end), line.slice(end + 1).trim()] as const]
  })

const sysctlFolder = "/proc/sys/"

/** What changes by itself, what the facts of links have, and secrets. */
const asideOf =
  /^net\.(?:netfilter\.nf_conntrack_count|ipv[46]\.tcp_fastopen_key|ipv6\.conf\..*\.(?:mtu|stable_secret))$/

/** The name of a sysctl, as the command of that name prints it. */
const sysctlName = (file: string): string => {
  const path = file.slice(sysctlFolder.length)
  return path.includes(".")
    ? path.replace(/[./]/g, (character) => character === "/" ? "." : "/")
    : path.replaceAll("/", ".")
}

/** Facts of sysctls. */
export const sysctls = (text: string): ReadonlyArray<string> =>
  entries(text).flatMap(([file, value]) => {
    const name = sysctlName(file)
    return file.startsWith(sysctlFolder) && !asideOf.test(name) ? [`${name} = ${value.replace(/\s+/g, " ")}`] : []
  })

/** The folders of sysctls, of which those of links are left to be named, and those of these links. */
export const sysctlFolders = (links: ReadonlyArray<string>): ReadonlyArray<string> => [
  "/proc/sys/net",
  ...["all", "default", ...links].flatMap((link) =>
    ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"].map((folder) => `/proc/sys/net/${folder}/${link}`)
  )
]

/** Where the kernel names the tables of iptables' legacy backend, if it has any: asking the tool would make them. */
export const legacyNames = { ip: "/proc/net/ip_tables_names", ip6: "/proc/net/ip6_tables_names" } as const

/** What is there where the kernel knows ipsets: asking the tool would load them. */
export const ipsetModule = "/sys/module/ip_set/parameters/max_sets"

/** The files in which something is. */
export const filled = (text: string): ReadonlySet<string> => new Set(entries(text).map(([file]) => file))
