/**
 * Sends messages with `logger` of util-linux, because neither Bun nor Node.js supports Unix datagram sockets. `logger`
 * is on practically every host, and takes 2 ms for a message.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as Summary from "../record/Summary.ts"

/** `logger` could not be started, or could not send a message. */
export class NotSent extends Data.TaggedError("NotSent")<{ readonly reason: string; readonly cause?: unknown }> {
  override readonly message = this.reason
}

const missing = "there is no `logger` on PATH: install util-linux (on Debian and Ubuntu the package bsdutils)"

/** Runs `logger` with these options and this stdin. Fails with its error message. */
export const send = Effect.fnUntraced(function*(
  options: ReadonlyArray<string>,
  stdin: string
) {
  const execution = yield* HostTools.run({
    argv: ["logger", ...options],
    stdin
  }).pipe(
    Effect.mapError((cause) => new NotSent({ reason: cause.code === "ENOENT" ? missing : cause.message, cause }))
  )
  // `logger` exits with 0 even if it could not send a message.
  const complaint = Execution.text(execution.stderr).trim()
  if (!Execution.succeeded(execution) || complaint !== "") {
    return yield* new NotSent({ reason: complaint || `logger ended with ${Summary.ending(execution)}` })
  }
})
