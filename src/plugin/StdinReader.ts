/** The service that reads the network configuration. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StdinUnreadable } from "../cni/CniError.ts"

/** A stdin that is still arriving. */
export interface Unfinished {
  /** The bytes that have arrived. */
  readonly begun: Uint8Array
  /** Reads the rest, see `Execution.Invocation`. */
  readonly next: () => Uint8Array | undefined
}

/** Reads the network configuration from stdin. */
export class StdinReader extends Context.Service<StdinReader, {
  /** All of stdin. Fails with code 5 if it cannot be read or is not closed in time. */
  readonly read: Effect.Effect<Uint8Array, StdinUnreadable>
}>()("cni-passthrough/StdinReader") {}
