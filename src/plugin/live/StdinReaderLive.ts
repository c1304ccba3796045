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

  /** What has come. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** Reads what is there. The whole document, once it has come to its end. */
  read(): Uint8Array | undefined {
    while (true) {
      if (this.length === this.buffer.length) this.buffer = Buffer.concat([this.buffer], 2 * this.length)
      const count = readAtOnce(this.fd, this.buffer, this.length)
      if (count === undefined) return undefined
      if (count === 0) return this.bytes
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

/** A stdin that comes bit by bit: all of it, and what has come so far. */
interface Stream {
  readonly all: Effect.Effect<Uint8Array, StdinUnreadable>
  readonly soFar: () => Uint8Array
}

const pipe = (arrived: Arrived): Stream => ({ all: waitFor(arrived), soFar: () => arrived.bytes })

/**
 * A socket or a terminal. Under Node.js, a thread that waits in `read` would keep the process from ending, and a
 * stream takes 3 ms; Bun's streams take as long, but its threads do not hold it. Runtimes hand over pipes.
 */
const socket = (): Stream => {
  const chunks: Array<Uint8Array> = []
  const soFar = () => Buffer.concat(chunks)
  const all = Effect.callback<Uint8Array, StdinUnreadable>((resume) => {
    let length = 0
    const take = (chunk: Uint8Array) => {
      length += chunk.length
      if (length > largest) fail(new Error(tooLarge))
      else chunks.push(chunk)
    }
    const end = () => resume(Effect.succeed(soFar()))
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
  return { all, soFar }
}

/** What becomes of a stdin that is not closed in time: what has come of it is handed in. */
type Late = (soFar: Uint8Array) => Effect.Effect<Uint8Array, StdinUnreadable>

/** Most documents are there at once: only the others are waited for, for so many seconds; for ever where that is 0. */
const readAll = Effect.fnUntraced(function*(seconds: number, late: Late) {
  const stat = yield* attempt(() => Fs.fstatSync(0))
  const fd = openAtOnce(stat)
  const arrived = fd === undefined ? undefined : new Arrived(fd, stat.size)
  const whole = arrived === undefined ? undefined : yield* attempt(() => arrived.read())
  if (whole !== undefined) return whole
  const { all, soFar } = arrived === undefined ? socket() : pipe(arrived)
  if (seconds === 0) return yield* all
  return yield* Effect.timeoutOrElse(all, { duration: seconds * 1000, orElse: () => late(soFar()) })
})

const impatient: Late = () => new StdinUnreadable({ reason: `it was not closed within ${patience} s` })

/** Reads the stdin of this process, for {@link patience} seconds at most. */
export const stdinReaderLive = StdinReader.of({ read: Effect.suspend(() => readAll(patience, impatient)) })

/** How long VERSION, for which plugins need no stdin, waits for it, in seconds. */
const versionPatience = 1

const untouched = new StdinUnreadable({ reason: "nothing was read" })

/** The plugin gets what has come. Where that is nothing, it gets our stdin, for which it can wait. */
const goOn: Late = (soFar) => soFar.length > 0 ? Effect.succeed(soFar) : untouched

/** Whether a descriptor is a terminal, or another device but /dev/null: `node:tty` takes 2 ms to load. */
const isDevice = (fd: number): boolean => {
  try {
    const stat = Fs.fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev !== Fs.statSync("/dev/null").rdev
  } catch {
    return false // it is closed, and reading it will say so
  }
}

/**
 * Reads what a plugin that we stand around gets: as patient as that plugin. What a person would type is left to it, and
 * what does not come in time for VERSION too.
 */
export const shimStdinReaderLive = StdinReader.of({
  read: Effect.suspend(() =>
    isDevice(0)
      ? Effect.fail(untouched) :
      readAll(process.env["CNI_COMMAND"] === "VERSION" ? versionPatience : 0, goOn)
  )
})
