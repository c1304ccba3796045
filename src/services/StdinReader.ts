import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../cni/CniError.ts"

/** How long a runtime may take to hand over the document and to close stdin, in seconds. */
export const patience = 30

const impatient = new StdinUnreadable({ reason: `it was not closed within ${patience} s` })

const unreadable = (error: unknown): StdinUnreadable => new StdinUnreadable({ reason: (error as Error).message })

const chunkSize = 65_536

/** Reads what is there. Undefined where that is nothing yet, 0 at the end. */
const readInto = (fd: number, buffer: Buffer, offset: number): number | undefined => {
  try {
    return Fs.readSync(fd, buffer, offset, buffer.length - offset, null)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
    throw error
  }
}

/** Reads a descriptor to its end. One whose reads do not wait is asked again each millisecond. */
const readAll = Effect.fnUntraced(function*(fd: number, size: number) {
  let buffer = Buffer.allocUnsafe(Math.max(chunkSize, size + 1)) // one more, to see the end without growing
  let length = 0
  const deadline = (yield* Clock.currentTimeMillis) + patience * 1000
  while (true) {
    if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length)
    const count = yield* Effect.try({ try: () => readInto(fd, buffer, length), catch: unreadable })
    if (count === 0) return buffer.subarray(0, length)
    if (count !== undefined) length += count
    else if ((yield* Clock.currentTimeMillis) < deadline) yield* Effect.sleep(1)
    else return yield* impatient
  }
})

/** Reads stdin as a stream. That takes as long as all the rest of a run. */
const readStream = Effect.callback<Uint8Array, StdinUnreadable>((resume) => {
  const chunks: Array<Uint8Array> = []
  const { stdin } = process
  const stop = () => {
    clearTimeout(timer)
    stdin.destroy()
  }
  const end = (outcome: Effect.Effect<Uint8Array, StdinUnreadable>) => {
    stop()
    resume(outcome)
  }
  const timer = setTimeout(() => end(Effect.fail(impatient)), patience * 1000)
  stdin.on("data", (chunk: Buffer) => chunks.push(chunk))
  stdin.on("end", () => end(Effect.succeed(Buffer.concat(chunks))))
  stdin.on("error", (error) => end(Effect.fail(unreadable(error))))
  return Effect.sync(stop)
})

const read = Effect.fnUntraced(function*() {
  const stat = yield* Effect.try({ try: () => Fs.fstatSync(0), catch: unreadable })
  if (stat.isSocket()) return yield* readStream
  if (!stat.isFIFO()) return yield* readAll(0, stat.size) // a file never waits
  // Only a pipe can be opened once more, for reads that do not wait, without its reader losing anything.
  const again = yield* Effect.sync(() => {
    try {
      return Fs.openSync("/proc/self/fd/0", Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
    } catch {
      return 0
    }
  })
  return yield* readAll(again, 0)
})

/** Reads the network configuration. */
export class StdinReader extends Context.Service<StdinReader, {
  /** All of stdin. Fails with code 5 where it cannot be read, or is not closed in time. */
  readonly read: Effect.Effect<Uint8Array, StdinUnreadable>
}>()("cni-passthrough/StdinReader") {
  /** Reads the stdin of this process, for {@link patience} seconds at most. */
  static readonly live = StdinReader.of({ read: Effect.suspend(read) })

  /** The live service as a layer. */
  static readonly layer = Layer.succeed(StdinReader, StdinReader.live)
}
