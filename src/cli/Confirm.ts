/** Asks yes or no on the terminal. Fails if stdin is not one. */
import * as Prompt from "effect/cli/Prompt"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** There is no terminal on which to ask for confirmation. */
export class NobodyToAsk extends Data.TaggedError("NobodyToAsk") {
  override readonly message = "cannot ask for confirmation, because stdin is not a terminal: give --yes"
}

/** Asks a question. Returns false for no, and for Ctrl-C. Fails if stdin is not a terminal. */
export const ask = Effect.fnUntraced(function*(message: string) {
  if (process.stdin.isTTY !== true) return yield* new NobodyToAsk()
  return yield* Effect.orElseSucceed(Prompt.run(Prompt.Confirm({ message })), () => false)
})
