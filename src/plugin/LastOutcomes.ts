/**
 * Remembers how the last logged STATUS ended. Runtimes ask for it every few seconds, and mostly get the same answer.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * The last outcomes of the plugin that we wrap. A question is a network. An answer is what the
 * records of the run say, without what differs each time.
 */
export interface LastOutcomes {
  /** Whether the last logged run, if it is recent, had this answer. */
  readonly isTold: (question: string, answer: string) => Effect.Effect<boolean>
  /** Remembers the answer of a run that was logged. */
  readonly remember: (question: string, answer: string) => Effect.Effect<void>
  /** Forgets the last answer, before another one is logged. */
  readonly forget: (question: string) => Effect.Effect<void>
}

/** The last outcomes of the plugin that we wrap. Default: nothing is remembered, so that every run is logged. */
export const LastOutcomes = Context.Reference<LastOutcomes | undefined>("cni-passthrough/LastOutcomes", {
  defaultValue: () => undefined
})
