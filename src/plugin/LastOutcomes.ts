/**
 * Remembers how STATUS and VERSION ended the last time that the log was told. Runtimes ask both every few seconds, and
 * mostly get the same answer.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * The last outcomes of the plugin that we wrap. A question is an operation and its network. An answer is what the
 * records of the run say, without what differs each time.
 */
export interface LastOutcomes {
  /** Whether this is what the log was told last, not long ago. */
  readonly isTold: (question: string, answer: string) => Effect.Effect<boolean>
  /** Remembers what the log has been told. */
  readonly remember: (question: string, answer: string) => Effect.Effect<void>
  /** Forgets what the log was told, before it is told something else. */
  readonly forget: (question: string) => Effect.Effect<void>
}

/** The last outcomes of the plugin that we wrap. Default: nothing is remembered, so that every run is logged. */
export const LastOutcomes = Context.Reference<LastOutcomes | undefined>("cni-passthrough/LastOutcomes", {
  defaultValue: () => undefined
})
