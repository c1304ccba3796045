/** Tables of the kernel that can be full: what does not fit is dropped, and only the kernel's log says so. */
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

/** The number of entries as /proc/net/stat has it: the first word of the second line, in base 16. */
const inStatistics = (text: string): number => parseInt(text.split("\n")[1]?.split(" ")[0] ?? "", 16)

/** Tables, with the file that says how many entries they have. Those of neighbours are the same in all namespaces. */
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

/** Reads all of them that there are. */
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
