/** The stderr of this process. It may have no reader, so nothing here waits longer than its limit. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Descriptor from "./Descriptor.ts"

/**
 * A descriptor of stderr whose writes do not wait, where there is one: a socket cannot be opened once more. Other
 * processes share the descriptor that we were started with, so that one stays as it is. A file never waits, and has to
 * be written where the others write.
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

/** Under Node.js a thread that waits in `write` keeps the process from ending, under Bun a stream never writes. */
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

/** Writes all of a text, and waits as long as that takes. */
export const write = (text: string): Effect.Effect<void, Error> =>
  Effect.suspend(() => {
    const fd = open()
    return fd === undefined
      ? writeToSocket(text)
      : Effect.ensuring(Descriptor.write(fd, text), Effect.sync(() => fd === 2 || Fs.closeSync(fd)))
  })

/** How long a notice may wait for a reader, in milliseconds. */
const patience = 100

/** Writes a text for people, as far as they read it: the rest is dropped. */
export const notice = (text: string): Effect.Effect<void> => Effect.ignore(Effect.timeout(write(text), patience))
