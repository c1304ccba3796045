/** Makes a program that runs in our place end as we are told to, and with us. */
import * as Fs from "node:fs"
import * as Libc from "./Libc.ts"
import * as Spawn from "./Spawn.ts"

/** What asks a process to stop, or to do what its program decides. */
const handedOn = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const

/**
 * Kills a process as soon as its stdin is closed: that is a pipe from us, which SIGKILL closes too. The first line of it
 * names the process. Where we are killed before that line, the process is known by the text `$1` in its environment,
 * which it has as soon as its program runs.
 */
const guard = `if read -r pid; then
  read -r line
  kill -KILL "$pid"
elif [ "$1" ]; then
  for try in 1 2 3; do
    for file in $(grep -lsF "$1" /proc/[0-9]*/environ); do
      pid=\${file%/environ}
      kill -KILL "\${pid##*/}"
    done
    sleep 0.1
  done
fi`

interface Guard {
  /** Tells whom to kill. */
  readonly watch: (pid: number) => void
  readonly end: () => void
}

/** The guard with a pipe from us, and what closes our end of it. */
const startGuard = (mark: string): Guard => {
  const program = { argv: ["/bin/sh", "-c", guard, "sh", mark], cwd: "/", detached: true, env: {} } as const
  const ends = Libc.load()?.pipe()
  if (ends === undefined) {
    const child = Spawn.spawn(program, ["pipe", "ignore", "ignore"]).on("error", () => {})
    child.stdin?.on("error", () => {})
    return {
      watch: (pid) => void child.stdin?.write(`${pid}\n`),
      end: () => {
        child.kill("SIGKILL")
        child.unref()
      }
    }
  }
  const [theirs, ours] = ends
  try {
    const started = Spawn.start(program, [theirs, "ignore", "ignore"])
    return {
      watch: (pid) => void Fs.writeSync(ours, `${pid}\n`),
      end: () => {
        started.kill("SIGKILL")
        started.unref()
        Fs.closeSync(ours)
      }
    }
  } catch (error) {
    Fs.closeSync(ours)
    throw error
  } finally {
    Fs.closeSync(theirs)
  }
}

/**
 * Kills a process where we are killed. The kernel could do that at a parent's death, but `setpriv`, which asks it to,
 * takes the program's own name (argv[0]) from it, and its time is on the way of each plugin; this runs beside it.
 */
const killWithUs = (mark: string): Guard | undefined => {
  try {
    return startGuard(mark)
  } catch {
    return undefined // then it outlives us where we are killed
  }
}

/** A program that is about to be started in our place, and has `mark` in its environment. */
export const prepare = (mark: string) => {
  const guarding = killWithUs(mark)
  const libc = Libc.load()
  // One signal for a whole group must not reach the program twice, so only one of us can be in that group. It has to
  // be the program, unless we cannot leave.
  const detached = libc === undefined || libc.leadsGroup()
  const attach = ({ kill, pid = 0 }: Spawn.Started): () => void => {
    guarding?.watch(pid)
    if (!detached) libc?.leaveGroup()
    const handOn = (signal: NodeJS.Signals): void => {
      if (!detached) return kill(signal)
      try {
        process.kill(-pid, signal)
      } catch { /* all of the group has ended */ }
    }
    for (const signal of handedOn) process.on(signal, handOn)
    return () => {
      guarding?.end()
      for (const signal of handedOn) process.removeListener(signal, handOn)
    }
  }
  return {
    /** Whether the program has to be in a process group of its own. */
    detached,
    /** Hands signals on to the program, which has been started. Returns what ends that, for when it has ended. */
    attach,
    /** The program could not be started. */
    giveUp: () => guarding?.end()
  }
}
