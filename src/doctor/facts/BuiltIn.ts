/**
 * The network that podman has without a file: it is a part of podman itself, until somebody changes it. libcni keeps the
 * configuration that an attachment was made with beside its result. Source: podman, `libpod/network/cni`.
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Json from "../../json/Json.ts"
import * as ResultCache from "../../runtime/ResultCache.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Attachment from "./Attachment.ts"
import * as SmallFile from "./SmallFile.ts"

/** Its name, unless podman is told otherwise. */
export const name = "podman"

/** What the attachments to it were made with; undefined where there are none. */
export const read = Effect.fnUntraced(function*(cacheDir: string) {
  const path = yield* Path.Path
  const folder = path.join(cacheDir, "results")
  const names = yield* Effect.orElseSucceed(ResultCache.namesIn(folder), () => [])
  for (const each of names.filter((file) => file.startsWith(`${name}-`)).toSorted()) {
    const file = path.join(folder, each)
    const cached = Json.parse((yield* SmallFile.read(file, Attachment.longest)) ?? "")
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
