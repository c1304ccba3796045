/** The capabilities needed to inspect the host. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/**
 * In this order: to enter network namespaces, to see the processes of other users, to list rules. Source: the kernel's
 * `include/uapi/linux/capability.h`.
 */
const needed = [["SYS_ADMIN", 21n], ["SYS_PTRACE", 19n], ["NET_ADMIN", 12n]] as const

/** The needed capabilities that this process lacks. */
export const lacking = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const status = yield* Effect.orElseSucceed(fs.readFileString("/proc/self/status"), () => "")
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (effective === undefined) return []
  const bits = BigInt(`0x${effective}`)
  return needed.flatMap(([name, bit]) => (bits >> bit & 1n) === 1n ? [] : [name]) as ReadonlyArray<string>
})

/** `SYS_ADMIN, SYS_PTRACE and NET_ADMIN` */
export const list = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
