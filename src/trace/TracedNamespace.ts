/** A network namespace that packets pass, as it was found: its identity, links, addresses and routes. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Cidr from "../network/Cidr.ts"
import * as Namespace from "../network/Namespace.ts"

/** A network namespace. */
export interface Place {
  /** The device and the inode of the namespace, which no other has. */
  readonly id: string
  /** Display name: `host`, or that of a container. {@link named} makes it unique. */
  readonly name: string
  /** Its path; undefined for the namespace of this process, which is the host's. */
  readonly netns: string | undefined
  /** The ID of the container; undefined for the host, and where none is known. */
  readonly containerId: string | undefined
  readonly network: Namespace.Namespace
}

/** The name of the host's namespace. */
export const host = "host"

/** A namespace cannot be looked into. */
export class Unseen extends Data.TaggedError("Unseen")<{ readonly place: string; readonly reason: string }> {
  override readonly message = `the network namespace of ${this.place} cannot be inspected: ${this.reason}`
}

export const look = Effect.fnUntraced(function*(name: string, netns: string | undefined, containerId?: string) {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* Effect.mapError(
    fs.stat(netns ?? "/proc/self/ns/net"),
    ({ message }) => new Unseen({ place: name, reason: message })
  )
  const id = `${stat.dev}:${Option.getOrElse(stat.ino, () => 0)}`
  const network = yield* Namespace.collect(netns)
  if (Result.isFailure(network)) return yield* new Unseen({ place: name, reason: network.failure })
  return { id, name, netns, containerId, network: network.success } satisfies Place
})

/** The links of a namespace whose other ends are in another one. */
export const linksTo = (place: Place, other: Place): ReadonlyArray<string> =>
  place.network.links.filter(({ index, peer }) =>
    other.network.links.some((end) => end.index === peer && end.peer === index)
  ).map(({ name }) => name)

/** The links that a default route leads to. */
export const uplinks = ({ network }: Place): ReadonlyArray<string> => [
  ...new Set(
    network.routes.filter(({ to, type }) => to.length === 0 && type === "unicast").flatMap(({ device }) => device ?? [])
  )
]

/** All addresses of a namespace of this family, those of loopback too. */
export const addresses = ({ network }: Place, family: 4 | 6): ReadonlyArray<string> =>
  network.links.flatMap((link) =>
    link.addresses.filter((each) => each.family === family).map(({ text }) => text.split("/")[0] ?? "")
  )

/** The family of an address. */
export const familyOf = (address: string): 4 | 6 => address.includes(":") ? 6 : 4

/** Whether two texts are the same address. */
export const isSame = (left: string, right: string): boolean => {
  const [one, other] = [Cidr.parseAddress(left), Cidr.parseAddress(right)]
  return one !== undefined && other !== undefined && Cidr.isSameAddress(one, other)
}

/** Whether a namespace has an address, that of its loopback link too. */
export const hasAddress = (place: Place, address: string): boolean =>
  addresses(place, familyOf(address)).some((each) => isSame(each, address))

const isLoopback = (address: string): boolean => {
  const parsed = Cidr.parseAddress(address)
  return parsed !== undefined && Cidr.isLoopback(parsed)
}

/** Whether an address leads to a namespace from outside. */
export const isReachedBy = (place: Place, address: string): boolean =>
  hasAddress(place, address) && !isLoopback(address)

/** The addresses by which others reach a container, those of IPv4 first. */
export const reachable = (place: Place): ReadonlyArray<string> =>
  ([4, 6] as const).flatMap((family) => addresses(place, family)).filter((each) =>
    !isLoopback(each) && !each.toLowerCase().startsWith("fe80:")
  )

/** Whether two places are one namespace, as for a pod in the network of the host. */
export const isSameNamespace = (left: Place, right: Place): boolean => left.id === right.id

/** The place with a name that no other of these namespaces has. */
export const named = (place: Place, others: ReadonlyArray<Place>): Place =>
  others.some((each) => each.name === place.name && !isSameNamespace(each, place))
    ? { ...place, name: `${place.name} (${place.netns})` }
    : place

/** The bridge of a port, which routing sees in its place; the link itself if it is no port. */
export const routedLink = ({ network }: Place, link: string | undefined): string =>
  network.links.find(({ name }) => name === link)?.master ?? link ?? ""
