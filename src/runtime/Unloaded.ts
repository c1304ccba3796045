/** Compares the network that is on disk for a runtime with what the runtime has loaded. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as Json from "../json/Json.ts"
import type { Runtime } from "./Discovery.ts"

/** Runtimes watch for writes, renames and removals in their folder, so a copy under another name is seen. */
const remedy = (file: string): string => `load it again with: cp ${file} ${file}.new && mv ${file}.new ${file}`

/** The first file of a folder that a runtime would load, and its network. Source: go-cni, `loadFromConfDir`. */
const firstIn = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): Array<string> => [])
  for (const name of names.filter(ConfFolder.isLoadedName).toSorted()) {
    const file = path.join(folder, name)
    const text = yield* Effect.orElseSucceed(ConfFolder.readText(file), () => "")
    const document = Json.parse(text)
    const network = Json.isObject(document) ? document["name"] : undefined
    if (typeof network === "string") return { file, network, text }
  }
  return undefined
})

const isSame = (left: string, right: string): boolean =>
  JSON.stringify(Json.parse(left)) === JSON.stringify(Json.parse(right))

/** What a runtime uses otherwise than it is on disk, with a remedy; empty if the runtime does not say what it loaded. */
export const find = Effect.fnUntraced(function*({ confDir, loaded, name }: Runtime) {
  if (loaded === undefined) return []
  if (loaded.problem !== undefined) return [`${name} has loaded no network: ${loaded.problem}`]
  const first = yield* firstIn(confDir)
  if (first === undefined) return []
  const { file, network, text } = first
  const own = loaded.networks.find((each) => each.name === network)
  if (own === undefined) {
    const has = loaded.networks.length === 0 ? "no network" : loaded.networks.map((each) => each.name).join(", ")
    return [`${name} has not loaded ${network} from ${file}, but ${has}: ${remedy(file)}`]
  }
  const isOld = file.endsWith(".conflist") && own.source !== undefined && !isSame(own.source, text)
  return isOld ? [`${name} uses ${network} as it was before ${file} was changed: ${remedy(file)}`] : []
})
