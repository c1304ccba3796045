/** Descriptors that are closed together. */
import * as Fs from "node:fs"

/** A set of open descriptors. */
export class Descriptors {
  private readonly open = new Set<number>()

  /** Opens a file. */
  add(path: string, flags: number): number {
    const fd = Fs.openSync(path, flags)
    this.adopt(fd)
    return fd
  }

  /** Opens once more what a descriptor of ours is, with flags of its own. */
  again(fd: number, flags: number): number {
    return this.add(`/proc/self/fd/${fd}`, flags)
  }

  /** Takes descriptors that are open. */
  adopt(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.add(fd)
  }

  /** Leaves descriptors open for others. */
  give(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.delete(fd)
  }

  /** Closes these descriptors, or all where none are named. */
  close(...some: ReadonlyArray<number>): void {
    for (const fd of some.length === 0 ? [...this.open] : some) if (this.open.delete(fd)) Fs.closeSync(fd)
  }
}
