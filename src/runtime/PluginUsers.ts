/**
 * Finds the attachments that still need a plugin, because their DEL will call it. Reads the configurations in libcni's
 * cache.
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import * as Json from "../json/Json.ts"
import type { Identity } from "./Attachments.ts"
import * as ResultCache from "./ResultCache.ts"

/** Returns the attachment of a cache file if its cached configuration has a plugin of this type. */
const userOf = (text: string, type: string): ReadonlyArray<Identity> => {
  const attachment = ResultCache.decode(text)
  if (attachment === undefined) return []
  const { plugins } = NetworkConfigList.make(Json.parse(ResultCache.configOf(text) ?? ""))
  const { containerId, ifname, network } = attachment
  return plugins.some((plugin) => plugin.type === type) ? [{ network, containerId, ifname }] : []
}

/** Lists the attachments in a cache folder that need a plugin of this type, in the order of their files. */
export const list = Effect.fnUntraced(function*(folder: string, type: string) {
  const path = yield* Path.Path
  const results = path.join(folder, "results")
  const found: Array<Identity> = []
  for (const name of yield* ResultCache.namesIn(results)) {
    const text = yield* Effect.orElseSucceed(ResultCache.textOf(path.join(results, name)), () => "")
    found.push(...userOf(text, type))
  }
  return found as ReadonlyArray<Identity>
})
