/** The container whose packets are traced. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Attachment from "../doctor/facts/Attachment.ts"
import * as Pod from "../operations/Pod.ts"
import * as Attachments from "../runtime/Attachments.ts"
import * as Netns from "../runtime/Netns.ts"

/** How a container is named on the command line. */
export interface Asked {
  /** The name of a pod or of a network namespace, or the beginning of the container's identifier. */
  readonly name: string | undefined
  readonly pod: string | undefined
  readonly containerId: string | undefined
  /** A path, or a name in /run/netns. */
  readonly netns: string | undefined
}

/** A container. */
export interface Subject {
  /** Display name. */
  readonly name: string
  /** The path of its network namespace. */
  readonly netns: string
  /** Its attachments; empty if libcni's cache has none. */
  readonly attachments: ReadonlyArray<Attachment.AttachmentId>
}

/** There is no such container, or there are several. */
export class NotOneContainer extends Data.TaggedError("NotOneContainer")<{
  readonly asked: string
  readonly reason: string
}> {
  override readonly message = `${this.asked}: ${this.reason}`
}

/** The beginning of a container's identifier that messages show. */
const shownId = 12

/** The most containers that a message names. */
const mostNames = 8

const nameOf = ({ containerId, pod }: Attachment.AttachmentId): string => pod ?? containerId.slice(0, shownId)

type Matches = (attachment: Attachment.AttachmentId) => boolean

/** The attachments of all containers, without the loopback attachments that containerd keeps. */
export const attachments = (cacheDir: string) =>
  Effect.map(Attachment.list(cacheDir), (listed) => listed.filter((each) => !Attachments.isLoopback(each)))

const exists = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.exists(path), () => false)
})

/** The container that is asked for; undefined if none is. */
export const find = Effect.fnUntraced(function*(
  { containerId, name, netns, pod }: Asked,
  known: ReadonlyArray<Attachment.AttachmentId>,
  cacheDir: string
) {
  const given = Object.entries({ name, "--pod": pod, "--container-id": containerId, "--netns": netns })
    .flatMap(([flag, value]) => value === undefined ? [] : [flag === "name" ? value : `${flag} ${value}`])
  if (given.length === 0) return undefined
  const asked = given.join(" ")
  const path = netns === undefined ? undefined : yield* Netns.pathOf(netns)
  const conditions: ReadonlyArray<Matches> = [
    ...(pod === undefined ? [] : [(each: Attachment.AttachmentId) => Pod.is(each.pod, pod)]),
    ...(containerId === undefined ? [] : [(each: Attachment.AttachmentId) => each.containerId.startsWith(containerId)]),
    ...(path === undefined ? [] : [(each: Attachment.AttachmentId) => Netns.isSamePath(each.netns, path)]),
    ...(name === undefined
      ? []
      : [
        (each: Attachment.AttachmentId) =>
          Pod.is(each.pod, name) || each.containerId.startsWith(name) ||
          Netns.isSamePath(each.netns, `/run/netns/${name}`)
      ])
  ]
  const own = known.filter((each) => conditions.every((matches) => matches(each)))
  const containers = [...new Set(own.map(({ netns }) => netns).filter((each) => each !== ""))]
  // A namespace that libcni did not attach can be traced too.
  const bare = path ?? (name !== undefined && Netns.isName(name) ? yield* Netns.pathOf(name) : undefined)
  if (containers.length === 0 && bare !== undefined && (yield* exists(bare))) {
    return { name: bare.slice(bare.lastIndexOf("/") + 1), netns: bare, attachments: [] } satisfies Subject
  }
  const fail = (reason: string) => new NotOneContainer({ asked, reason })
  const [first] = own
  if (first === undefined) {
    const words = [
      ...new Set(known.map((each) => `${each.pod === undefined ? "--container-id" : "--pod"} ${nameOf(each)}`))
    ]
    const more = words.length > mostNames ? ", …" : ""
    return yield* fail(
      `no attachment in ${cacheDir} belongs to this container. ${
        words.length === 0 ? "There are no attachments" : `There are: ${words.slice(0, mostNames).join(", ")}${more}`
      }. Name any other container by its network namespace, with --netns`
    )
  }
  const [only, ...others] = containers
  if (only === undefined) return yield* fail("libcni's cache does not have its network namespace: name it with --netns")
  if (others.length > 0) {
    return yield* fail(`this is the beginning of several: ${[...new Set(own.map(nameOf))].join(", ")}`)
  }
  yield* Netns.require(only)
  return { name: nameOf(first), netns: only, attachments: own } satisfies Subject
})
