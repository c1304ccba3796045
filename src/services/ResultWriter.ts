import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { StdoutUnwritable } from "../cni/CniError.ts"
import * as escape from "../record/escape.ts"
import * as descriptor from "./descriptor.ts"

/** Answers the runtime, and tells people what the runtime is not told. */
export class ResultWriter extends Context.Service<ResultWriter, {
  /** Writes the one JSON document that goes to stdout. */
  readonly write: (document: string) => Effect.Effect<void, StdoutUnwritable>
  /** Writes lines to stderr. Where that is closed nobody is listening: no failure. */
  readonly notice: (text: string) => Effect.Effect<void>
}>()("cni-passthrough/ResultWriter") {
  /** Writes to stdout and stderr of this process. */
  static readonly live = ResultWriter.of({
    write: (document) =>
      Effect.mapError(descriptor.write(1, document), (error) => new StdoutUnwritable({ reason: error.message })),
    notice: (text) => Effect.ignore(descriptor.write(2, `${escape.inLines(text)}\n`))
  })
}
