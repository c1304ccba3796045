/** Adds what a trial in throwaway namespaces shows to the facts about a network. */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import * as Reservation from "../network/Reservation.ts"
import * as NestedPlugins from "../runtime/NestedPlugins.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { Facts } from "./Facts.ts"
import * as Attachment from "./facts/Attachment.ts"
import * as FixedAddress from "./facts/FixedAddress.ts"
import * as Host from "./facts/Host.ts"
import * as Trial from "./facts/Trial.ts"
import * as Roles from "./Roles.ts"

/** The facts about throwaway namespaces while they are attached: they are the only attachments of the network. */
const ofTrial = Effect.fnUntraced(function*(facts: Facts, ids: ReadonlyArray<Attachment.AttachmentId>) {
  const { chain, delegates } = facts
  const [attachments, host] = yield* Effect.all([
    Effect.forEach(ids, Attachment.look, { concurrency: "unbounded" }),
    Host.collect([...chain, ...delegates], ids)
  ], { concurrency: "unbounded" })
  return { ...facts, host, attachments, earlier: [], all: [...facts.all, ...attachments] } satisfies Facts
})

/**
 * Tries the network in throwaway namespaces, if its configuration can be used at all. The built plugin `executable`,
 * if there is one, shows which plugin fails inside others. `send` gets the facts while the namespaces are attached.
 */
export const withTrial = Effect.fnUntraced(function*<R>(
  facts: Facts,
  timeout: number,
  executable: string | undefined,
  send: (attached: Facts) => Effect.Effect<Trial.Sent, never, R>
) {
  const path = yield* Path.Path
  const { capabilityArgs, chain, cniPath, file, host, network, store } = facts
  const value = file === undefined ? undefined : ConfigFile.valueOf(file)
  const isUsable = network !== undefined && NetworkConfigList.problems(value, {
        hasPluginsInFolder: (file?.beside.length ?? 0) > 0
      }).length === 0
  if (!isUsable) return facts
  const owner = FixedAddress.ownerOf(facts)
  if (owner !== undefined) return { ...facts, unseen: [...facts.unseen, `no trial was possible: ${owner}`] }
  const dataDir = String(Roles.ofType(chain, "host-local")?.config["dataDir"] || Reservation.defaultFolder)
  const [first] = network.plugins
  const nested = executable === undefined || first === undefined
    ? undefined
    : yield* NestedPlugins.make(executable, cniPath, first.type, [])
  const trial = yield* Effect.result(Trial.run({
    chain: { list: network, cniPath, timeout, variables: process.env, nested },
    capabilityArgs,
    hasSecond: !FixedAddress.isFixed(facts),
    ground: {
      bridge: Roles.bridgeOf(chain),
      store: store === undefined ? undefined : path.join(dataDir, network.name),
      tools: host?.tools ?? new Map()
    },
    send: (ids) => Effect.flatMap(ofTrial(facts, ids), send)
  }))
  return Result.isSuccess(trial)
    ? { ...facts, trial: trial.success }
    : { ...facts, unseen: [...facts.unseen, `no trial was possible: ${trial.failure.message}`] }
}, Effect.scoped)
