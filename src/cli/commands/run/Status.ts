/** `cni-passthrough run status`: asks the plugins with STATUS whether an ADD could succeed now. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Chain from "../../../runtime/Chain.ts"
import * as Errors from "../../Errors.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Input from "./Input.ts"
import * as OperationSupport from "./OperationSupport.ts"
import * as Output from "./Output.ts"

/** `status` */
export const status = HostFolders.command(
  "status",
  { ...Input.chainFlags, ...Input.outputFlags },
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Effect.flatMap(Input.loadChain(flags), Input.withNestedPlugins)
      // As in libcni, a network that does not support STATUS counts as ready.
      const missing = OperationSupport.missing("STATUS", chain.list)
      if (missing !== undefined) return yield* Console.error(`no plugin was called: ${missing.message}`)
      const output = yield* Output.make(chain, flags)
      yield* output.run(Chain.status(chain))
      yield* output.show()
      yield* output.conclude()
      yield* output.end
    },
    Effect.scoped,
    Errors.tell
  )
).pipe(
  Command.withDescription("Ask every plugin whether an ADD could succeed now, up to the first that says no"),
  Command.withExamples([
    { command: "cni-passthrough run status pods", description: "Ask the plugins of the network pods" }
  ])
)
