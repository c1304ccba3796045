/** Decides which attachments are gone. An attachment counts as alive unless it is known to be gone. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Attachments from "./Attachments.ts"
import type { ValidAttachment } from "./Chain.ts"
import * as ResultCache from "./ResultCache.ts"

/** The decision about an attachment in the cache. */
export interface Decision {
  /** The attachment, or undefined if its file is unreadable. Such an attachment is kept. */
  readonly attachment: ResultCache.Cached | undefined
  /** Its file in the cache. */
  readonly file: string
  readonly isGone: boolean
  /** The reason in words. */
  readonly reason: string
}

const decide = Effect.fnUntraced(function*(entry: Exclude<ResultCache.Entry, { readonly _tag: "Another" }>) {
  const fs = yield* FileSystem.FileSystem
  const { file } = entry
  if (entry._tag === "Unknown") return { attachment: undefined, file, isGone: false, reason: entry.reason }
  const { attachment } = entry
  const decided = (isGone: boolean, reason: string): Decision => ({ attachment, file, isGone, reason })
  const [problem] = Attachments.problems(attachment)
  if (problem !== undefined) return decided(false, problem)
  const { netns } = attachment
  if (netns === "") return decided(false, "the cache does not have its network namespace") // libcni before 1.2
  if (!netns.startsWith("/")) return decided(false, `${netns} is not an absolute path`)
  return yield* Effect.match(fs.exists(netns), {
    onSuccess: (exists) => exists ? decided(false, `${netns} is there`) : decided(true, `${netns} does not exist`),
    onFailure: (error) => decided(false, error.message)
  })
})

/** Decides about each attachment in the cache: it is gone if the path of its network namespace does not exist. */
export const decideAll = (entries: ReadonlyArray<ResultCache.Entry>) =>
  Effect.forEach(entries.filter((entry) => entry._tag !== "Another"), decide)

/**
 * Returns all attachments to which a file `<network>-<container ID>-<interface>` may belong, because each part may
 * contain a `-`.
 */
const candidates = (network: string, name: string): ReadonlyArray<ValidAttachment> => {
  const parts = name.slice(network.length + 1).split("-")
  return parts.slice(1).map((_, index) => ({
    containerID: parts.slice(0, index + 1).join("-"),
    ifname: parts.slice(index + 1).join("-")
  }))
}

/** Returns the attachments to which the files of the cache may belong, except those that are gone. */
export const valid = (
  network: string,
  entries: ReadonlyArray<ResultCache.Entry>,
  isGone: (file: string) => boolean
): ReadonlyArray<ValidAttachment> =>
  entries.flatMap((entry): ReadonlyArray<ValidAttachment> => {
    if (entry._tag !== "Cached") return candidates(network, ResultCache.nameIn(entry.file))
    const { containerId, ifname } = entry.attachment
    return isGone(entry.file) ? [] : [{ containerID: containerId, ifname }]
  })
