import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../cni/CniError.ts"

/** How long a runtime may take to hand over the document and to close stdin, in seconds. */
export const patience = 30

const unreadable = (error: unknown): StdinUnreadable => new StdinUnreadable({ reason: (error as Error).message })

const chunkSize = 65_536

/**
 * A descriptor of stdin that never keeps us waiting, where there is one: a file, or a pipe opened once more. Of what
 * comes by a pipe nothing is lost by that, for both descriptors take from the same.
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

const impatient = () => Effect.fail(new StdinUnreadable({ reason: `it was not closed within ${patience} s` }))

/** Waits for what comes next, and reads it. 0 at the end. */
const readNext = (buffer: Buffer, offset: number): Effect.Effect<number, StdinUnreadable> =>
  Effect.callback((resume) => {
    Fs.read(
      0,
      buffer,
      offset,
      buffer.length - offset,
      null,
      (error, count) => resume(error === null ? Effect.succeed(count) : Effect.fail(unreadable(error)))
    )
  })

// A stream would take as long as all the rest of a run, and waiting takes a thread: most documents are there at once.
const readAll = Effect.fnUntraced(function*() {
  const attempt = <A>(io: () => A) => Effect.try({ try: io, catch: unreadable })
  const stat = yield* attempt(() => Fs.fstatSync(0))
  const fd = openAtOnce(stat)
  let buffer = Buffer.allocUnsafe(Math.max(chunkSize, stat.size + 1)) // one more, to see the end without growing
  let length = 0
  const deadline = (yield* Clock.currentTimeMillis) + patience * 1000
  while (true) {
    if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length)
    const there = fd === undefined ? undefined : yield* attempt(() => readAtOnce(fd, buffer, length))
    const count = there ?? (yield* Effect.timeoutOrElse(readNext(buffer, length), {
      duration: deadline - (yield* Clock.currentTimeMillis),
      orElse: impatient
    }))
    if (count === 0) return buffer.subarray(0, length)
    length += count
  }
})

/** Reads the network configuration. */
export class StdinReader extends Context.Service<StdinReader, {
  /** All of stdin. Fails with code 5 where it cannot be read, or is not closed in time. */
  readonly read: Effect.Effect<Uint8Array, StdinUnreadable>
}>()("cni-passthrough/StdinReader") {
  /** Reads the stdin of this process, for {@link patience} seconds at most. */
  static readonly live = StdinReader.of({ read: Effect.suspend(readAll) })
}
