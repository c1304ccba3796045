/** What is alive on the host: network namespaces of processes, and those that are mounted. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as AtomicFile from "../../host/AtomicFile.ts"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import * as Attachment from "./Attachment.ts"
import * as ContainerProcesses from "./ContainerProcesses.ts"
import * as PinnedNamespaces from "./PinnedNamespaces.ts"

/** Folders where network namespaces also have names as symbolic links. */
const folders = ["/run/netns", "/run/docker/netns"]

/** The paths to each network namespace of the host except our own: those of its processes, and its mounts. */
const pathsOf = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const found = new Map<string, Array<string>>()
  const problems: Array<string> = []
  const add = (name: string, path: string) => {
    const paths = found.get(name) ?? []
    if (!paths.includes(path)) found.set(name, [...paths, path])
  }
  /** A missing folder is no problem, but a folder that we may not read may hold live namespaces. */
  const attempt = <A>(path: string, io: Effect.Effect<A, PlatformError>, otherwise: A) =>
    Effect.catch(io, (error) => {
      if (error.reason._tag !== "NotFound") problems.push(`${path}: ${AtomicFile.reasonOf(error)}`)
      return Effect.succeed(otherwise)
    })
  const own = yield* Effect.option(fs.stat("/proc/self/ns/net"))
  for (const folder of folders) {
    for (const name of yield* attempt(folder, fs.readDirectory(folder), [])) {
      const path = `${folder}/${name}`
      const info = yield* Effect.option(fs.stat(path))
      // All namespaces are on the same device. Do not open anything else, such as a pipe.
      if (info._tag === "Some" && own._tag === "Some" && info.value.dev === own.value.dev) {
        add(nameOf(info.value), path)
      }
    }
  }
  const addPinned = Effect.fnUntraced(function*({ name, path }: PinnedNamespaces.Pinned) {
    const info = yield* attempt(path, Effect.asSome(fs.stat(path)), Option.none())
    // Another mount may cover it.
    if (Option.isSome(info) && nameOf(info.value) === name) add(name, path)
  })
  const mounts = yield* attempt("/proc/self/mountinfo", fs.readFileString("/proc/self/mountinfo"), "")
  for (const each of PinnedNamespaces.inMountinfo(mounts)) yield* addPinned(each)
  const processes = yield* ContainerProcesses.pids()
  if (processes.length === 0) problems.push("there are no processes in /proc")
  let hidden = 0 // init, which some hosts hide even from root, is in no container
  for (const pid of processes) {
    const path = `/proc/${pid}/ns/net`
    // The kernel also denies permission if the process ends at this moment. Then it is not found the next time.
    const name = yield* Effect.result(Effect.catch(fs.readLink(path), () => fs.readLink(path)))
    if (Result.isSuccess(name)) add(name.success, path)
    else if (pid !== 1 && name.failure.reason._tag === "PermissionDenied") hidden++
  }
  if (hidden > 0) problems.push(`the namespaces of ${hidden} of ${processes.length} processes: permission denied`)
  // Who may not read these mounts is refused the namespaces of processes too.
  const firstMounts = yield* Effect.orElseSucceed(fs.readFileString("/proc/1/mountinfo"), () => "")
  for (const { name, path } of PinnedNamespaces.inMountinfo(firstMounts)) {
    if (!found.has(name)) yield* addPinned({ name, path: PinnedNamespaces.onFirst(path) })
  }
  found.delete(yield* Effect.orElseSucceed(fs.readLink("/proc/self/ns/net"), () => ""))
  return { found, problems }
})

/** A live namespace. */
export interface Inhabited extends Namespace.Namespace {
  /** Such as `net:[4026532008]`. */
  readonly name: string
  /** The paths that lead to it, with names given by people first. */
  readonly paths: ReadonlyArray<string>
}

/** The name of a namespace, as in the links in /proc. */
const nameOf = ({ ino }: FileSystem.File.Info): string => `net:[${Option.getOrElse(ino, () => 0)}]`

/** Inspects a namespace by one of its paths. Undefined if all of them are gone, because then the namespace is too. */
const look = Effect.fnUntraced(function*([name, paths]: readonly [name: string, paths: ReadonlyArray<string>]) {
  const fs = yield* FileSystem.FileSystem
  let problem: string | undefined
  for (const path of paths) {
    const whole = yield* Namespace.collect(path)
    const network = Result.isSuccess(whole) ? whole : yield* Namespace.collectLinks(path)
    if (Result.isSuccess(network)) return Result.succeed<Inhabited>({ ...network.success, name, paths })
    const isProcess = path.endsWith("/ns/net")
    const isThere = isProcess
      ? yield* Effect.isSuccess(fs.readLink(path))
      : (yield* Effect.isSuccess(fs.stat(path))) && !/Invalid argument/.test(network.failure) // a file of another kind
    if (isThere) problem ??= `${path}: ${network.failure}`
  }
  return problem === undefined ? undefined : Result.fail({ name, reason: problem })
})

/**
 * Links that lead to containers in none of these namespaces: ports of bridges, and links with a route to a single
 * address. Links with a default route lead out of a host that is itself a container, so they do not count.
 */
const leadingElsewhere = ({ links, routes }: Namespace.Namespace, looked: ReadonlyArray<Namespace.Namespace>) =>
  links.filter(({ index, kind, master, name, peer }) => {
    const own = routes.filter(({ device, type }) => device === name && type === "unicast")
    const isForContainer = master !== undefined || own.some(({ to }) => to.length === (to.family === 4 ? 32 : 128))
    return kind === "veth" && peer !== undefined && isForContainer && !own.some(({ to }) => Cidr.isDefault(to)) &&
      !looked.some((each) => each.links.some((end) => end.index === peer && end.peer === index))
  })

/**
 * How often to look again at links whose namespace may just be going away, and how long to wait each time, in
 * milliseconds.
 */
const again = { times: 4, wait: 250 }

/** A container whose network namespace exists but cannot be inspected. */
export interface Unread {
  readonly containerId: string
  readonly reason: string
}

/** The contents of all network namespaces of the host except ours. */
export interface Living {
  readonly networks: ReadonlyArray<Inhabited>
  /** The containers of namespaces that cannot be inspected. They count as alive, with everything that they hold. */
  readonly unread: ReadonlyArray<Unread>
  /** Why more may be alive than we can see, or undefined if nothing is hidden. */
  readonly blind: string | undefined
}

const hostEndsOf = ({ result }: Attachment.AttachmentId): ReadonlyArray<string> =>
  Result.isSuccess(result)
    ? Attachment.interfacesOf(result.success).filter(({ sandbox }) => sandbox === "").map(({ name }) => name)
    : []

/** Inspects each network namespace of the host except ours. The attachments identify the containers. */
export const namespaces = Effect.fnUntraced(function*(attachments: ReadonlyArray<Attachment.AttachmentId>) {
  const fs = yield* FileSystem.FileSystem
  const host = yield* Namespace.collect()
  const { found, problems } = yield* pathsOf()
  const all = (yield* Effect.forEach(found, look, { concurrency: 8 })).filter((each) => each !== undefined)
  const networks = all.flatMap((each) => Result.isSuccess(each) ? [each.success] : [])
  const failures = all.flatMap((each) => Result.isFailure(each) ? [each.failure] : [])
  const named = yield* Effect.forEach(
    failures.length === 0 ? [] : attachments.filter(({ netns }) => netns.startsWith("/")),
    (attachment) =>
      Effect.match(fs.stat(attachment.netns), {
        onSuccess: (info) => ({ attachment, name: nameOf(info) }),
        onFailure: () => ({ attachment, name: "" })
      })
  )
  const owners = failures.map(({ name, reason }) => ({
    reason,
    attachments: named.filter((each) => each.name === name).map(({ attachment }) => attachment)
  }))
  const explained = new Set(owners.flatMap((each) => each.attachments.flatMap(hostEndsOf)))
  let unseen = Result.isSuccess(host)
    ? leadingElsewhere(host.success, networks).filter(({ name }) => !explained.has(name))
    : []
  for (let time = 0; time < again.times && unseen.length > 0; time++) {
    yield* Effect.sleep(again.wait)
    const now = yield* Namespace.collect()
    if (Result.isFailure(now)) break
    const still = new Set(now.success.links.map(({ index }) => index))
    unseen = unseen.filter(({ index }) => still.has(index))
  }
  const blind = [
    ...Result.isFailure(host) ? [host.failure] : [],
    ...problems,
    ...owners.filter(({ attachments }) => attachments.length === 0).map(({ reason }) => reason),
    ...unseen.map(({ name }) => `${name} leads to one that has neither a name nor a process here`)
  ]
  return {
    networks,
    unread: owners.flatMap(({ attachments, reason }) =>
      [...new Set(attachments.map(({ containerId }) => containerId))].map((containerId) => ({ containerId, reason }))
    ),
    blind: blind[0]
  } satisfies Living as Living
})
