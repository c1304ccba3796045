/** Plans a trace: which namespaces it passes, and which packets to mark in each. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Attachment from "../doctor/facts/Attachment.ts"
import * as Explanation from "./Explanation.ts"
import type { Request, Target } from "./Request.ts"
import type * as Selector from "./Selector.ts"
import * as TracedNamespace from "./TracedNamespace.ts"

/** The request makes no sense. */
export class Unclear extends Data.TaggedError("Unclear")<{ readonly message: string }> {}

const resultAddresses = ({ result }: Attachment.AttachmentId): ReadonlyArray<string> =>
  Result.isSuccess(result) ? (result.success.ips ?? []).map((ip) => ip?.address?.split("/")[0] ?? "") : []

/** Whether a port is published at this address of the host. */
export const isPublishedAt = (
  { hostIP, hostPort, protocol }: Attachment.PortMapping,
  { address, port }: Target,
  asked: Request["protocol"]
): boolean =>
  hostPort === port && protocol === asked &&
  (hostIP === "" || TracedNamespace.isSame(hostIP, address) ||
    hostIP === (TracedNamespace.familyOf(address) === 4 ? "0.0.0.0" : "::"))

/** An attachment that packets lead to, and where they are then sent to. */
export interface Candidate {
  readonly attachment: Attachment.AttachmentId
  readonly inside: Target
}

/** The attachments that an address and a port lead to: by an own address, or by a port published at the host's. */
export const candidates = (
  { attachments, protocol }: Pick<Request, "attachments" | "protocol">,
  to: Target,
  isOfHost: boolean
): ReadonlyArray<Candidate> =>
  attachments.filter(({ netns }) => netns !== "").flatMap((attachment): ReadonlyArray<Candidate> => {
    const own = resultAddresses(attachment)
    if (own.some((each) => TracedNamespace.isSame(each, to.address))) return [{ attachment, inside: to }]
    const mapping = isOfHost ? attachment.portMappings.find((each) => isPublishedAt(each, to, protocol)) : undefined
    const address = own.find((each) => TracedNamespace.familyOf(each) === TracedNamespace.familyOf(to.address))
    return mapping === undefined || address === undefined
      ? []
      : [{ attachment, inside: { address, port: mapping.containerPort } }]
  })

/**
 * The first candidate whose namespace has the address now. The cache may still have containers that are gone, and their
 * addresses are given to others.
 */
const receiverOf = Effect.fnUntraced(function*(
  request: Request,
  to: Target,
  host: TracedNamespace.Place,
  sender: TracedNamespace.Place
) {
  const isOfHost = sender === host
    ? TracedNamespace.hasAddress(host, to.address)
    : TracedNamespace.isReachedBy(host, to.address)
  for (const { attachment, inside } of candidates(request, to, isOfHost)) {
    const { containerId, netns, pod } = attachment
    const looked = yield* Effect.option(TracedNamespace.look(pod ?? containerId.slice(0, 12), netns, containerId))
    if (Option.isNone(looked) || !TracedNamespace.hasAddress(looked.value, inside.address)) continue
    const known = [host, sender].find((each) => TracedNamespace.isSameNamespace(each, looked.value))
    return { place: known ?? TracedNamespace.named(looked.value, [host, sender]), inside }
  }
  return undefined
})

/** How many ports a sender may find in use. */
const spare = 8

/** The ports that a sender uses, one for each packet or connection. */
const portRange = (count: number) => {
  const size = count + spare
  const first = 40_000 + Math.floor(Math.random() * (20_000 - size))
  return { first, last: first + size - 1 }
}

/** A namespace, and what to trace in it. */
export interface Plan {
  readonly place: TracedNamespace.Place
  readonly selectors: ReadonlyArray<Selector.Selector>
  readonly devices: ReadonlyArray<string>
}

/** The links of the host on which packets of these containers, and of the world, arrive. */
const hostDevices = (
  host: TracedNamespace.Place,
  containers: ReadonlyArray<TracedNamespace.Place>
): ReadonlyArray<string> => [
  ...new Set([...containers.flatMap((each) => TracedNamespace.linksTo(host, each)), ...TracedNamespace.uplinks(host)])
]

const insideDevices = ({ network }: TracedNamespace.Place): ReadonlyArray<string> =>
  network.links.filter(({ isUp, name }) => name !== "lo" && isUp).map(({ name }) => name)

/** All that is prepared before a packet is sent, or waited for. */
export interface Prepared {
  readonly plans: ReadonlyArray<Plan>
  readonly host: TracedNamespace.Place
  readonly sender: TracedNamespace.Place | undefined
  /** The namespace of the receiver, if it is on this host. */
  readonly receiver: TracedNamespace.Place | undefined
  readonly flow: { readonly receivers: ReadonlyArray<Target>; readonly source: string | undefined }
  readonly sourcePorts: { readonly first: number; readonly last: number } | undefined
  /** Where to send to; undefined to wait for packets. */
  readonly to: Target | undefined
  readonly protocol: Request["protocol"]
}

/** One plan a namespace, with the selectors of all. */
const merged = (plans: ReadonlyArray<Plan>): ReadonlyArray<Plan> => {
  const places = new Map<string, Plan>()
  for (const plan of plans) {
    const known = places.get(plan.place.id)
    places.set(
      plan.place.id,
      known === undefined ? plan : { ...known, selectors: [...known.selectors, ...plan.selectors] }
    )
  }
  return [...places.values()]
}

/** Plans to send. */
const toSend = Effect.fnUntraced(function*(
  request: Request,
  to: Target,
  host: TracedNamespace.Place,
  container: TracedNamespace.Place | undefined
) {
  const { count, from, fromHost, protocol } = request
  const sender = fromHost ? host : container
  if (sender === undefined) {
    return yield* new Unclear({ message: "no sender: name a container, or give --from host" })
  }
  if (from !== undefined && !TracedNamespace.hasAddress(sender, from)) {
    return yield* new Unclear({ message: `--from ${from}: ${sender.name} does not have this address` })
  }
  const attached = yield* receiverOf(request, to, host, sender)
  const receiver = attached !== undefined
    ? attached.place
    : TracedNamespace.hasAddress(sender, to.address)
    ? sender
    : TracedNamespace.isReachedBy(host, to.address)
    ? host
    : undefined
  const family = TracedNamespace.familyOf(to.address)
  const source = from ?? (yield* Explanation.sourceFor(sender, to.address))
  const sourcePorts = portRange(count)
  const sent: Selector.Selector = {
    family,
    protocol,
    sources: source === undefined ? [] : [source],
    sourcePorts,
    destinations: [to.address],
    destinationPort: to.port
  }
  const inside: Target | undefined = receiver === undefined || receiver === host ? undefined : attached?.inside ?? to
  const received = inside && { ...sent, sources: [], destinations: [inside.address], destinationPort: inside.port }
  const containers = [sender, receiver].filter((each) => each !== undefined && each !== host) as ReadonlyArray<
    TracedNamespace.Place
  >
  return {
    host,
    sender,
    receiver,
    sourcePorts,
    to,
    protocol,
    flow: { source, receivers: [to, ...(inside === undefined ? [] : [inside])] },
    plans: merged([
      ...(sender === host ? [] : [{ place: sender, selectors: [sent], devices: insideDevices(sender) }]),
      { place: host, selectors: [sent], devices: hostDevices(host, containers) },
      ...(receiver === undefined || receiver === host || received === undefined ? [] : [{
        place: receiver,
        // Nat may have changed the source and its port. The second selects packets of others too, within its own limit.
        selectors: [received, { ...received, sourcePorts: undefined }],
        devices: insideDevices(receiver)
      }])
    ])
  } satisfies Prepared
})

/** Plans to wait. */
const toWait = Effect.fnUntraced(
  function*(request: Request, host: TracedNamespace.Place, container: TracedNamespace.Place | undefined) {
    const { from, port, protocol, subject } = request
    const receiver = container ?? host
    const mapping = subject?.attachments.flatMap(({ portMappings }) => portMappings)
      .filter((each) => each.protocol === protocol)
      .find((each, _, all) =>
        all.some(({ hostPort }) => hostPort === port) ? each.hostPort === port : each.containerPort === port
      )
    const own = receiver === host
      ? ([4, 6] as const).flatMap((family) => TracedNamespace.addresses(host, family))
      : TracedNamespace.reachable(receiver)
    const published = mapping === undefined || receiver === host
      ? []
      : ([4, 6] as const).flatMap((family) => TracedNamespace.addresses(host, family)).filter((each) =>
        mapping.hostIP === "" || /^(?:0\.0\.0\.0|::)$/.test(mapping.hostIP) ||
        TracedNamespace.isSame(mapping.hostIP, each)
      )
    const families = new Set(
      own.map(TracedNamespace.familyOf).filter((each) => from === undefined || each === TracedNamespace.familyOf(from))
    )
    const inside = mapping?.containerPort ?? port
    const selectorsFor = (addresses: ReadonlyArray<string>, destinationPort: number) =>
      [...families].flatMap((family): ReadonlyArray<Selector.Selector> => {
        const destinations = addresses.filter((each) => TracedNamespace.familyOf(each) === family)
        return destinations.length === 0 ? [] : [{
          family,
          protocol,
          sources: from === undefined ? [] : [from],
          sourcePorts: undefined,
          destinations,
          destinationPort
        }]
      })
    const direct = selectorsFor(own, inside)
    if (direct.length === 0) return yield* new Unclear({ message: `${receiver.name} has no address to wait at` })
    const outside = mapping === undefined ? [] : selectorsFor(published, mapping.hostPort)
    const targets = (addresses: ReadonlyArray<string>, port: number) => addresses.map((address) => ({ address, port }))
    return {
      host,
      sender: undefined,
      receiver,
      sourcePorts: undefined,
      to: undefined,
      protocol,
      flow: {
        source: undefined,
        receivers: [
          ...targets(own, inside),
          ...(mapping === undefined ? [] : targets(published, mapping.hostPort))
        ]
      },
      plans: merged([
        {
          place: host,
          selectors: [...outside, ...direct],
          devices: hostDevices(host, receiver === host ? [] : [receiver])
        },
        ...(receiver === host
          ? []
          : [{
            place: receiver,
            selectors: direct.map((each) => ({ ...each, sources: [] })),
            devices: insideDevices(receiver)
          }])
      ])
    } satisfies Prepared
  }
)

/** Looks at the namespaces, and plans what to trace in each. */
export const make = Effect.fnUntraced(function*(request: Request) {
  const { fromHost, port, subject, to } = request
  const host = yield* TracedNamespace.look(TracedNamespace.host, undefined)
  const looked = subject === undefined
    ? undefined
    : yield* TracedNamespace.look(subject.name, subject.netns, subject.attachments[0]?.containerId)
  const container = looked === undefined || TracedNamespace.isSameNamespace(host, looked)
    ? undefined
    : TracedNamespace.named(looked, [host])
  const isOfHost = fromHost || (container === undefined && subject !== undefined)
  if (to === undefined && !fromHost) return yield* toWait(request, host, container)
  const [address] = container === undefined ? [] : TracedNamespace.reachable(container)
  const target = to ?? (address === undefined ? undefined : { address, port })
  if (target === undefined) {
    return yield* new Unclear({
      message: "--port with --from host sends to a container with an address: name one, or give --to"
    })
  }
  return yield* toSend({ ...request, fromHost: isOfHost }, target, host, container)
})
