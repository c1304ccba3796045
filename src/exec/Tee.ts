/** Passes a program's output on to one of our own descriptors while it runs. The reader of ours may be slow or gone. */
import * as Fs from "node:fs"
import * as Libc from "./Libc.ts"
import type { OutputBuffer } from "./OutputBuffer.ts"

const { O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/**
 * Reopens a descriptor as non-blocking, if possible. Other processes share the open file, so its own flags must stay as
 * they are. A socket cannot be reopened.
 */
const open = (fd: number): number => {
  try {
    return Fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK)
  } catch {
    return fd
  }
}

/** Writes bytes as fast as the reader takes them. */
export class Tee {
  private readonly fd: number
  private rest: Uint8Array = new Uint8Array()
  /** Whether writing has failed, because the reader is gone. */
  isBroken = false

  constructor(fd: number) {
    this.fd = open(fd)
  }

  /** Accepts bytes. Call it only after {@link flush} returned true, and do not change the bytes afterwards. */
  put(bytes: Uint8Array): void {
    this.rest = bytes
    this.flush()
  }

  /** Writes what the reader takes now. Returns false if bytes are left. */
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

/** How a foreground program writes stdout or stderr. */
export type Route =
  /** To a pipe, from which we copy. */
  | "copied"
  /** Directly to our file, because only then does it notice a full disk. For the log, we read the file afterwards. */
  | "file"
  /** Directly to our descriptor, because only then does it see write errors: a device, or a pipe without a reader. */
  | "direct"
  /** Not at all, because ours was closed when we were started. */
  | "closed"

/** The major numbers of terminals and pseudo-terminals. Source: Linux, `admin-guide/devices.txt`. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 136 && major <= 143)

/** /dev/null, which accepts all writes. */
const nullDevice = 0x103

/** Chooses the route to one of our descriptors. */
export const routeOf = (fd: number): Route => {
  const libc = Libc.load()
  if (libc?.wasClosed(fd) === true) return "closed"
  try {
    const stat = Fs.fstatSync(fd)
    if (stat.isFile()) return "file"
    if (libc?.isWritable(fd) === false) return "direct"
    const acceptsAll = !stat.isCharacterDevice() || stat.rdev === nullDevice || isTerminal((stat.rdev >> 8) & 0xfff)
    return acceptsAll ? "copied" : "direct"
  } catch {
    return "direct"
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

/** Captures what is appended to our file from now on. The returned function reads it, once the program has ended. */
export const captureAppended = (fd: number, buffer: OutputBuffer): () => void => {
  const start = positionOf(fd)
  return () => {
    const end = positionOf(fd)
    try {
      if (start === undefined || end === undefined || end <= start) return
      const reader = Fs.openSync(`/proc/self/fd/${fd}`, O_RDONLY)
      try {
        const bytes = Buffer.alloc(Math.min(end - start, buffer.limit + 1))
        buffer.take(bytes.subarray(0, Fs.readSync(reader, bytes, 0, bytes.length, start)))
      } finally {
        Fs.closeSync(reader)
      }
    } catch { /* the file may be writable but not readable */ }
  }
}
