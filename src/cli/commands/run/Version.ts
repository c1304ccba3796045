/** `cni-passthrough run version`: asks every plugin which versions of the protocol it supports. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PluginAnswer from "../../../exec/PluginAnswer.ts"
import * as Escape from "../../../record/Escape.ts"
import * as Chain from "../../../runtime/Chain.ts"
import * as Errors from "../../Errors.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

const { json, log } = Input.outputFlags

const answerOf = ({ answer }: Chain.Call): string =>
  answer._tag === "Failure" ? answer.msg : PluginAnswer.versions(answer.document ?? "")?.join(", ") ?? ""

/** `version` */
export const version = HostFolders.command(
  "version",
  { ...Input.chainFlags, json, log },
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Input.loadChain(flags)
      const output = yield* Output.make(chain, {
        ...flags,
        tap: Option.some(false),
        full: false,
        report: Option.none()
      })
      const calls = yield* output.run(Chain.version(chain))
      const width = Math.max(...calls.map(({ plugin }) => plugin.type.length))
      for (const call of flags.json ? [] : calls) {
        yield* Console.log(Escape.inLine(`${call.plugin.type.padEnd(width)}  ${answerOf(call)}`))
      }
      yield* output.conclude()
      yield* output.end
    },
    Effect.scoped,
    Errors.tell
  )
).pipe(
  Command.withDescription("Ask every plugin which versions it speaks"),
  Command.withExamples([
    { command: "cni-passthrough run version podman", description: "Ask the plugins of the network podman" }
  ])
)
