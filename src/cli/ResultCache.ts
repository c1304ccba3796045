/** The results of attachments, in libcni's own format and place, so that runtimes and `cnitool` find them. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { isObject } from "../cni/isObject.ts"
import * as JsonText from "../cni/JsonText.ts"
import * as JsonSource from "./JsonSource.ts"

/** The folder that libcni uses. */
export const defaultFolder = "/var/lib/cni"

/** What identifies an attachment, and what its plugins were called with. */
export interface Attachment {
  readonly network: string
  readonly containerId: string
  readonly ifname: string
  readonly netns: string
  /** The pairs of CNI_ARGS. */
  readonly args: ReadonlyArray<readonly [string, string]>
  readonly capabilityArgs: { readonly [capability: string]: unknown }
}

/** An attachment in the cache. */
export interface Cached extends Attachment {
  /** The result of its ADD as text. */
  readonly result: string | undefined
}

const kind = "cniCacheV1"

const fileOf = Effect.fnUntraced(
  function*(folder: string, { containerId, ifname, network }: Omit<Attachment, "netns" | "args" | "capabilityArgs">) {
    const path = yield* Path.Path
    return path.join(folder, "results", `${network}-${containerId}-${ifname}`)
  }
)

/** Makes a folder and those above it. Node.js itself never comes back where that is impossible, such as in /proc. */
const makeFolder = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const missing: Array<string> = []
  for (let at = folder; !(yield* fs.exists(at)); at = path.dirname(at)) missing.unshift(at)
  for (const each of missing) yield* fs.makeDirectory(each, { mode: 0o700 })
})

/** Remembers a result. */
export const write = Effect.fnUntraced(
  function*(folder: string, attachment: Attachment, conflist: string, result: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = yield* fileOf(folder, attachment)
    const entry = JSON.stringify({
      kind,
      containerId: attachment.containerId,
      config: Buffer.from(conflist).toString("base64"),
      ifName: attachment.ifname,
      networkName: attachment.network,
      ...(attachment.netns === "" ? {} : { netns: attachment.netns }),
      ...(attachment.args.length === 0 ? {} : { cniArgs: attachment.args }),
      ...(Object.keys(attachment.capabilityArgs).length === 0 ? {} : { capabilityArgs: attachment.capabilityArgs })
    })
    yield* makeFolder(path.dirname(file))
    yield* fs.writeFileString(file, `${entry.slice(0, -1)},"result":${JsonText.onOneLine(result)}}`, { mode: 0o600 })
  }
)

const decode = (text: string): Cached | undefined => {
  const value = JsonSource.valueOf(text)
  if (!isObject(value)) return undefined
  const asText = (field: unknown) => typeof field === "string" ? field : ""
  const { capabilityArgs, cniArgs } = value
  return {
    network: asText(value["networkName"]),
    containerId: asText(value["containerId"]),
    ifname: asText(value["ifName"]),
    netns: asText(value["netns"]),
    args: Array.isArray(cniArgs) ? cniArgs : [],
    capabilityArgs: isObject(capabilityArgs) ? capabilityArgs : {},
    // Before its version 0.8 libcni wrote the result alone.
    result: value["kind"] === kind ? JsonText.member(text, "result") : text
  }
}

/** What is known of an attachment; undefined where nothing is. */
export const read = Effect.fnUntraced(
  function*(folder: string, attachment: Pick<Attachment, "network" | "containerId" | "ifname">) {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fileOf(folder, attachment)
    const text = yield* Effect.option(fs.readFileString(file))
    return text._tag === "Some" ? decode(text.value) : undefined
  }
)

/** All attachments to a network. */
export const list = Effect.fnUntraced(function*(folder: string, network: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const results = path.join(folder, "results")
  const files = yield* Effect.catch(fs.readDirectory(results), () => Effect.succeed([]))
  const found: Array<Cached> = []
  for (const file of files.sort()) {
    const text = yield* Effect.option(fs.readFileString(path.join(results, file)))
    const cached = text._tag === "Some" ? decode(text.value) : undefined
    if (cached?.network === network) found.push(cached)
  }
  return found
})

/** Forgets an attachment. */
export const remove = Effect.fnUntraced(
  function*(folder: string, attachment: Pick<Attachment, "network" | "containerId" | "ifname">) {
    const fs = yield* FileSystem.FileSystem
    yield* Effect.ignore(fs.remove(yield* fileOf(folder, attachment), { force: true }))
  }
)
