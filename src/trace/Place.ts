/** A network namespace in which packets are traced. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Namespace from "../network/Namespace.ts"

/** A network namespace. */
export interface Place {
  /** Display name: `host`, or that of a container. */
  readonly name: string
  /** Its path; undefined for the namespace of this process, which is the host's. */
  readonly netns: string | undefined
  readonly network: Namespace.Namespace
}

/** The name of the host's namespace. */
export const host = "host"

/** A namespace cannot be looked into. */
export class Unseen extends Data.TaggedError("Unseen")<{ readonly place: string; readonly reason: string }> {
  override readonly message = `the network namespace of ${this.place} cannot be inspected: ${this.reason}`
}

export const look = Effect.fnUntraced(function*(name: string, netns: string | undefined) {
  const network = yield* Namespace.collect(netns)
  if (Result.isFailure(network)) return yield* new Unseen({ place: name, reason: network.failure })
  return { name, netns, network: network.success } satisfies Place
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
