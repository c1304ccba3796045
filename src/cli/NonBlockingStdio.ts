/**
 * stdout and stderr for a command that must keep working while its reader stalls, such as a blocked pipe or a terminal
 * after Ctrl-S. Node.js writes to terminals synchronously, which would hold up signals and timers. Pipes and terminals
 * are therefore reopened with O_NONBLOCK; anything else uses the streams of the process.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as PlatformError from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Fs from "node:fs"
import * as Util from "node:util"
import * as Print from "./Print.ts"

/** The time between attempts to write to a slow reader, in milliseconds. */
const pauseMs = 50

/** The most bytes to buffer for a slow reader. Further output is dropped. */
const limit = 1_048_576

/** How long to wait for a slow reader before exiting, in milliseconds. */
const patienceMs = 2000

type Written = (error?: Error) => void

/** Writes to a non-blocking descriptor, in order. */
class Lane {
  private readonly waiting: Array<{ bytes: Buffer; readonly written: Written }> = []
  private length = 0
  private timer: NodeJS.Timeout | undefined
  private readonly fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  write(text: string | Uint8Array, written: Written = () => {}): void {
    const bytes = Buffer.from(text as string)
    if (this.length + bytes.length > limit && !this.isEmpty) return written()
    this.length += bytes.length
    this.waiting.push({ bytes, written })
    if (this.timer === undefined) this.drain()
  }

  /** Drops the buffered output. */
  close(): void {
    clearTimeout(this.timer)
    for (const { written } of this.waiting.splice(0)) written()
    Fs.closeSync(this.fd)
  }

  private drain(): void {
    this.timer = undefined
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      try {
        const count = Fs.writeSync(this.fd, first.bytes)
        this.length -= count
        first.bytes = first.bytes.subarray(count)
        if (first.bytes.length > 0) continue
        this.waiting.shift()
        first.written()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
          this.timer = setTimeout(() => this.drain(), pauseMs)
          return
        }
        this.length -= first.bytes.length
        this.waiting.shift()
        first.written(error as Error)
      }
    }
  }
}

/** A lane to a pipe or a terminal. Undefined for anything else, or if it cannot be reopened. */
const open = (fd: number): Lane | undefined => {
  try {
    const info = Fs.fstatSync(fd)
    if (!info.isFIFO() && !info.isCharacterDevice()) return undefined
    const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = Fs.constants
    return new Lane(Fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY))
  } catch {
    return undefined
  }
}

/** A sink that waits for each piece to be written. Interrupting the wait does not drop the piece. */
const sinkOf = (lane: Lane): Sink.Sink<void, string | Uint8Array, never, PlatformError.PlatformError> =>
  Sink.forEach((text) =>
    Effect.callback<void, PlatformError.PlatformError>((resume) =>
      lane.write(text, (cause) =>
        resume(
          cause === undefined
            ? Effect.void
            : Effect.fail(PlatformError.systemError({ _tag: "Unknown", module: "Stdio", method: "write", cause }))
        ))
    )
  )

/** Waits a short time for all output to be written. Returns whether it was. */
const settle = Effect.fnUntraced(function*(lanes: ReadonlyArray<Lane>) {
  const isWritten = () => lanes.every(({ isEmpty }) => isEmpty) && process.stdout.writableLength === 0
  for (let waited = 0; waited < patienceMs && !isWritten(); waited += pauseMs) yield* Effect.sleep(pauseMs)
  return isWritten()
})

/**
 * Runs a command that never waits for the reader of its output. If output is left once the command has ended, `abandon`
 * ends the process without it.
 */
export const provide = Effect.fnUntraced(
  function*<A, E, R>(command: Effect.Effect<A, E, R>, abandon: (isSuccess: boolean) => void) {
    const [stdout, stderr] = [open(1), open(2)]
    const [stdio, console] = [yield* Stdio.Stdio, yield* Console.Console]
    const ownStdio: Stdio.Stdio = {
      ...stdio,
      ...(stdout === undefined ? {} : { stdout: () => sinkOf(stdout) }),
      ...(stderr === undefined ? {} : { stderr: () => sinkOf(stderr) })
    }
    const ownConsole: Console.Console = Object.assign(
      Object.create(console),
      stdout === undefined
        ? {}
        : { log: (...values: ReadonlyArray<unknown>) => stdout.write(`${Util.format(...values)}\n`) },
      stderr === undefined
        ? {}
        : { error: (...values: ReadonlyArray<unknown>) => stderr.write(`${Print.forStderr(...values)}\n`) }
    )
    const exit = yield* Effect.exit(command).pipe(
      Effect.provideService(Stdio.Stdio, ownStdio),
      Effect.provideService(Console.Console, ownConsole)
    )
    const lanes = [stdout, stderr].filter((lane) => lane !== undefined)
    const isWritten = yield* settle(lanes)
    for (const lane of lanes) lane.close()
    if (!isWritten) abandon(exit._tag === "Success")
    return yield* exit
  }
)
