/** The service that reads the parameters of a request, which the runtime passes in the environment. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Environment } from "../cni/Environment.ts"

/** Reads how this process was started. */
export class EnvReader extends Context.Service<EnvReader, {
  /** The parameters of the request. Source: CNI specification, section 2, "Parameters". */
  readonly read: Effect.Effect<Environment>
  /** The command-line arguments. Only people pass some. */
  readonly arguments: Effect.Effect<ReadonlyArray<string>>
  /** Whether `netns` is the network namespace of this process. False if it cannot be accessed. */
  readonly isOwnNamespace: (netns: string) => Effect.Effect<boolean>
}>()("cni-passthrough/EnvReader") {}
