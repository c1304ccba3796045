/** Forwards signals to a program that stands in for us, and kills it if we are killed. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as IgnoredSignals from "./IgnoredSignals.ts"
import * as Libc from "./Libc.ts"
import * as Spawn from "./Spawn.ts"

/** What asks a process to stop, or to do what its program decides. */
const handedOn = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const

/**
 * Kills a process as soon as stdin, a pipe from us, is closed. Even SIGKILL closes it. Its first line is the process
 * ID. If we are killed before we write it, the guard finds the process by the text `$1`, which is in its environment as
 * soon as its program runs.
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

/** Starts the guard, with its stdin as a pipe from us. */
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
      watch: (pid) => {
        try {
          Fs.writeSync(ours, `${pid}\n`)
        } catch { /* it has ended; the program runs, and must not be taken for one that was not started */ }
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

/** Prepares for a program that stands in for us and has `mark` in its environment. */
export const prepare = (mark: string) => {
  const guarding = killWithUs(mark)
  const libc = Libc.load()
  // A signal to the whole process group must reach the program only once, so only one of us can be in that group: the
  // program, unless we lead the group and cannot leave it.
  const detached = libc === undefined || libc.leadsGroup()
  let handOn: ((signal: NodeJS.Signals) => void) | undefined
  const early: Array<NodeJS.Signals> = []
  const onSignal = (signal: NodeJS.Signals): void => {
    if (handOn === undefined) early.push(signal)
    else handOn(signal)
  }
  // A program inherits that a signal is ignored, but not if we listen for it.
  const ignored = IgnoredSignals.atStart()
  const isIgnored = (signal: NodeJS.Signals): boolean => ignored.includes(Os.constants.signals[signal])
  const listen = (signals: ReadonlyArray<NodeJS.Signals>): void => {
    for (const signal of signals) process.on(signal, onSignal)
  }
  // A signal that arrives while the program starts would otherwise end us and not the program.
  listen(handedOn.filter((signal) => !isIgnored(signal)))
  const end = (): void => {
    guarding?.end()
    for (const signal of handedOn) process.removeListener(signal, onSignal)
  }
  const attach = ({ kill, pid = 0 }: Spawn.Started): () => void => {
    guarding?.watch(pid)
    // If we stayed in the session, the program's end would orphan the group: the kernel sends SIGHUP to an orphaned group
    // that has a stopped process in it, and so to the runtime.
    if (!detached) libc?.leaveSession()
    handOn = (signal) => {
      if (!detached) return kill(signal)
      try {
        process.kill(-pid, signal)
      } catch { /* all of the group has ended */ }
    }
    listen(handedOn.filter(isIgnored))
    early.splice(0).forEach(handOn)
    return end
  }
  return {
    /** Whether the program needs a new process group. */
    detached,
    /**
     * Forwards signals to the started program. Returns a function that stops this, to be called once the program has
     * ended.
     */
    attach,
    /** Cleans up if the program could not be started. */
    giveUp: end
  }
}
