/**
 * Identifies a process in the name of a file, which separates what a killed process left from what a running one uses.
 * Process IDs mean nothing in another PID namespace, such as a container's.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** A process, identified by its ID, start time and PID namespace. */
export interface Identity {
  readonly pid: number
  /** In ticks since boot. Distinguishes it from later processes with the same ID. */
  readonly start: string | undefined
  readonly namespace: string
}

/** The start time of the process with this ID; undefined if there is none. */
export const startOf = Effect.fnUntraced(function*(pid: number) {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/stat`), () => "")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
})

/** This process. */
export const self = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const link = yield* Effect.orElseSucceed(fs.readLink("/proc/self/ns/pid"), () => "")
  const namespace = /\d+/.exec(link)?.[0] ?? "0"
  return { pid: process.pid, start: yield* startOf(process.pid), namespace } satisfies Identity
})

/** `PID.START.NAMESPACE` */
export const format = ({ namespace, pid, start }: Identity): string => `${pid}.${start}.${namespace}`
