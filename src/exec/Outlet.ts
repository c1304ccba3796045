/** Where the output of a program goes on to while it runs: a descriptor of ours, whose reader may be slow or gone. */
import * as Fs from "node:fs"
import type { Kept } from "./Kept.ts"
import * as Libc from "./Libc.ts"

const { O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/**
 * A descriptor whose writes do not wait, where there is one: other processes share the one that we were started with, so
 * that stays as it is. A socket cannot be opened once more.
 */
const open = (fd: number): number => {
  try {
    return Fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK)
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

/** How a program that runs in our place writes an output. */
export type Way =
  /** Through us. */
  | "through"
  /** To a file of ours by itself: only so does it learn of a full disk. The file has it for the log. */
  | "file"
  /** To a descriptor of ours by itself, for it refuses what is written: a device, or one whose reader is gone. */
  | "itself"
  /** It cannot: ours was closed when we were started. */
  | "closed"

/** The major numbers of devices that are terminals or part of one. Source: Linux, `admin-guide/devices.txt`. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 136 && major <= 143)

/** /dev/null, which takes everything. */
const nullDevice = 0x103

/** How a program writes an output that goes on to a descriptor of ours. */
export const wayOf = (fd: number): Way => {
  const libc = Libc.load()
  if (libc?.wasClosed(fd) === true) return "closed"
  try {
    const stat = Fs.fstatSync(fd)
    if (stat.isFile()) return "file"
    if (libc?.isWritable(fd) === false) return "itself"
    const takesAll = !stat.isCharacterDevice() || stat.rdev === nullDevice || isTerminal((stat.rdev >> 8) & 0xfff)
    return takesAll ? "through" : "itself"
  } catch {
    return "itself"
  }
}

/** Where in a file the next write of a descriptor goes; undefined where nothing tells. */
const positionOf = (fd: number): number | undefined => {
  try {
    const info = Fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")
    const [, position = "0"] = /^pos:\s*(\d+)/m.exec(info) ?? []
    const [, flags = "0"] = /^flags:\s*(\d+)/m.exec(info) ?? []
    return (Number.parseInt(flags, 8) & O_APPEND) === 0 ? Number(position) : Fs.fstatSync(fd).size
  } catch {
    return undefined
  }
}

/** Keeps what is written to a file of ours from now on: returns what reads it, once all is written. */
export const follow = (fd: number, kept: Kept): () => void => {
  const start = positionOf(fd)
  return () => {
    const end = positionOf(fd)
    try {
      if (start === undefined || end === undefined || end <= start) return
      const again = Fs.openSync(`/proc/self/fd/${fd}`, O_RDONLY)
      try {
        const bytes = Buffer.alloc(Math.min(end - start, kept.limit + 1))
        kept.take(bytes.subarray(0, Fs.readSync(again, bytes, 0, bytes.length, start)))
      } finally {
        Fs.closeSync(again)
      }
    } catch { /* it may be written, and not be read */ }
  }
}
