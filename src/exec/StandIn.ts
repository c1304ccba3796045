/** Makes a program that runs in our place end as we are told to, and with us. */
import type * as ChildProcess from "node:child_process"

/** What asks a process to stop, or to do what its program decides. */
const handedOn = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const

/** Kills the process `$1` as soon as its stdin is closed: it is a pipe from us, which SIGKILL closes too. */
const guard = "read -r line; kill -KILL \"$1\""

/**
 * Kills a process where we are killed. The kernel could do that at a parent's death, but `setpriv`, which asks it to,
 * takes the program's own name (argv[0]) from it, and its time is on the way of each plugin; this runs beside it.
 */
const killWithUs = (childProcess: typeof ChildProcess, pid: number): ChildProcess.ChildProcess => {
  const process = childProcess.spawn("/bin/sh", ["-c", guard, "sh", String(pid)], {
    cwd: "/",
    detached: true,
    env: {},
    stdio: ["pipe", "ignore", "ignore"]
  })
  process.on("error", () => {}) // then it outlives us where we are killed
  process.stdin?.on("error", () => {})
  return process
}

/** Hands signals on to a program that has been started. Returns what ends that, for when the program has ended. */
export const attach = (childProcess: typeof ChildProcess, child: ChildProcess.ChildProcess): () => void => {
  const handOn = (signal: NodeJS.Signals) => child.kill(signal)
  for (const signal of handedOn) process.on(signal, handOn)
  const guarding = killWithUs(childProcess, child.pid ?? 0)
  return () => {
    guarding.kill("SIGKILL")
    guarding.unref()
    for (const signal of handedOn) process.removeListener(signal, handOn)
  }
}
