/** `cni-passthrough run del`: detaches a network namespace with DEL of every plugin of the chain, last one first. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as HostTools from "../../../exec/HostTools.ts"
import type { Identity } from "../../../runtime/Attachments.ts"
import * as CachedResult from "../../../runtime/CachedResult.ts"
import * as Chain from "../../../runtime/Chain.ts"
import * as Netns from "../../../runtime/Netns.ts"
import * as ResultCache from "../../../runtime/ResultCache.ts"
import * as Errors from "../../Errors.ts"
import * as Flags from "../../Flags.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

const input = {
  ...Input.changingFlags,
  ...Input.attachmentFlags,
  newNetns: Input.newNetns("Detach the namespace of this name, and remove it"),
  keepGoing: Flags.toggle("keep-going", "Call all plugins, also after one that fails or is missing"),
  ...Input.outputFlags
}

/** The most attachments to name one by one. */
const shown = 5

/**
 * Says that an attachment is unknown. This is no error, because a DEL may come twice. Source: CNI specification, "DEL".
 */
const tellUnknown = Effect.fnUntraced(function*(cacheDir: string, { containerId, ifname, network }: Identity) {
  const known = (yield* ResultCache.list(cacheDir, network)).flatMap((entry) =>
    entry._tag === "Cached" ? [`${entry.attachment.ifname} of ${entry.attachment.containerId}`] : []
  )
  const others = known.length === 0
    ? "none"
    : [...known.slice(0, shown), ...(known.length > shown ? [`${known.length - shown} more`] : [])].join(", ")
  yield* Console.error(
    `the cache has no result of ${ifname} of ${containerId} on ${network}, as after an ADD that failed: going on ` +
      `without it (attached: ${others})`
  )
})

/** `del` */
export const del = HostFolders.command(
  "del",
  input,
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Effect.flatMap(Input.loadChain(flags), Input.withNestedPlugins)
      const { attachment, found } = yield* Input.known(chain, flags)
      if (found._tag === "Missing") yield* tellUnknown(flags.cacheDir, attachment)
      const result = CachedResult.of(found, chain.list)
      // Cleaning up without the result is better than not at all.
      if (Result.isFailure(result)) yield* Console.error(`going on without a result: ${result.failure}`)
      const output = yield* Output.make(chain, flags)
      yield* output.run(
        Chain.del(chain, attachment, Result.getOrUndefined(result), flags.keepGoing ? "continue" : "stop")
      )
      yield* output.show()
      // If a plugin failed, the result is kept for another del. `keepGoing` removes the namespace even then.
      const removeNetns = Option.isSome(flags.newNetns) ? Netns.remove(flags.newNetns.value) : Effect.void
      if (flags.keepGoing) yield* removeNetns
      yield* output.conclude()
      yield* ResultCache.remove(flags.cacheDir, attachment)
      if (!flags.keepGoing) yield* removeNetns
      yield* output.end
    },
    Effect.scoped,
    (effect, { cniPath }) => HostTools.withoutPluginFolders(cniPath)(effect),
    Errors.tell
  )
).pipe(
  Command.withDescription("Detach it: DEL of every plugin, backwards, with the result of the ADD"),
  Command.withExamples([
    {
      command: "cni-passthrough run del conf/10-chained.conflist --new-netns demo",
      description: "Detach the namespace demo and remove it"
    },
    {
      command: "cni-passthrough run del podman --container-id web --keep-going",
      description: "Take away what can be, where a plugin of the chain is missing"
    }
  ])
)
