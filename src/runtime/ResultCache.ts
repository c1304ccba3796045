/**
 * Caches the results of attachments in libcni's format and place, so that runtimes and `cnitool` find them. Source:
 * libcni, `libcni/api.go`.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as SmallFile from "../host/SmallFile.ts"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import type { Arguments, Attachment, Identity } from "./Attachments.ts"

/** The default folder of libcni. */
export const defaultFolder = "/var/lib/cni"

/** The cache cannot be read, so the attachments are unknown. */
export class CacheUnreadable extends Data.TaggedError("CacheUnreadable")<{
  readonly path: string
  readonly reason: string
  readonly cause: unknown
}> {
  override readonly message = `cannot read the results of attachments in ${this.path}: ${this.reason}`
}

/** An attachment in the cache. */
export interface Cached extends Attachment {
  /** The result of ADD as JSON text, or undefined if the file has none. */
  readonly result: string | undefined
}

/**
 * A file of the cache. An unreadable file (`Unknown`) may still belong to an attachment. A file may also hold another
 * attachment than its name suggests (`Another`): network names, container IDs and interface names may contain a `-`, so
 * libcni can give two attachments the same file name.
 */
export type Entry =
  | { readonly _tag: "Cached"; readonly file: string; readonly attachment: Cached }
  | { readonly _tag: "Unknown"; readonly file: string; readonly reason: string }
  | { readonly _tag: "Another"; readonly file: string; readonly attachment: Identity }

/** The cached file of an attachment. */
export type Found = Entry | { readonly _tag: "Missing"; readonly file: string }

/** The maximum size of a file in the cache, in bytes. It holds a configuration and a result. */
const maxSize = 4 * 1_048_576

/** Reads a file of the cache. */
export const textOf = (file: string) => SmallFile.textOf(file, maxSize)

const kind = "cniCacheV1"

const notOfLibcni = "it is not a file of libcni for this attachment"

const resultsOf = (folder: string) => Effect.map(Path.Path, (path) => path.join(folder, "results"))

const fileOf = Effect.fnUntraced(function*(folder: string, { containerId, ifname, network }: Identity) {
  const path = yield* Path.Path
  return path.join(yield* resultsOf(folder), `${network}-${containerId}-${ifname}`)
})

/**
 * Encodes a cache file. `list` is the JSON text of the network configuration list, and `result` the result as JSON
 * text.
 */
export const encode = (attachment: Attachment, list: string, result: string): string => {
  const { args, capabilityArgs, containerId, ifname, netns, network } = attachment
  const members = JSON.stringify({
    kind,
    containerId,
    config: Buffer.from(list).toString("base64"),
    ifName: ifname,
    networkName: network,
    ...(netns === "" ? {} : { netns }),
    ...(args.length === 0 ? {} : { cniArgs: args }),
    ...(Object.keys(capabilityArgs).length === 0 ? {} : { capabilityArgs })
  })
  return JsonText.withMembers(members, { result: JsonText.onOneLine(result) })
}

const isArguments = (value: unknown): value is Arguments =>
  Array.isArray(value) &&
  value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string"))

/** Decodes a cache file. libcni before version 0.8 wrote only the result, so the rest then comes from `asked`. */
export const decode = (text: string, asked?: Identity): Cached | undefined => {
  const value = Json.parse(text)
  if (!Json.isObject(value)) return undefined
  if (value["kind"] !== kind) {
    if (asked === undefined || value["kind"] !== undefined) return undefined
    return { ...asked, netns: "", args: [], capabilityArgs: {}, result: text }
  }
  const { capabilityArgs, cniArgs, containerId, ifName, netns, networkName } = value
  if (typeof containerId !== "string" || typeof ifName !== "string" || typeof networkName !== "string") return undefined
  return {
    network: networkName,
    containerId,
    ifname: ifName,
    netns: typeof netns === "string" ? netns : "",
    args: isArguments(cniArgs) ? cniArgs : [],
    capabilityArgs: Json.isObject(capabilityArgs) ? capabilityArgs : {},
    result: JsonText.member(text, "result")
  }
}

/** Returns the network configuration list in a cache file as JSON text, or undefined if it has none. */
export const configOf = (text: string): string | undefined => {
  const value = Json.parse(text)
  const config = Json.isObject(value) ? value["config"] : undefined
  return typeof config === "string" ? Buffer.from(config, "base64").toString() : undefined
}

/** Writes the result of ADD to the cache. */
export const write = Effect.fnUntraced(
  function*(folder: string, attachment: Attachment, list: string, result: string) {
    yield* AtomicFile.makeFolder(yield* resultsOf(folder), 0o700)
    yield* AtomicFile.replaceText(yield* fileOf(folder, attachment), encode(attachment, list, result), { mode: 0o600 })
  }
)

const isSame = (one: Identity, other: Identity): boolean =>
  one.network === other.network && one.containerId === other.containerId && one.ifname === other.ifname

/** Looks up an attachment. Fails if its file cannot be read. */
export const read = Effect.fnUntraced(
  function*(folder: string, identity: Identity): Effect.fn.Return<
    Found,
    CacheUnreadable,
    FileSystem.FileSystem | Path.Path
  > {
    const file = yield* fileOf(folder, identity)
    const text = yield* Effect.result(textOf(file))
    if (text._tag === "Failure") {
      const { cause, isForbidden, isMissing, reason } = text.failure
      if (isForbidden) return yield* new CacheUnreadable({ path: file, reason, cause })
      return isMissing ? { _tag: "Missing", file } : { _tag: "Unknown", file, reason }
    }
    const attachment = decode(text.success, identity)
    if (attachment === undefined) return { _tag: "Unknown", file, reason: notOfLibcni }
    return { _tag: isSame(attachment, identity) ? "Cached" : "Another", file, attachment }
  }
)

const isMissing = (error: PlatformError): boolean => error.reason._tag === "NotFound"

/** The name of a file in that folder, from its path. */
export const nameIn = (file: string): string => file.slice(file.lastIndexOf("/") + 1)

/** Lists the file names in a folder of results, sorted, without temporary files. A missing folder has none. */
export const namesIn = Effect.fnUntraced(function*(results: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readDirectory(results).pipe(
    Effect.map((names) => names.filter((name) => !name.startsWith(".")).toSorted()),
    Effect.catchIf(isMissing, () => Effect.succeed([])),
    Effect.mapError((cause) => new CacheUnreadable({ path: results, reason: AtomicFile.reasonOf(cause), cause }))
  )
})

/** Lists the files of the cache that belong, or may belong, to a network, sorted by name. */
export const list = Effect.fnUntraced(function*(folder: string, network: string) {
  const path = yield* Path.Path
  const results = yield* resultsOf(folder)
  const found: Array<Entry> = []
  for (const name of yield* namesIn(results)) {
    const file = path.join(results, name)
    const decoded = yield* Effect.result(Effect.map(textOf(file), (text) => decode(text)))
    const attachment = Result.getOrUndefined(decoded)
    const isOwn = attachment !== undefined && (yield* fileOf(folder, attachment)) === file
    if (isOwn && attachment.network === network) found.push({ _tag: "Cached", file, attachment })
    else if (!name.startsWith(`${network}-`)) continue
    else if (isOwn) found.push({ _tag: "Another", file, attachment })
    else {
      const reason = decoded._tag === "Failure" ? decoded.failure.reason : notOfLibcni
      found.push({ _tag: "Unknown", file, reason })
    }
  }
  return found as ReadonlyArray<Entry>
})

/** A file of the cache that runtimes cannot read. */
export interface Damaged {
  readonly file: string
  readonly reason: string
}

/**
 * Why a text is not a valid cache file, or undefined if it may be one. Before version 0.8, libcni wrote only the
 * result.
 */
const damage = (text: string): string | undefined =>
  text.trim() === ""
    ? "it is empty"
    : Json.isObject(Json.parse(text))
    ? undefined
    : "it is not a JSON document, or is truncated"

/** Finds the damaged files of the cache. With libcni before 1.3, every DEL of such an attachment fails. */
export const damaged = Effect.fnUntraced(function*(folder: string) {
  const path = yield* Path.Path
  const results = yield* resultsOf(folder)
  const found: Array<Damaged> = []
  for (const name of yield* namesIn(results)) {
    const file = path.join(results, name)
    const reason = Option.getOrUndefined(yield* Effect.option(Effect.map(textOf(file), damage)))
    if (reason !== undefined) found.push({ file, reason })
  }
  return found as ReadonlyArray<Damaged>
})

/** Removes an attachment from the cache. Keeps a file of the same name that holds another attachment. */
export const remove = Effect.fnUntraced(function*(folder: string, identity: Identity) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* Effect.orElseSucceed(read(folder, identity), () => undefined)
  if (found === undefined || found._tag === "Another") return
  yield* Effect.ignore(fs.remove(found.file))
})
