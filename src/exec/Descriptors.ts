/** Owns descriptors, so that all of them are closed if something fails. */
import * as Fs from "node:fs"

/** A set of owned descriptors. */
export class Descriptors {
  private readonly open = new Set<number>()

  /** Opens a file. Throws if that fails. */
  add(path: string, flags: number): number {
    const fd = Fs.openSync(path, flags)
    this.adopt(fd)
    return fd
  }

  /** Opens the file behind a descriptor again, with other flags. */
  reopen(fd: number, flags: number): number {
    return this.add(`/proc/self/fd/${fd}`, flags)
  }

  /** Takes ownership of open descriptors. */
  adopt(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.add(fd)
  }

  /** Gives up ownership of descriptors without closing them. */
  release(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.delete(fd)
  }

  /** Closes the given descriptors, or all if none are given. Ignores those that the set does not own. */
  close(...some: ReadonlyArray<number>): void {
    for (const fd of some.length === 0 ? [...this.open] : some) if (this.open.delete(fd)) Fs.closeSync(fd)
  }
}
