/**
 * The network that podman has without a file: it is a part of podman itself, until somebody changes it. libcni keeps the
 * configuration that an attachment was made with beside its result. Source: podman, `libpod/network/cni`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Json from "../../json/Json.ts"
import * as ResultCache from "../../runtime/ResultCache.ts"
import * as ConfigFile from "../ConfigFile.ts"

/** Its name, unless podman is told otherwise. */
export const name = "podman"

/** What the attachments to it were made with; undefined where there are none. */
export const read = Effect.fnUntraced(function*(cacheDir: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(cacheDir, "results")
  const names = yield* Effect.orElseSucceed(ResultCache.namesIn(folder), () => [])
  for (const each of names.filter((file) => file.startsWith(`${name}-`)).toSorted()) {
    const file = path.join(folder, each)
    const cached = Json.parse(yield* Effect.orElseSucceed(fs.readFileString(file), () => ""))
    const config = Json.isObject(cached) ? cached["config"] : undefined
    if (typeof config !== "string") continue
    const found: ConfigFile.ConfigFile = {
      ...ConfigFile.make(`${file}#config`, Buffer.from(config, "base64").toString()),
      isCached: true
    }
    if (ConfigFile.nameOf(found) === name) return found
  }
  return undefined
})
