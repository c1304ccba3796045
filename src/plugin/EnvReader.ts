import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Environment } from "../cni/Environment.ts"

/** What the process was started with. */
export class EnvReader extends Context.Service<EnvReader, {
  /** The parameters of the request. */
  readonly read: Effect.Effect<Environment>
  /** What a person typed after the name of the plugin. Runtimes pass nothing. */
  readonly arguments: Effect.Effect<ReadonlyArray<string>>
  /** Whether `netns` is the network namespace of this process. One that cannot be opened is not. */
  readonly isOwnNamespace: (netns: string) => Effect.Effect<boolean>
}>()("cni-passthrough/EnvReader") {}
