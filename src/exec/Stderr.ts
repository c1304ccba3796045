/** Writes to the stderr of this process, which may have a slow reader or none. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Descriptor from "./Descriptor.ts"

/**
 * Opens stderr again as non-blocking, so that the flags of the original, which other processes share, stay as they are.
 * Returns undefined for a socket, which cannot be reopened. A file needs no second descriptor: writing never blocks,
 * and must use the shared file offset.
 */
const open = (): number | undefined => {
  try {
    if (Fs.fstatSync(2).isFile()) return 2
    return Fs.openSync("/proc/self/fd/2", Fs.constants.O_WRONLY | Fs.constants.O_APPEND | Fs.constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

let socket: NodeJS.WritableStream | undefined

/**
 * Under Node.js, a thread that is blocked in `write` would prevent the process from exiting, so use a stream. Under
 * Bun, the stream never writes, so use `write`.
 */
const writeToSocket = (text: string): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const done = (error?: Error | null) => resume(error ? Effect.fail(error) : Effect.void)
    if (process.versions["bun"] !== undefined) {
      Fs.write(2, text, done)
      return
    }
    const { Socket } = process.getBuiltinModule("node:net")
    socket ??= new Socket({ fd: 2, readable: false, writable: true }).on("error", () => {}).unref()
    socket.write(text, done)
  })

/** Writes a whole text. Waits for the reader without a limit. */
export const write = (text: string): Effect.Effect<void, Error> =>
  Effect.suspend(() => {
    const fd = open()
    return fd === undefined
      ? writeToSocket(text)
      : Effect.ensuring(Descriptor.write(fd, text), Effect.sync(() => fd === 2 || Fs.closeSync(fd)))
  })

/** How long a notice may wait for its reader, in milliseconds. */
const noticeTimeout = 100

/** Writes a message for people. Drops the rest if it is not read in time. */
export const notice = (text: string): Effect.Effect<void> => Effect.ignore(Effect.timeout(write(text), noticeTimeout))
