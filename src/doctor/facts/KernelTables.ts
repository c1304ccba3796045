/** Kernel tables that can fill up. What does not fit is dropped, and only the kernel's log says so. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** A table with its limit. */
export interface KernelTable {
  readonly name: string
  readonly used: number
  readonly limit: number
  /** The name of the limit in /proc/sys, with dots. */
  readonly setting: string
}

/** The number of entries in a file of /proc/net/stat: the first word of the second line, in base 16. */
const inStatistics = (text: string): number => parseInt(text.split("\n")[1]?.split(" ")[0] ?? "", 16)

/** Each table with the file that has its number of entries. All namespaces share the tables of neighbours. */
const tables = [
  {
    name: "connections",
    file: "/proc/sys/net/netfilter/nf_conntrack_count",
    read: Number,
    setting: "net.netfilter.nf_conntrack_max"
  },
  {
    name: "neighbours of IPv4",
    file: "/proc/net/stat/arp_cache",
    read: inStatistics,
    setting: "net.ipv4.neigh.default.gc_thresh3"
  },
  {
    name: "neighbours of IPv6",
    file: "/proc/net/stat/ndisc_cache",
    read: inStatistics,
    setting: "net.ipv6.neigh.default.gc_thresh3"
  }
] as const

/** Reads the tables that exist. */
export const collect = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const textOf = (path: string) => Effect.orElseSucceed(fs.readFileString(path), () => "")
  const found = yield* Effect.forEach(
    tables,
    Effect.fnUntraced(function*({ file, name, read, setting }) {
      const used = read(yield* textOf(file))
      const limit = Number(yield* textOf(`/proc/sys/${setting.replaceAll(".", "/")}`))
      return used > 0 && limit > 0 ? [{ name, used, limit, setting } satisfies KernelTable] : []
    })
  )
  return found.flat() as ReadonlyArray<KernelTable>
})
