/** Whether the limits of this process leave room for another program beside it. */
import * as Fs from "node:fs"
import * as Libc from "./Libc.ts"

const attempt = <A>(io: () => A): A | undefined => {
  try {
    return io()
  } catch {
    return undefined
  }
}

/**
 * The lowest process limit (which counts threads too) with which we run a plugin beside us. Our engine needs up to
 * fifteen, and aborts if it cannot start one.
 */
const minProcesses = 40

/** Returns the process limit of our user. */
const processLimit = (): number =>
  Libc.load()?.processLimit() ?? attempt(() => {
    const [, soft] = /^Max processes\s+(\d+)/m.exec(Fs.readFileSync("/proc/self/limits", "utf8")) ?? []
    return soft === undefined ? undefined : Number(soft)
  }) ?? Number.POSITIVE_INFINITY

/**
 * Returns how many more processes our cgroup allows, or NaN if it has no limit. Cgroups of version 1 have it in the
 * folder `pids`.
 */
const cgroupRoom = (): number =>
  attempt(() => {
    const text = Fs.readFileSync("/proc/self/cgroup", "utf8")
    const [, first] = /^\d+:pids:(.*)/m.exec(text) ?? []
    const folder = `/sys/fs/cgroup${first === undefined ? /^0::(.*)/m.exec(text)?.[1] : `/pids${first}`}`
    const [max, current] = ["max", "current"].map((name) => Number(Fs.readFileSync(`${folder}/pids.${name}`, "utf8")))
    return Number(max) - Number(current)
  }) ?? Number.NaN

/** Whether we can run a plugin beside us. The process limit of a user does not apply to root. */
export const hasRoom = (): boolean =>
  (process.getuid?.() === 0 || processLimit() >= minProcesses) && !(cgroupRoom() < minProcesses)
