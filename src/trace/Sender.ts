/** Sends packets from a network namespace: our own executable in it, which asks as {@link Probe} does. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as HeldProcess from "../exec/HeldProcess.ts"
import * as Json from "../json/Json.ts"
import * as Probe from "./Probe.ts"

/** The sender could not be started, or ended too early. */
export class CannotSend extends Data.TaggedError("CannotSend")<{ readonly reason: string }> {
  override readonly message = `cannot send from the network namespace: ${this.reason}`
}

const decode = Schema.decodeUnknownOption(Probe.Answer)

/** Starts the sender. It lives as long as the scope. */
export const start = Effect.fnUntraced(function*(
  executable: readonly [program: string, ...args: ReadonlyArray<string>],
  netns: string | undefined
) {
  const process = yield* Effect.mapError(
    HeldProcess.start({ argv: executable, netns }),
    ({ program, reason }) => new CannotSend({ reason: `${program}: ${reason}` })
  )
  const next = Effect.gen(function*() {
    const output = yield* Queue.take(process.output)
    if (output._tag === "Exit") return yield* new CannotSend({ reason: `it ended with status ${output.exitCode}` })
    if (output._tag === "Complaint") return yield* new CannotSend({ reason: output.line })
    return output.line
  })
  // The time to wait for an answer begins when it can send.
  yield* Effect.repeat(next, { until: (line) => line === Probe.ready })
  /** Sends one packet, or opens one connection. */
  const ask = Effect.fnUntraced(function*(question: Probe.Question) {
    yield* process.write(`${JSON.stringify(question)}\n`)
    while (true) {
      const answer = decode(Json.parse(yield* next))
      if (Option.isSome(answer)) return answer.value
    }
  })
  return { ask }
})
