/** `cni-passthrough run check`: calls CHECK of every plugin with the result of the add. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as HostTools from "../../../exec/HostTools.ts"
import * as CachedResult from "../../../runtime/CachedResult.ts"
import * as Chain from "../../../runtime/Chain.ts"
import * as Netns from "../../../runtime/Netns.ts"
import * as Errors from "../../Errors.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Input from "./Input.ts"
import * as OperationSupport from "./OperationSupport.ts"
import * as Output from "./Output.ts"

/** There is no result to check against. */
export class ResultMissing extends Data.TaggedError("ResultMissing")<{ readonly message: string }> {}

const input = { ...Input.changingFlags, ...Input.attachmentFlags, ...Input.outputFlags }

/** `check` */
export const check = HostFolders.command(
  "check",
  input,
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Effect.flatMap(Input.loadChain(flags), Input.withNestedPlugins)
      const missing = OperationSupport.missing("CHECK", chain.list)
      if (missing !== undefined) return yield* missing
      if (chain.list.disableCheck) {
        return yield* Console.error("disableCheck is set in the configuration: nothing to check")
      }
      const { attachment, found } = yield* Input.known(chain, flags)
      const result = CachedResult.of(found, chain.list)
      if (Result.isFailure(result)) return yield* new ResultMissing({ message: result.failure })
      if (result.success === undefined) {
        if (attachment.netns !== "") yield* Netns.require(attachment.netns)
        const whose = `${attachment.containerId} ${attachment.ifname} on ${attachment.network}`
        return yield* new ResultMissing({ message: `no result of an add of ${whose} in ${flags.cacheDir}` })
      }
      const output = yield* Output.make(chain, flags)
      yield* output.run(Chain.check(chain, attachment, result.success))
      yield* output.show()
      yield* output.conclude()
      yield* output.end
    },
    Effect.scoped,
    (effect, { cniPath }) => HostTools.withoutPluginFolders(cniPath)(effect),
    Errors.tell
  )
).pipe(
  Command.withDescription("See whether it is still as the add left it: CHECK of every plugin"),
  Command.withExamples([
    {
      command: "cni-passthrough run check conf/10-chained.conflist --netns demo",
      description: "Check the namespace demo"
    }
  ])
)
