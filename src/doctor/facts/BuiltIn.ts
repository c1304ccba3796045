/**
 * Networks without a file. libcni keeps the configuration of each attachment with its result. So we find podman's
 * default network, which is built into podman until a user changes it, and networks whose files are gone.
 * Source: podman, `libpod/network/cni`.
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as ResultCache from "../../runtime/ResultCache.ts"
import * as ConfigFile from "../ConfigFile.ts"

/** The default name of podman's network. */
export const name = "podman"

/**
 * The configurations that attachments were made with, one for each network, from results whose file names start with
 * `beginning`.
 */
export const readAll = Effect.fnUntraced(function*(cacheDir: string, beginning = "") {
  const path = yield* Path.Path
  const folder = path.join(cacheDir, "results")
  const names = yield* Effect.orElseSucceed(ResultCache.namesIn(folder), () => [])
  const found = new Map<string, ConfigFile.ConfigFile>()
  for (const each of names.filter((file) => file.startsWith(beginning))) {
    const file = path.join(folder, each)
    const config = ResultCache.configOf(yield* Effect.orElseSucceed(ResultCache.textOf(file), () => ""))
    if (config === undefined) continue
    const made = ConfigFile.cached(file, config)
    const network = ConfigFile.nameOf(made)
    if (network !== undefined && !found.has(network)) found.set(network, made)
  }
  return found as ReadonlyMap<string, ConfigFile.ConfigFile>
})

/** The configuration of the attachments to podman's network; undefined if there are none. */
export const read = (cacheDir: string) => Effect.map(readAll(cacheDir, `${name}-`), (found) => found.get(name))
