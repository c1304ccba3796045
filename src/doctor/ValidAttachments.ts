/**
 * The valid attachments of a network, which GC passes to plugins: all that are not known to be gone. libcni's cache
 * alone is not enough, because its files get lost or truncated, or lie in another folder.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Cidr from "../network/Cidr.ts"
import type { Link } from "../network/Link.ts"
import * as Attachments from "../runtime/Attachments.ts"
import type { ValidAttachment } from "../runtime/Chain.ts"
import * as GarbageCollection from "../runtime/GarbageCollection.ts"
import * as ResultCache from "../runtime/ResultCache.ts"
import type { Facts } from "./Facts.ts"
import * as ContainerProcesses from "./facts/ContainerProcesses.ts"
import type { Judged } from "./facts/HostLocalStore.ts"
import type * as LiveNamespaces from "./facts/LiveNamespaces.ts"
import * as PinnedNamespaces from "./facts/PinnedNamespaces.ts"
import type { Life } from "./Leaks.ts"
import * as Ranges from "./Ranges.ts"
import * as Roles from "./Roles.ts"

/** Where to find the attachments of a network. */
export interface Sources {
  readonly facts: Facts
  readonly life: Life
  /** The files of the cache. */
  readonly entries: ReadonlyArray<ResultCache.Entry>
  /** The folder of the cache. */
  readonly cacheDir: string
  /** Whether the attachment in each file is gone. */
  readonly isGone: (file: string) => boolean
}

/** The contents of the default cache folder, unless `folder` is that folder. */
const elsewhere = Effect.fnUntraced(function*(network: string, cacheDir: string) {
  return cacheDir === ResultCache.defaultFolder ? [] : yield* ResultCache.list(ResultCache.defaultFolder, network)
})

/** The link names of known attachments, by namespace. */
const accountedFor = Effect.fnUntraced(function*(
  attachments: ReadonlyArray<{ readonly netns: string; readonly ifname: string }>
) {
  const fs = yield* FileSystem.FileSystem
  const found = new Map<string, Set<string>>()
  for (const { ifname, netns } of attachments) {
    const info = yield* Effect.option(fs.stat(netns))
    if (info._tag === "None" || info.value.ino._tag === "None") continue
    const namespace = `net:[${info.value.ino.value}]`
    found.set(namespace, (found.get(namespace) ?? new Set()).add(ifname))
  }
  return found as ReadonlyMap<string, ReadonlySet<string>>
})

const addressesOf = ({ addresses }: Link): ReadonlyArray<Cidr.Cidr> =>
  addresses.map(Cidr.single).filter((each) => !Cidr.isLoopback(each) && !Cidr.isLinkLocal(each))

/** Whether a link in a namespace may be an attachment to a network, judging by its configuration. */
const mayBeOf = ({ chain, host }: Facts): (link: Link) => boolean => {
  const bridge = Roles.bridgeOf(chain)
  const ipam = Roles.ofType(chain, "host-local")
  const ranges = ipam === undefined ? [] : Ranges.of(ipam.config, []).flat()
  const outside = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
  return (link) => {
    const addresses = addressesOf(link)
    if (link.name === "lo" || (!link.isUp && addresses.length === 0)) return false // such as tunl0 in each namespace
    if (bridge !== undefined && link.kind !== "veth") return false
    const end = outside.find(({ index, peer }) => index === link.peer && peer === link.index)
    if (bridge !== undefined && end !== undefined) return end.master === bridge
    return ranges.length === 0 || addresses.length === 0 ||
      addresses.some((address) => ranges.some(({ subnet }) => Cidr.contains(subnet, address)))
  }
}

/** Whether a link has a reserved address. */
const hasAddressOf = (link: Link, { address }: Judged): boolean => {
  const own = Cidr.parseAddress(address)
  return own !== undefined && addressesOf(link).some((each) => Cidr.isSameAddress(each, own))
}

/**
 * The attachments that hold a reservation. Older versions of host-local record no interface, so any with the address
 * counts.
 */
const holders = (reservation: Judged, namespaces: Life["namespaces"]): ReadonlyArray<ValidAttachment> => {
  const { containerId, ifname } = reservation
  const links = ifname === ""
    ? namespaces.flatMap(({ links }) => links.filter((link) => hasAddressOf(link, reservation)))
    : []
  return [ifname, ...links.map(({ name }) => name)].map((name) => ({ containerID: containerId, ifname: name }))
}

/** The paths by which users may name a mounted namespace: /var/run leads to /run. */
const spellings = (path: string): ReadonlyArray<string> =>
  path.startsWith("/proc/") ? [] : path.startsWith("/run/") ? [path, `/var${path}`] : [path]

/** The attachments of `run` and cnitool to a mounted namespace, under their default container IDs. */
const ofNamed = ({ links, paths }: LiveNamespaces.Inhabited): ReadonlyArray<ValidAttachment> =>
  paths.map(PinnedNamespaces.onHost).flatMap(spellings).flatMap((path) =>
    ["eth0", ...links.map(({ name }) => name).filter((name) => name !== "lo")].map((ifname) => ({
      containerID: Attachments.containerIdOf(path),
      ifname
    }))
  )

const unique = (attachments: ReadonlyArray<ValidAttachment>): ReadonlyArray<ValidAttachment> => [
  ...new Map(attachments.map((each) => [`${each.containerID} ${each.ifname}`, each])).values()
]

/** All attachments that may be alive, or why they cannot be determined. */
export const find = Effect.fnUntraced(function*({ cacheDir, entries, facts, isGone, life }: Sources): Effect.fn.Return<
  Result.Result<ReadonlyArray<ValidAttachment>, string>,
  never,
  FileSystem.FileSystem | Path.Path
> {
  const { all, network, store } = facts
  if (network === undefined) return Result.fail("its configuration can no longer be read")
  if (store?.problem !== undefined) return Result.fail(`${store.folder} cannot be read: ${store.problem}`)
  const [unread] = store?.unread ?? []
  if (unread !== undefined) return Result.fail(`${unread} cannot be read`)
  const others = yield* Effect.result(elsewhere(network.name, cacheDir))
  if (Result.isFailure(others)) return Result.fail(others.failure.message)
  const accounted = yield* accountedFor([
    ...all,
    ...others.success.flatMap((entry) => entry._tag === "Cached" ? [entry.attachment] : [])
  ])
  const reservations = (store?.reservations ?? []).filter((each) => !each.isGone)
  const mayBeOne = mayBeOf(facts)
  const isReserved = (link: Link): boolean =>
    reservations.some((each) => each.containerId !== "" && hasAddressOf(link, each))
  for (const { links, name, paths } of life.namespaces) {
    const link = links.find((link) =>
      mayBeOne(link) && accounted.get(name)?.has(link.name) !== true && !isReserved(link)
    )
    if (link === undefined) continue
    return Result.fail(`${link.name} in ${paths[0] ?? name} may be attached to it, but its container is unknown`)
  }
  return Result.succeed(unique([
    ...GarbageCollection.valid(network.name, entries, isGone),
    ...GarbageCollection.valid(network.name, others.success, () => false),
    ...reservations.flatMap((each) => holders(each, life.namespaces)),
    ...life.namespaces.filter(({ links, name }) => !accounted.has(name) && !links.some(isReserved)).flatMap(ofNamed),
    ...(yield* ContainerProcesses.attachments())
  ]))
})
