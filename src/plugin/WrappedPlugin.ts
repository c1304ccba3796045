import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Execution from "../exec/Execution.ts"
import type { NotStarted } from "../exec/ProcessRunner.ts"

/** The plugin that we stand around, see `Shim.ts`. */
export class WrappedPlugin extends Context.Service<WrappedPlugin, {
  /** Its type. */
  readonly name: string
  /** The text of our configuration; undefined if there is none that can be read. */
  readonly config: Effect.Effect<string | undefined>
  /** Its file: the one that was put aside for us, or else the next one of its name on this CNI path. */
  readonly find: (cniPath: string) => Effect.Effect<string | undefined>
  /** Runs the file in our place, with this environment, and with what is left of our stdin where none is given. */
  readonly run: (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ) => Effect.Effect<Execution.Execution, NotStarted>
  /** Lets the file take our place for good, where it cannot run beside us. Fails where that is impossible, too. */
  readonly become: (
    file: string,
    env: Execution.Invocation["env"],
    stdin: Uint8Array | undefined
  ) => Effect.Effect<never, NotStarted>
  /** Ends this process the way the plugin ended. */
  readonly end: (ending: Pick<Execution.Ending, "exitCode" | "signal">) => Effect.Effect<never>
}>()("cni-passthrough/WrappedPlugin") {}
