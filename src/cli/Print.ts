/** Prints to stdout, and wraps stderr to the terminal. Ends the command if nothing reads its output any more. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Util from "node:util"
import * as LineWrap from "../render/terminal/LineWrap.ts"
import * as Errors from "./Errors.ts"

/** The output cannot be written, for example because the disk is full. */
export class NotPrinted extends Data.TaggedError("NotPrinted")<{ readonly reason: string; readonly cause: unknown }> {
  override readonly message = `cannot write to stdout: ${this.reason}`
}

/** The reader of stdout is gone. */
class ReaderGone extends Data.TaggedError("ReaderGone") {}

const explain = (error: Error): NotPrinted | ReaderGone => {
  if (error instanceof ReaderGone) return error
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  return cause.code === "EPIPE" ? new ReaderGone() : new NotPrinted({ reason: cause.message, cause: error })
}

/**
 * Waits until all output is written. Ending stdout would do that too, but if other processes share it as a socket, as
 * in a script that Node.js started, it would end for all of them.
 */
const written = Effect.callback<void, NotPrinted | ReaderGone>((resume) => {
  process.stdout.write("", (error) => resume(error ? Effect.fail(explain(error)) : Effect.void))
})

/** Prints texts as they come. If the reader is gone, as after `| head`, drops the rest. */
export const all = Effect.fnUntraced(function*<E, R>(texts: Stream.Stream<string, E, R>) {
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(texts, Sink.mapError(stdio.stdout({ endOnDone: false }), explain)).pipe(
    Effect.andThen(written),
    Effect.catchIf((error) => error instanceof ReaderGone, () => Effect.void)
  )
})

/** Joins texts to pieces that are worth a write. */
export function* batches<A>(values: Iterable<A>, render: (value: A) => string): Generator<string> {
  let batch = ""
  for (const value of values) {
    batch += render(value)
    if (batch.length < 65_536) continue
    yield batch
    batch = ""
  }
  if (batch !== "") yield batch
}

/** Sends an effect's console output for people to stderr, because stdout is for scripts. */
export const toStderr = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Console.Console, (console) => {
    const log = (...values: ReadonlyArray<unknown>) => console.error(...values)
    return Effect.provideService(effect, Console.Console, Object.assign(Object.create(console), { log }))
  })

/** A message for stderr, wrapped to the terminal. */
export const forStderr = (...values: ReadonlyArray<unknown>): string => {
  const { columns, isTTY } = process.stderr
  const text = Util.format(...values)
  return isTTY ? LineWrap.text(text, columns || 80) : text
}

/**
 * Lets a command print without being stopped by a failed write, and fails after it if something was lost. If the reader
 * is gone, drops the rest.
 */
export const guarded = Effect.fnUntraced(function*<A, E, R>(command: Effect.Effect<A, E, R>) {
  let lost: NotPrinted | undefined
  const onError = (error?: Error | null) => {
    const problem = error instanceof NotPrinted || !error ? error : explain(error)
    if (problem instanceof NotPrinted) lost ??= problem
  }
  process.stdout.on("error", onError)
  process.stderr.on("error", () => {})
  // Bun reports an empty write before those that came earlier, so wait for each write.
  let printed = Promise.resolve()
  const print = (text: string) =>
    new Promise<void>((resolve) =>
      process.stdout.write(text, (error) => {
        onError(error)
        resolve()
      })
    )
  const console: Console.Console = Object.assign(Object.create(globalThis.console), {
    log: (...values: ReadonlyArray<unknown>) => {
      const before = printed
      printed = print(`${Util.format(...values)}\n`).then(() => before)
    },
    error: (...values: ReadonlyArray<unknown>) => void process.stderr.write(`${forStderr(...values)}\n`)
  })
  // A command that fails may have printed too, as `doctor` does with its findings.
  const exit = yield* Effect.exit(Effect.provideService(command, Console.Console, console))
  yield* Effect.promise(() => printed)
  yield* Effect.catch(written, (error) => Effect.sync(() => onError(error)))
  if (lost === undefined) return yield* exit
  yield* Console.error(`error: ${lost.message}`)
  return yield* new Errors.Told({ message: lost.message, status: 2, cause: lost })
})
