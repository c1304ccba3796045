/** The service that finds and runs the original of a wrapped plugin. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Execution from "../exec/Execution.ts"
import type { NotStarted } from "../exec/ProcessRunner.ts"

/** The plugin that we wrap, see `Shim.ts`. */
export class WrappedPlugin extends Context.Service<WrappedPlugin, {
  /** Its type, which is its file name. */
  readonly name: string
  /** The text of our configuration, or undefined if it cannot be read. */
  readonly config: Effect.Effect<string | undefined>
  /** Finds its file: the original that `wrap` set aside, or else the next file of its name on this CNI path. */
  readonly find: (cniPath: string) => Effect.Effect<string | undefined>
  /** Runs the file in the foreground with this environment. Without `stdin`, it gets the rest of ours. */
  readonly run: (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ) => Effect.Effect<Execution.Execution, NotStarted>
  /**
   * Replaces this process with the file, if resources are too scarce to run it beside us. Fails if that is impossible
   * too.
   */
  readonly become: (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ) => Effect.Effect<never, NotStarted>
  /** Ends this process the way the plugin ended. */
  readonly end: (ending: Pick<Execution.Ending, "exitCode" | "signal">) => Effect.Effect<never>
}>()("cni-passthrough/WrappedPlugin") {}
