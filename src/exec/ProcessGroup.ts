/** Signals to a process and to those that it started. */

/** Sends a signal to the process group of a process. Does nothing if all of it has ended, or if it never started. */
export const signal = (pid: number | undefined, signal: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch { /* the whole group has ended */ }
}
