/** Makes a program that runs in our place end as we are told to, and with us. */
import * as Spawn from "./Spawn.ts"

/** What asks a process to stop, or to do what its program decides. */
const handedOn = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const

/** Kills the process `$1` as soon as its stdin is closed: it is a pipe from us, which SIGKILL closes too. */
const guard = "read -r line; kill -KILL \"$1\""

/**
 * Kills a process where we are killed. The kernel could do that at a parent's death, but `setpriv`, which asks it to,
 * takes the program's own name (argv[0]) from it, and its time is on the way of each plugin; this runs beside it.
 */
const killWithUs = (pid: number): Spawn.Started | undefined => {
  try {
    const program = { argv: ["/bin/sh", "-c", guard, "sh", String(pid)], cwd: "/", detached: true, env: {} } as const
    const started = Spawn.start(program, ["pipe", "ignore", "ignore"])
    started.onError(() => {})
    return started
  } catch {
    return undefined // then it outlives us where we are killed
  }
}

/** Hands signals on to a program that has been started. Returns what ends that, for when the program has ended. */
export const attach = ({ kill, pid }: Spawn.Started): () => void => {
  for (const signal of handedOn) process.on(signal, kill)
  const guarding = killWithUs(pid ?? 0)
  return () => {
    guarding?.kill("SIGKILL")
    guarding?.unref()
    for (const signal of handedOn) process.removeListener(signal, kill)
  }
}
