/** Prints to stdout, and notices where that does not go well. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { PlatformError } from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** What is to be printed cannot be written: a full disk, for instance. */
export class NotPrinted extends Data.TaggedError("NotPrinted")<{ readonly reason: string; readonly cause: unknown }> {
  override readonly message = `cannot write to stdout: ${this.reason}`
}

/** Nobody reads stdout any more. */
class ReaderGone extends Data.TaggedError("ReaderGone") {}

const explain = (error: PlatformError): NotPrinted | ReaderGone => {
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return cause?.code === "EPIPE"
    ? new ReaderGone()
    : new NotPrinted({ reason: cause?.message ?? error.message, cause: error })
}

/**
 * Prints texts as they come, and ends stdout after the last one, so that no failure is missed. Where nobody reads any
 * more, as after `| head`, the rest is dropped.
 */
export const all = Effect.fnUntraced(function*<E, R>(texts: Stream.Stream<string, E, R>) {
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(texts, Sink.mapError(stdio.stdout({ endOnDone: true }), explain)).pipe(
    Effect.catchIf((error) => error instanceof ReaderGone, () => Effect.void)
  )
})
