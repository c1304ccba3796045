/** What each kind of sink is made of. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Environment } from "../cni/Environment.ts"
import { LogSink, type Writer } from "./LogSink.ts"

/** A kind of sink: the fields that name one in a network configuration, their defaults, and its writer. */
export interface Kind<Fields extends object, R> {
  /** Made when it is asked for, as few configurations name a sink of each kind. */
  readonly fields: () => Schema.Codec<Fields & { readonly type: string }>
  /** Fills in the defaults of all fields that are left out. */
  readonly complete: (fields: Fields) => Required<Fields>
  /** The writer of a sink for the records of a run in this environment. */
  readonly open: (
    target: Required<Fields>,
    environment: Environment,
    logTimeout: number
  ) => Effect.Effect<Writer, never, R>
}

/** One sink for the records of all runs, whatever their network configuration says. */
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
