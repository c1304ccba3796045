import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StdinUnreadable } from "../cni/CniError.ts"

/** A stdin whose end has not come yet. */
export interface Unfinished {
  /** What has come so far. */
  readonly begun: Uint8Array
  /** What comes after it, see `Execution.Invocation`. */
  readonly next: () => Uint8Array | undefined
}

/** Reads the network configuration. */
export class StdinReader extends Context.Service<StdinReader, {
  /** All of stdin. Fails with code 5 where it cannot be read, or is not closed in time. */
  readonly read: Effect.Effect<Uint8Array, StdinUnreadable>
}>()("cni-passthrough/StdinReader") {}
