/** Where the output of a program goes on to while it runs: a descriptor of ours, whose reader may be slow or gone. */
import * as Fs from "node:fs"

const { O_APPEND, O_NONBLOCK, O_WRONLY } = Fs.constants

/**
 * A descriptor whose writes do not wait, where there is one: other processes share the one that we were started with, so
 * that stays as it is. A socket cannot be opened once more; a file never waits, and is written where the others write.
 */
const open = (fd: number): number => {
  try {
    return Fs.fstatSync(fd).isFile() ? fd : Fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK)
  } catch {
    return fd
  }
}

/** Takes bytes, and writes them as fast as they are read. */
export class Outlet {
  private readonly fd: number
  private rest: Uint8Array = new Uint8Array()
  /** Whether nothing can be written any more: its reader is gone. */
  isBroken = false

  constructor(fd: number) {
    this.fd = open(fd)
  }

  /** Takes bytes, which must not change any more. Only where {@link flush} said that there are none left. */
  put(bytes: Uint8Array): void {
    this.rest = bytes
    this.flush()
  }

  /** Writes what its reader takes now, and tells whether nothing is left. */
  flush(): boolean {
    while (this.rest.length > 0 && !this.isBroken) {
      try {
        this.rest = this.rest.subarray(Fs.writeSync(this.fd, this.rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false
        this.isBroken = true
      }
    }
    return true
  }
}
