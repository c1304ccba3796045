import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../../cni/CniError.ts"
import { StdinReader } from "../StdinReader.ts"

/** How long a runtime may take to hand over the document and to close stdin, in seconds. */
export const patience = 30

const unreadable = (error: unknown): StdinUnreadable => new StdinUnreadable({ reason: (error as Error).message })

const chunkSize = 65_536

/** How large a document may be, in bytes. Real ones have kilobytes, and the engines have their own limits. */
const largest = 256 * 1_048_576

const tooLarge = `it is larger than ${largest / 1_048_576} MiB`

/**
 * A descriptor of stdin that never keeps us waiting, where there is one: a file, or a pipe opened once more. Nothing
 * is lost: both descriptors of a pipe read from the same buffer.
 */
const openAtOnce = (stat: Fs.Stats): number | undefined => {
  if (!stat.isFIFO()) return stat.isFile() ? 0 : undefined
  try {
    return Fs.openSync("/proc/self/fd/0", Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** Reads what is there. 0 at the end, undefined where nothing has come yet. */
const readAtOnce = (fd: number, buffer: Buffer, offset: number): number | undefined => {
  try {
    return Fs.readSync(fd, buffer, offset, buffer.length - offset, null)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
    throw error
  }
}

/** What has come so far from a file or a pipe, and whether that is all. */
class Arrived {
  private readonly fd: number
  private buffer: Buffer
  length = 0

  constructor(fd: number, size: number) {
    this.fd = fd
    const known = Math.min(size, largest) + 1 // one more, to see the end without growing
    this.buffer = Buffer.allocUnsafe(Math.max(chunkSize, known))
  }

  /** Reads what is there. The whole document, once it has come to its end. */
  read(): Uint8Array | undefined {
    while (true) {
      if (this.length === this.buffer.length) this.buffer = Buffer.concat([this.buffer], 2 * this.length)
      const count = readAtOnce(this.fd, this.buffer, this.length)
      if (count === undefined) return undefined
      if (count === 0) return this.buffer.subarray(0, this.length)
      this.length += count
      if (this.length > largest) throw new Error(tooLarge)
    }
  }
}

const attempt = <A>(io: () => A) => Effect.try({ try: io, catch: unreadable })

/** How long to wait before the next look at a pipe, in milliseconds. */
const pause = { shortest: 0.2, longest: 10 }

const waitFor = Effect.fnUntraced(function*(arrived: Arrived) {
  let wait = pause.shortest
  while (true) {
    yield* Effect.sleep(wait)
    const before = arrived.length
    const whole = yield* attempt(() => arrived.read())
    if (whole !== undefined) return whole
    wait = arrived.length > before ? pause.shortest : Math.min(wait * 2, pause.longest)
  }
})

/**
 * All of a socket or a terminal. Under Node.js, a thread that waits in `read` would keep the process from ending, and a
 * stream takes 3 ms; Bun's streams take as long, but its threads do not hold it. Runtimes hand over pipes.
 */
const readStream: Effect.Effect<Uint8Array, StdinUnreadable> = Effect.callback((resume) => {
  const chunks: Array<Uint8Array> = []
  let length = 0
  const take = (chunk: Uint8Array) => {
    length += chunk.length
    if (length > largest) fail(new Error(tooLarge))
    else chunks.push(chunk)
  }
  const end = () => resume(Effect.succeed(Buffer.concat(chunks)))
  const fail = (error: unknown) => resume(Effect.fail(unreadable(error)))
  if (process.versions["bun"] === undefined) {
    process.stdin.on("data", take).on("end", end).on("error", fail)
    return
  }
  const next = () =>
    Fs.read(0, Buffer.allocUnsafe(chunkSize), 0, chunkSize, null, (error, count, buffer) => {
      if (error !== null) return fail(error)
      if (count === 0) return end()
      take(buffer.subarray(0, count))
      if (length <= largest) next()
    })
  next()
})

const impatient = (seconds: number) => new StdinUnreadable({ reason: `it was not closed within ${seconds} s` })

/** Most documents are there at once: only the others are waited for, for so many seconds; for ever where that is 0. */
const readAll = Effect.fnUntraced(function*(seconds: number) {
  const stat = yield* attempt(() => Fs.fstatSync(0))
  const fd = openAtOnce(stat)
  const arrived = fd === undefined ? undefined : new Arrived(fd, stat.size)
  const whole = arrived === undefined ? undefined : yield* attempt(() => arrived.read())
  if (whole !== undefined) return whole
  const rest = arrived === undefined ? readStream : waitFor(arrived)
  if (seconds === 0) return yield* rest
  return yield* Effect.timeoutOrElse(rest, { duration: seconds * 1000, orElse: () => Effect.fail(impatient(seconds)) })
})

/** Reads the stdin of this process, for {@link patience} seconds at most. */
export const stdinReaderLive = StdinReader.of({ read: Effect.suspend(() => readAll(patience)) })

/** How long VERSION, for which plugins need no stdin, waits for it, in seconds. */
const versionPatience = 1

const untouched = new StdinUnreadable({ reason: "it is a terminal" })

/**
 * Reads what a plugin that we stand around gets: as patient as that plugin. What a person would type is left to it, and
 * what does not come for VERSION too.
 */
export const shimStdinReaderLive = StdinReader.of({
  read: Effect.suspend(() =>
    process.getBuiltinModule("node:tty").isatty(0)
      ? Effect.fail(untouched) :
      readAll(process.env["CNI_COMMAND"] === "VERSION" ? versionPatience : 0)
  )
})
