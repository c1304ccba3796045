/** Reads all of this process's stdin, which may be a file, a pipe, a socket or a terminal. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../cni/CniError.ts"
import type { Unfinished } from "./StdinReader.ts"

const unreadable = (error: unknown): StdinUnreadable => new StdinUnreadable({ reason: (error as Error).message })

const chunkSize = 65_536

/**
 * Returns a descriptor of stdin that never blocks: stdin itself for a file, or a pipe reopened as non-blocking.
 * Reopening loses nothing, because both descriptors read from the same buffer. Returns undefined for other kinds.
 */
const openNonBlocking = (stat: Fs.Stats): number | undefined => {
  if (!stat.isFIFO()) return stat.isFile() ? 0 : undefined
  try {
    return Fs.openSync("/proc/self/fd/0", Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** Reads what is available. Returns the number of bytes: 0 at the end, undefined if nothing has arrived yet. */
const readAvailable = (fd: number, buffer: Buffer, offset: number): number | undefined => {
  try {
    return Fs.readSync(fd, buffer, offset, buffer.length - offset, null)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
    throw error
  }
}

/** The bytes that have arrived from a file or a pipe. */
class Arrived {
  private readonly fd: number
  private readonly most: number
  private buffer: Buffer
  length = 0

  constructor(fd: number, size: number, most: number) {
    this.fd = fd
    this.most = most
    const known = Math.min(size, most) + 1 // one more byte, to reach the end without growing the buffer
    this.buffer = Buffer.allocUnsafe(Math.max(chunkSize, known))
  }

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** Whether there are more bytes than the limit. */
  get isTooLarge(): boolean {
    return this.length > this.most
  }

  /** Reads what is available. Returns the whole document at its end, and undefined before that. */
  read(): Uint8Array | undefined {
    while (!this.isTooLarge) {
      if (this.length === this.buffer.length) this.buffer = Buffer.concat([this.buffer], 2 * this.length)
      const count = readAvailable(this.fd, this.buffer, this.length)
      if (count === undefined) return undefined
      if (count === 0) return this.bytes
      this.length += count
    }
    return undefined
  }

  /** Reads what follows, see `moreStdin` of `Execution.Invocation`. */
  next(): Uint8Array | undefined {
    const chunk = Buffer.allocUnsafe(chunkSize)
    const count = readAvailable(this.fd, chunk, 0)
    return count === 0 ? undefined : chunk.subarray(0, count ?? 0)
  }
}

const attempt = <A>(io: () => A) => Effect.try({ try: io, catch: unreadable })

/** The time between polls of a pipe, in milliseconds. */
const pause = { shortest: 0.2, longest: 10 }

/** A stdin that arrives over time. */
interface Stream {
  /** The whole stdin, or undefined if it is too large. */
  readonly all: Effect.Effect<Uint8Array | undefined, StdinUnreadable>
  /** Returns the bytes that have arrived, and a way to read the rest. */
  readonly soFar: () => Unfinished
}

const pipe = (arrived: Arrived): Stream => ({
  all: Effect.gen(function*() {
    let wait = pause.shortest
    while (!arrived.isTooLarge) {
      yield* Effect.sleep(wait)
      const before = arrived.length
      const whole = yield* attempt(() => arrived.read())
      if (whole !== undefined) return whole
      wait = arrived.length > before ? pause.shortest : Math.min(wait * 2, pause.longest)
    }
    return undefined
  }),
  soFar: () => ({ begun: arrived.bytes, next: () => arrived.next() })
})

/**
 * Reads a socket or a terminal piece by piece. `onChunk` gets undefined at the end. Returns a function that requests
 * the next piece.
 */
const readSocket = (
  onChunk: (chunk: Uint8Array | undefined) => void,
  onError: (error: unknown) => void
): () => void => {
  if (process.versions["bun"] === undefined) {
    const { stdin } = process
    stdin.on("data", (chunk: Uint8Array) => {
      stdin.pause()
      onChunk(chunk)
    }).on("end", () => onChunk(undefined)).on("error", onError)
    return () => void stdin.resume()
  }
  return () =>
    Fs.read(0, Buffer.allocUnsafe(chunkSize), 0, chunkSize, null, (error, count, buffer) => {
      if (error === null) onChunk(count === 0 ? undefined : buffer.subarray(0, count))
      else onError(error)
    })
}

/**
 * Reads a socket or a terminal. Under Node.js, a thread that is blocked in `read` would prevent the process from
 * exiting, so it uses a stream, which takes 3 ms to load. Bun's streams are as slow, but its threads do not block the
 * exit. Runtimes use pipes, so this is rare.
 */
const socket = (most: number): Stream => {
  let chunks: Array<Uint8Array> = []
  let isOver = false
  let wantsMore = () => {}
  const soFar = () => ({
    begun: Buffer.concat(chunks.splice(0)),
    next: () => {
      const chunk = chunks.shift()
      if (chunk === undefined) wantsMore()
      return chunk ?? (isOver ? undefined : new Uint8Array())
    }
  })
  const all = Effect.callback<Uint8Array | undefined, StdinUnreadable>((resume) => {
    let length = 0
    let isAsked = true
    const ask = readSocket((chunk) => {
      isAsked = false
      isOver ||= chunk === undefined
      if (chunk !== undefined) chunks.push(chunk)
      length += chunk?.length ?? 0
      if (chunk === undefined) resume(Effect.succeed(Buffer.concat(chunks)))
      else if (length > most) resume(Effect.undefined)
      else wantsMore()
    }, (error) => {
      isOver = true
      resume(Effect.fail(unreadable(error)))
    })
    wantsMore = () => {
      if (isAsked || isOver) return
      isAsked = true
      ask()
    }
    ask()
  })
  return { all, soFar }
}

/** The limits of a reader. */
export interface Limits {
  /** How long to wait for the end of stdin, in seconds. 0 means no limit. */
  readonly seconds: number
  /** How much to read, in bytes. */
  readonly most: number
  /** Handles a stdin that is too large or not closed in time. */
  readonly orElse: (soFar: Unfinished, reason: string) => Effect.Effect<Uint8Array, StdinUnreadable>
}

/** Reads all of stdin. Most documents are complete at once, so only the others wait for events. */
export const readAll = Effect.fnUntraced(function*({ most, orElse, seconds }: Limits) {
  const stat = yield* attempt(() => Fs.fstatSync(0))
  const fd = openNonBlocking(stat)
  const arrived = fd === undefined ? undefined : new Arrived(fd, stat.size, most)
  const whole = arrived === undefined ? undefined : yield* attempt(() => arrived.read())
  if (whole !== undefined) return whole
  const { all, soFar } = arrived === undefined ? socket(most) : pipe(arrived)
  const enough = Effect.flatMap(all, (bytes) =>
    bytes === undefined
      ? Effect.suspend(() => orElse(soFar(), `it is larger than ${most / 1_048_576} MiB`))
      : Effect.succeed(bytes))
  if (seconds === 0) return yield* enough
  return yield* Effect.timeoutOrElse(enough, {
    duration: seconds * 1000,
    orElse: () => orElse(soFar(), `it was not closed within ${seconds} s`)
  })
})
