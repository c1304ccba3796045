/** Programs that listen on ports of the host. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"

/** A program that listens on a port. */
export interface Listener {
  readonly protocol: "tcp" | "udp"
  readonly port: number
  /** The name and the ID of its process; undefined if that is unknown. */
  readonly owner: { readonly name: string; readonly pid: number } | undefined
}

interface Socket {
  readonly protocol: "tcp" | "udp"
  readonly port: number
  readonly inode: string
}

/** Reads the listening sockets of a table of /proc/net. */
export const parse = (protocol: "tcp" | "udp", table: string): ReadonlyArray<Socket> =>
  table.split("\n").slice(1).flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
    const port = Number.parseInt(local.split(":")[1] ?? "", 16)
    const waits = protocol === "tcp" ? state === "0A" : state === "07"
    return waits && port > 0 ? [{ protocol, port, inode }] : []
  })

const readText = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.readFileString(path), () => "")
})

/** The process that has a socket open. */
const ownerOf = Effect.fnUntraced(function*(inode: string) {
  const fs = yield* FileSystem.FileSystem
  const processes = yield* Effect.orElseSucceed(fs.readDirectory("/proc"), () => [])
  for (const pid of processes.filter((name) => /^\d+$/.test(name))) {
    const descriptors = yield* Effect.orElseSucceed(fs.readDirectory(`/proc/${pid}/fd`), () => [])
    for (const descriptor of descriptors) {
      const target = yield* Effect.orElseSucceed(fs.readLink(`/proc/${pid}/fd/${descriptor}`), () => "")
      if (target === `socket:[${inode}]`) {
        return { name: (yield* readText(`/proc/${pid}/comm`)).trim(), pid: Number(pid) }
      }
    }
  }
  return undefined
})

/** The programs that listen on one of these ports. */
export const collect = Effect.fnUntraced(function*(ports: ReadonlySet<number>) {
  const found: Array<Listener> = []
  for (const protocol of ["tcp", "udp"] as const) {
    for (const family of ["", "6"]) {
      for (const { inode, port } of parse(protocol, yield* readText(`/proc/net/${protocol}${family}`))) {
        if (ports.has(port)) found.push({ protocol, port, owner: yield* ownerOf(inode) })
      }
    }
  }
  return Result.succeed(found as ReadonlyArray<Listener>)
})
