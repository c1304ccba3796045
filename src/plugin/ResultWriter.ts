import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StdoutUnwritable } from "../cni/CniError.ts"

/** Answers the runtime, and tells people what the runtime is not told. */
export class ResultWriter extends Context.Service<ResultWriter, {
  /** Writes the one JSON document that goes to stdout. */
  readonly write: (document: string) => Effect.Effect<void, StdoutUnwritable>
  /** Writes lines to stderr. Where that is closed nobody is listening: no failure. */
  readonly notice: (text: string) => Effect.Effect<void>
}>()("cni-passthrough/ResultWriter") {}
