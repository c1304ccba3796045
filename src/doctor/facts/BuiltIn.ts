/**
 * Networks without a file. libcni keeps the configuration that an attachment was made with beside its result: that of
 * podman's own network, which is a part of podman itself until somebody changes it, and those of files that are gone.
 * Source: podman, `libpod/network/cni`.
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as ResultCache from "../../runtime/ResultCache.ts"
import * as ConfigFile from "../ConfigFile.ts"

/** The name of podman's, by default. */
export const name = "podman"

/** What attachments were made with, once for each network, of results whose files are called so. */
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

/** What the attachments to podman's network were made with; undefined if there are none. */
export const read = (cacheDir: string) => Effect.map(readAll(cacheDir, `${name}-`), (found) => found.get(name))
