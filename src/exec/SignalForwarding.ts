/** Forwards signals to a foreground program, and kills it if we are killed. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as IgnoredSignals from "./IgnoredSignals.ts"
import * as Libc from "./Libc.ts"
import * as ProcessGroup from "./ProcessGroup.ts"
import type { Started } from "./Program.ts"
import * as Spawn from "./Spawn.ts"

/** The signals that ask a process to stop, and those whose meaning the program defines. */
const forwarded = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const

/**
 * A shell script that kills a process as soon as the pipe from us is closed, which even our SIGKILL does. We write the
 * process ID to the pipe. If we are killed before that, the script finds the process by the text `$1` in its
 * environment, which is there as soon as the program runs.
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
  /** Sets the process to kill. */
  readonly watch: (pid: number) => void
  readonly end: () => void
}

/** Starts the guard with a pipe from us as its stdin. */
const startGuard = (mark: string): Guard => {
  const program = { argv: ["/bin/sh", "-c", guard, "sh", mark], detached: true, env: {} } as const
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
      watch: (pid) => {
        try {
          Fs.writeSync(ours, `${pid}\n`)
        } catch { /* the guard has ended; the program runs, so this must not look like a failed start */ }
      },
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
 * Starts a guard that kills the program if we are killed. `setpriv --pdeathsig` could make the kernel do that, but it
 * loses the program's argv[0] and delays every plugin. The guard runs in parallel.
 */
const killWithUs = (mark: string): Guard | undefined => {
  try {
    return startGuard(mark)
  } catch {
    return undefined // the program will outlive us if we are killed
  }
}

/** Prepares for a foreground program that has `mark` in its environment. */
export const prepare = (mark: string) => {
  const guarding = killWithUs(mark)
  const libc = Libc.load()
  // A signal to the whole process group must reach the program only once, so only one of us may be in that group. That
  // is the program, unless we lead the group: a group leader cannot leave.
  const detached = libc === undefined || libc.leadsGroup()
  let forward: ((signal: NodeJS.Signals) => void) | undefined
  const pending: Array<NodeJS.Signals> = []
  const onSignal = (signal: NodeJS.Signals): void => {
    if (forward === undefined) pending.push(signal)
    else forward(signal)
  }
  // The program must inherit ignored signals, so we must not listen for them before it starts.
  const ignored = IgnoredSignals.atStart()
  const isIgnored = (signal: NodeJS.Signals): boolean => ignored.includes(Os.constants.signals[signal])
  const listen = (signals: ReadonlyArray<NodeJS.Signals>): void => {
    for (const signal of signals) process.on(signal, onSignal)
  }
  // A signal that arrives while the program starts would otherwise end us and not the program.
  listen(forwarded.filter((signal) => !isIgnored(signal)))
  const end = (): void => {
    guarding?.end()
    for (const signal of forwarded) process.removeListener(signal, onSignal)
  }
  const attach = ({ kill, pid = 0 }: Started): () => void => {
    guarding?.watch(pid)
    // If we stayed in the session, the program's end would orphan the group: the kernel sends SIGHUP to an orphaned group
    // that has a stopped process in it, and so to the runtime.
    if (!detached) libc?.leaveSession()
    forward = (signal) => {
      if (!detached) return kill(signal)
      ProcessGroup.signal(pid, signal)
    }
    listen(forwarded.filter(isIgnored))
    pending.splice(0).forEach(forward)
    return end
  }
  return {
    /** Whether to start the program in a new process group. */
    detached,
    /** Forwards signals to the started program. Call the returned function once the program has ended. */
    attach,
    /** Cleans up if the program could not be started. */
    cancel: end
  }
}
