/** The definition of a kind of sink. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Environment } from "../cni/Environment.ts"
import { LogSink, type Writer } from "./LogSink.ts"

/** A kind of sink: its fields in a network configuration, their defaults, and its writer. */
export interface Kind<Fields extends object, R> {
  /** A function, because most configurations use only a few kinds. */
  readonly fields: () => Schema.Codec<Fields & { readonly type: string }>
  /** Fills in the defaults. */
  readonly complete: (fields: Fields) => Required<Fields>
  /** Opens the writer for one run. `logTimeout` is in milliseconds; 0 means no limit. */
  readonly open: (
    target: Required<Fields>,
    environment: Environment,
    logTimeout: number
  ) => Effect.Effect<Writer, never, R>
}

/** A {@link LogSink} with one fixed sink, whatever the network configurations say. */
export const layer = <Fields extends object, R>(
  { complete, open }: Kind<Fields, R>,
  fields: Fields
): Layer.Layer<LogSink, never, R> =>
  Layer.effect(
    LogSink,
    Effect.map(Effect.context<R>(), (context) =>
      LogSink.of({
        open: ({ environment, logTimeout }) =>
          Effect.provideContext(open(complete(fields), environment, logTimeout), context)
      }))
  )
