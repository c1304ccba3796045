import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../cni/CniError.ts"

/** How long a runtime may take to hand over the document and to close stdin, in seconds. */
export const patience = 30

const chunkSize = 65_536

/**
 * A descriptor of stdin whose reads do not wait. A stream would need no such care, but costs a third of the start of
 * the whole plugin. Only a pipe can be opened again without moving what has been read of it; anything else is read
 * as it is: files never wait.
 */
const openStdin = (): number => {
  if (!Fs.fstatSync(0).isFIFO()) return 0
  try {
    return Fs.openSync("/proc/self/fd/0", Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
  } catch {
    return 0
  }
}

/** The next bytes, none at the end, or undefined where there are none yet. */
const readChunk = (fd: number): Uint8Array | undefined => {
  const chunk = Buffer.allocUnsafe(chunkSize)
  try {
    return chunk.subarray(0, Fs.readSync(fd, chunk))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
    throw error
  }
}

const readAll = Effect.fnUntraced(function*() {
  const chunks: Array<Uint8Array> = []
  const io = <A>(read: () => A) =>
    Effect.try({ try: read, catch: (error) => new StdinUnreadable({ reason: (error as Error).message }) })
  const fd = yield* io(openStdin)
  const deadline = (yield* Clock.currentTimeMillis) + patience * 1000
  while (true) {
    const chunk = yield* io(() => readChunk(fd))
    if (chunk?.length === 0) return Buffer.concat(chunks)
    if (chunk !== undefined) chunks.push(chunk)
    else if ((yield* Clock.currentTimeMillis) < deadline) yield* Effect.sleep(1)
    else return yield* new StdinUnreadable({ reason: `it was not closed within ${patience} s` })
  }
})

/** Reads the network configuration. */
export class StdinReader extends Context.Service<StdinReader, {
  /** All of stdin. Fails with code 5 where it cannot be read, or is not closed in time. */
  readonly read: Effect.Effect<Uint8Array, StdinUnreadable>
}>()("cni-passthrough/StdinReader") {
  /** Reads the stdin of this process, for {@link patience} seconds at most. */
  static readonly live = StdinReader.of({
    read: readAll()
  })

  /** The live service as a layer. */
  static readonly layer = Layer.succeed(StdinReader, StdinReader.live)
}
