/** Prints to stdout, and notices where that does not go well. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** What is to be printed cannot be written: a full disk, for instance. */
export class NotPrinted extends Data.TaggedError("NotPrinted")<{ readonly reason: string; readonly cause: unknown }> {
  override readonly message = `cannot write to stdout: ${this.reason}`
}

/** Nobody reads stdout any more. */
class ReaderGone extends Data.TaggedError("ReaderGone") {}

const explain = (error: Error): NotPrinted | ReaderGone => {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  return cause.code === "EPIPE" ? new ReaderGone() : new NotPrinted({ reason: cause.message, cause: error })
}

/**
 * Waits until all is written. To end stdout would say as much, but where it is a socket that other processes have too,
 * as in a script that Node.js started, it would end for all of them.
 */
const written = Effect.callback<void, NotPrinted | ReaderGone>((resume) => {
  process.stdout.write("", (error) => resume(error ? Effect.fail(explain(error)) : Effect.void))
})

/** Prints texts as they come. Where nobody reads any more, as after `| head`, the rest is dropped. */
export const all = Effect.fnUntraced(function*<E, R>(texts: Stream.Stream<string, E, R>) {
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(texts, Sink.mapError(stdio.stdout({ endOnDone: false }), explain)).pipe(
    Effect.andThen(written),
    Effect.catchIf((error) => error instanceof ReaderGone, () => Effect.void)
  )
})
