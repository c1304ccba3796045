/** The service that answers the runtime. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StdoutUnwritable } from "../cni/CniError.ts"

/** Writes the answer for the runtime and messages for people. */
export class ResultWriter extends Context.Service<ResultWriter, {
  /** Writes the JSON document to stdout. Source: CNI specification, section 2, "Execution Protocol". */
  readonly write: (document: string) => Effect.Effect<void, StdoutUnwritable>
  /** Writes a message to stderr. Never fails, not even if stderr is closed. */
  readonly notice: (text: string) => Effect.Effect<void>
}>()("cni-passthrough/ResultWriter") {}
