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
  const value = Json.parse(text)
  if (!Json.isObject(value)) return []
  const { config, containerId, ifName, networkName } = value
  if (typeof config !== "string") return []
  const { plugins } = NetworkConfigList.make(Json.parse(Buffer.from(config, "base64").toString()))
  return plugins.some((plugin) => plugin.type === type)
    ? [{ network: String(networkName), containerId: String(containerId), ifname: String(ifName) }]
    : []
}

/** Lists the attachments in a cache folder that need a plugin of this type, in the order of their files. */
export const list = Effect.fnUntraced(function*(folder: string, type: string) {
  const path = yield* Path.Path
  const results = path.join(folder, "results")
  const names = yield* ResultCache.namesIn(results)
  const found: Array<Identity> = []
  for (const name of names.toSorted().filter((name) => !name.startsWith("."))) {
    const text = yield* Effect.orElseSucceed(ResultCache.textOf(path.join(results, name)), () => "")
    found.push(...userOf(text, type))
  }
  return found as ReadonlyArray<Identity>
})
