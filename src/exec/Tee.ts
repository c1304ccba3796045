/** Passes the output of a program on to one of our descriptors while it runs. Its reader may be slow or gone. */
import * as Fs from "node:fs"
import * as Libc from "./Libc.ts"
import type { OutputBuffer } from "./OutputBuffer.ts"

const { O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/**
 * Reopens a descriptor as non-blocking, if that is possible. We share the open file with other processes, so its flags
 * must stay as they are. A socket cannot be reopened.
 */
const open = (fd: number): number => {
  try {
    return Fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK)
  } catch {
    return fd
  }
}

/** Takes bytes, and writes them as fast as they are read. */
export class Tee {
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

/** How a program that stands in for us writes an output. */
export type Way =
  /** Through a pipe that we copy from. */
  | "through"
  /** Directly to our file, because only then does it learn of a full disk. For the log, we read the file afterwards. */
  | "file"
  /** Directly to our descriptor, because only then does it see write errors: a device, or a pipe without a reader. */
  | "itself"
  /** Not at all: ours was closed when we were started. */
  | "closed"

/** The major numbers of terminals and pseudo-terminals. Source: Linux, `admin-guide/devices.txt`. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 136 && major <= 143)

/** /dev/null, which accepts all writes. */
const nullDevice = 0x103

/** How a program writes an output that goes to one of our descriptors. */
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

/** The file position of a descriptor's next write, or undefined if it is unknown. */
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

/**
 * Captures what is appended to our file from this moment. Returns a function that reads it once the program has ended.
 */
export const follow = (fd: number, kept: OutputBuffer): () => void => {
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
