/**
 * Reads its stdin as the plugin does, or as a wrapped plugin's where the first argument is `shim`, and prints what comes
 * of it. With a second argument its clock stands still, and says what comes after so many milliseconds.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { shimStdin } from "../../../src/plugin/live/ShimStdin.ts"
import { stdinReaderLive } from "../../../src/plugin/live/StdinReaderLive.ts"

const [kind, milliseconds] = process.argv.slice(2)

const shown = (bytes: Uint8Array): string =>
  bytes.length > 100 ? `${bytes.length} bytes` : Buffer.from(bytes).toString("latin1")

const { reader, unfinished } = kind === "shim" ? shimStdin() : { reader: stdinReaderLive, unfinished: () => undefined }

const read = Effect.match(reader.read, {
  onFailure: ({ message }) => ({ failed: message }),
  onSuccess: (bytes) => ({ read: shown(bytes) })
})

const readWithin = Effect.fnUntraced(function*(milliseconds: number) {
  const fiber = yield* Effect.forkChild(read)
  let exit = fiber.pollUnsafe()
  for (let left = milliseconds; exit === undefined && left > 0; left -= 250) {
    yield* TestClock.adjust(Math.min(left, 250))
    // What is on its way to us comes in real time.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
    exit = fiber.pollUnsafe()
  }
  if (exit === undefined) yield* Fiber.interrupt(fiber)
  return exit?._tag === "Success" ? exit.value : { waits: true }
})

const outcome = await Effect.runPromise(
  milliseconds === undefined ? read : Effect.provide(readWithin(Number(milliseconds)), TestClock.layer())
)

const more = unfinished()
const rest: Array<Uint8Array> = []
if (more !== undefined) {
  process.stderr.write("begun\n")
  for (let chunk = more.next(); chunk !== undefined; chunk = more.next()) {
    rest.push(chunk)
    if (chunk.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
process.stdout.write(
  JSON.stringify({ ...outcome, ...(more === undefined ? {} : { rest: shown(Buffer.concat(rest)) }) })
)
process.exit()
