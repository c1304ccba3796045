/** Traces a flow: prepares the namespaces, sends or waits, follows the packets, and says how it ended. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Attachment from "../doctor/facts/Attachment.ts"
import * as Cidr from "../network/Cidr.ts"
import * as Counters from "./Counters.ts"
import * as Explanation from "./Explanation.ts"
import * as Journey from "./Journey.ts"
import * as NamespaceTrace from "./NamespaceTrace.ts"
import type { Outcome } from "./Outcome.ts"
import * as Place from "./Place.ts"
import type * as Probe from "./Probe.ts"
import * as RuleAuthors from "./RuleAuthors.ts"
import * as Ruleset from "./Ruleset.ts"
import type * as Selector from "./Selector.ts"
import * as Sender from "./Sender.ts"
import type { Subject } from "./Subject.ts"

/** An address with a port. */
export interface Target {
  readonly address: string
  readonly port: number
}

/** What to trace. */
export interface Request {
  readonly subject: Subject | undefined
  /** Where to send to; undefined to wait for packets. */
  readonly to: Target | undefined
  /** The port to wait for packets to, of the container or published for it. */
  readonly port: number
  readonly protocol: "tcp" | "udp"
  /** Whether the host sends. */
  readonly fromHost: boolean
  /** The address to send from, or whose packets to wait for. */
  readonly from: string | undefined
  /** How many bytes to send. */
  readonly size: number
  /** How many packets or connections to send or to wait for, one after the other. */
  readonly count: number
  /** How long to wait for each, in milliseconds. */
  readonly timeout: number
  /** Logs with changes of plugins: files or patterns. */
  readonly logs: ReadonlyArray<string>
  /** The attachments of all containers. */
  readonly attachments: ReadonlyArray<Attachment.AttachmentId>
  /** Our own executable, to send from another namespace. */
  readonly executable: readonly [program: string, ...args: ReadonlyArray<string>]
}

/** What happens, as it happens. */
export type Step =
  | { readonly _tag: "Tables"; readonly table: string; readonly places: ReadonlyArray<string> }
  | { readonly _tag: "Note"; readonly text: string }
  | { readonly _tag: "Sending"; readonly place: string; readonly from: Target; readonly to: Target }
  | {
    readonly _tag: "Waiting"
    readonly place: string
    readonly port: number
    /** The port of the host that is published for it. */
    readonly published: number | undefined
    readonly timeout: number
  }
  | { readonly _tag: "Hops"; readonly hops: ReadonlyArray<Journey.Hop> }
  | { readonly _tag: "End"; readonly outcome: Outcome }

/** The request makes no sense. */
export class Unclear extends Data.TaggedError("Unclear")<{ readonly message: string }> {}

const familyOf = (address: string): 4 | 6 => address.includes(":") ? 6 : 4

const isSame = (left: string, right: string): boolean => {
  const [one, other] = [Cidr.parseAddress(left), Cidr.parseAddress(right)]
  return one !== undefined && other !== undefined && Cidr.isSameAddress(one, other)
}

const hasAddress = (place: Place.Place, address: string): boolean =>
  Place.addresses(place, familyOf(address)).some((each) => isSame(each, address))

/** Whether an address leads to a namespace from outside. */
const isReachedBy = (place: Place.Place, address: string): boolean => hasAddress(place, address) && !isLoopback(address)

const isLoopback = (address: string): boolean => {
  const parsed = Cidr.parseAddress(address)
  return parsed !== undefined && Cidr.isLoopback(parsed)
}

/** The addresses of a container, without those of its loopback link. */
const addressesOf = ({ network }: Place.Place): ReadonlyArray<string> =>
  network.links.filter(({ name }) => name !== "lo").flatMap(({ addresses }) =>
    addresses.filter(({ text }) => !text.startsWith("fe80:")).map(({ text }) => text.split("/")[0] ?? "")
  )

const resultAddresses = ({ result }: Attachment.AttachmentId): ReadonlyArray<string> =>
  Result.isSuccess(result) ? (result.success.ips ?? []).map((ip) => ip?.address?.split("/")[0] ?? "") : []

/** The attachment that an address and a port lead to: by its own address, or by a published port of the host. */
const receiverOf = ({ attachments, protocol }: Request, to: Target, host: Place.Place, sender: Place.Place) => {
  const byPort = sender === host ? hasAddress(host, to.address) : isReachedBy(host, to.address)
  return attachments.find((each) =>
    each.netns !== "" && (resultAddresses(each).some((own) => isSame(own, to.address)) ||
      (byPort && each.portMappings.some((one) => one.hostPort === to.port && one.protocol === protocol)))
  )
}

/** The ports that a sender tries, one after the other. */
const portRange = (count: number) => {
  const size = Math.max(8, count)
  const first = 40_000 + Math.floor(Math.random() * (20_000 - size))
  return { first, last: first + size - 1 }
}

/** A namespace, and what to trace in it. */
interface Plan {
  readonly place: Place.Place
  readonly selectors: ReadonlyArray<Selector.Selector>
  readonly devices: ReadonlyArray<string>
}

/** The links of the host on which packets of these containers, and of the world, arrive. */
const hostDevices = (host: Place.Place, containers: ReadonlyArray<Place.Place>): ReadonlyArray<string> => [
  ...new Set([...containers.flatMap((each) => Place.linksTo(host, each)), ...Place.uplinks(host)])
]

const insideDevices = ({ network }: Place.Place): ReadonlyArray<string> =>
  network.links.filter(({ isUp, name }) => name !== "lo" && isUp).map(({ name }) => name)

/** Whether two places are one namespace, as for a pod in the network of the host. */
const isHost = (host: Place.Place, other: Place.Place): boolean =>
  Place.linksTo(host, other).length === 0 &&
  host.network.links.length === other.network.links.length &&
  host.network.links.every(({ index, mac, name }) =>
    other.network.links.some((each) => each.index === index && each.mac === mac && each.name === name)
  )

interface Prepared {
  readonly plans: ReadonlyArray<Plan>
  readonly host: Place.Place
  readonly sender: Place.Place | undefined
  /** The namespace of the receiver, if it is on this host. */
  readonly receiver: Place.Place | undefined
  readonly flow: { readonly receivers: ReadonlyArray<Target>; readonly source: string | undefined }
  readonly sourcePorts: { readonly first: number; readonly last: number } | undefined
}

const without = (plans: ReadonlyArray<Plan>): ReadonlyArray<Plan> => {
  const places = new Map<string, Plan>()
  for (const plan of plans) {
    const known = places.get(plan.place.name)
    places.set(
      plan.place.name,
      known === undefined ? plan : { ...known, selectors: [...known.selectors, ...plan.selectors] }
    )
  }
  return [...places.values()]
}

/** Plans to send. */
const toSend = Effect.fnUntraced(function*(
  request: Request,
  to: Target,
  host: Place.Place,
  container: Place.Place | undefined
) {
  const { count, from, fromHost, protocol } = request
  const sender = fromHost ? host : container
  if (sender === undefined) {
    return yield* new Unclear({ message: "nobody to send from: name a container, or give --from host" })
  }
  if (from !== undefined && !hasAddress(sender, from)) {
    return yield* new Unclear({ message: `--from ${from}: ${sender.name} does not have this address` })
  }
  const attached = receiverOf(request, to, host, sender)
  const receiver = hasAddress(sender, to.address) && attached === undefined
    ? sender
    : attached === undefined
    ? isReachedBy(host, to.address) ? host : undefined
    : attached.netns === container?.netns
    ? container
    : yield* Place.look(attached.pod ?? attached.containerId.slice(0, 12), attached.netns)
  const family = familyOf(to.address)
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
  const mapping = attached?.portMappings.find((each) => each.hostPort === to.port && each.protocol === protocol)
  const inside: Target | undefined = receiver === undefined || receiver === host
    ? undefined
    : isReachedBy(receiver, to.address)
    ? to
    : {
      address: resultAddresses(attached as Attachment.AttachmentId).find((each) => familyOf(each) === family) ?? "",
      port: mapping?.containerPort ?? to.port
    }
  const containers = [sender, receiver].filter((each) => each !== undefined && each !== host) as ReadonlyArray<
    Place.Place
  >
  return {
    host,
    sender,
    receiver,
    sourcePorts,
    flow: { source, receivers: [to, ...(inside === undefined ? [] : [inside])] },
    plans: without([
      ...(sender === host ? [] : [{ place: sender, selectors: [sent], devices: insideDevices(sender) }]),
      { place: host, selectors: [sent], devices: hostDevices(host, containers) },
      ...(receiver === undefined || receiver === host || inside === undefined ? [] : [{
        place: receiver,
        // Nat may have changed the source, but hardly its port.
        selectors: [{ ...sent, sources: [], destinations: [inside.address], destinationPort: inside.port }],
        devices: insideDevices(receiver)
      }])
    ])
  } satisfies Prepared
})

/** Plans to wait. */
const toWait = Effect.fnUntraced(function*(request: Request, host: Place.Place, container: Place.Place | undefined) {
  const { from, port, protocol, subject } = request
  const receiver = container ?? host
  const mapping = subject?.attachments.flatMap(({ portMappings }) => portMappings)
    .filter((each) => each.protocol === protocol)
    .find((each, _, all) =>
      all.some(({ hostPort }) => hostPort === port) ? each.hostPort === port : each.containerPort === port
    )
  const own = receiver === host
    ? ([4, 6] as const).flatMap((family) => Place.addresses(host, family))
    : addressesOf(receiver)
  const published = mapping === undefined || receiver === host
    ? []
    : ([4, 6] as const).flatMap((family) => Place.addresses(host, family)).filter((each) =>
      mapping.hostIP === "" || /^(?:0\.0\.0\.0|::)$/.test(mapping.hostIP) || isSame(mapping.hostIP, each)
    )
  const families = new Set(own.map(familyOf).filter((each) => from === undefined || each === familyOf(from)))
  const inside = mapping?.containerPort ?? port
  const selectorsFor = (addresses: ReadonlyArray<string>, destinationPort: number) =>
    [...families].flatMap((family): ReadonlyArray<Selector.Selector> => {
      const destinations = addresses.filter((each) => familyOf(each) === family)
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
    flow: {
      source: undefined,
      receivers: [
        ...targets(own, inside),
        ...(mapping === undefined ? [] : targets(published, mapping.hostPort))
      ]
    },
    plans: without([
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
})

/** What comes while a packet is followed. */
type Incoming = NamespaceTrace.Seen | { readonly _tag: "Answer"; readonly answer: Probe.Answer }

/**
 * How long related events of several namespaces may be apart, and how long to collect them at most, in milliseconds.
 * Each namespace has a monitor of its own, which may list all rules before it prints its first event.
 */
const apart = { each: 100, all: 500 } as const

/** How long to go on after the end is known, for what still comes, in milliseconds. */
const grace = 150

/** How long a packet that is waited for may need, with its answer, in milliseconds. */
const settled = 1500

/** Where a hop is on the way: before, on, or after the host. */
const rank = ({ hook, place }: Journey.Hop): number =>
  place === Place.host ? 1 : hook === "output" || hook === "postrouting" ? 0 : 2

const directions = { there: 0, back: 1 } as const

const inOrder = (hops: ReadonlyArray<Journey.Hop>): ReadonlyArray<Journey.Hop> =>
  hops.toSorted((left, right) => directions[left.direction] - directions[right.direction] || rank(left) - rank(right))

/** Lists the rules of a namespace again where an event is about a younger one. */
const refresh = Effect.fnUntraced(function*(
  rulesets: Map<string, NamespaceTrace.NamespaceTrace>,
  batch: ReadonlyArray<Incoming>
) {
  for (const [name, known] of rulesets) {
    const isOlder = batch.some((one) =>
      one._tag === "Event" && one.place === name && Ruleset.isOlder(known.ruleset, one.event)
    )
    if (!isOlder) continue
    const ruleset = yield* Ruleset.list(known.place.netns)
    if (Result.isSuccess(ruleset)) rulesets.set(name, { ...known, ruleset: ruleset.success })
  }
})

/** Follows one flow until its end is known. */
const follow = Effect.fnUntraced(function*<E, R>(
  incoming: Queue.Dequeue<Incoming>,
  flow: Journey.Flow,
  rulesets: Map<string, NamespaceTrace.NamespaceTrace>,
  { isWaiting, table, timeout }: { readonly isWaiting: boolean; readonly table: string; readonly timeout: number },
  tell: (step: Step) => Effect.Effect<void, E, R>
) {
  const journey = new Journey.Journey(flow)
  const hops: Array<Journey.Hop> = []
  let answer: Probe.Answer | undefined
  let hasLost = false
  let deadline = (yield* Clock.currentTimeMillis) + timeout
  let isEnding = false
  while (true) {
    const left = deadline - (yield* Clock.currentTimeMillis)
    if (left <= 0) break
    const first = yield* Effect.timeoutOption(Queue.takeAll(incoming), left)
    if (Option.isNone(first)) break
    const batch: Array<Incoming> = [...first.value]
    for (let waited = 0; waited < apart.all; waited += apart.each) {
      yield* Effect.sleep(apart.each)
      const more = yield* Queue.clear(incoming)
      if (more.length === 0) break
      batch.push(...more)
    }
    yield* refresh(rulesets, batch)
    const hadBegun = journey.hasBegun
    const found: Array<Journey.Hop> = []
    for (const one of batch) {
      if (one._tag === "Answer") answer = one.answer
      else if (one._tag === "Loss") hasLost = true
      else {
        const ruleset = rulesets.get(one.place)?.ruleset
        const hop = ruleset && journey.take(one.place, one.event, ruleset, table)
        if (hop !== undefined) found.push(hop)
      }
    }
    const ordered = inOrder(found)
    hops.push(...ordered)
    if (ordered.length > 0) yield* tell({ _tag: "Hops", hops: ordered })
    const now = yield* Clock.currentTimeMillis
    if (!isEnding && (answer !== undefined || hops.some(Journey.isDrop))) {
      isEnding = true
      deadline = now + grace
    } else if (isWaiting && !hadBegun && journey.hasBegun) deadline = Math.min(now + settled, deadline + settled)
  }
  return { hops, answer, hasLost }
})

/** What is known when a flow has ended. */
interface Followed {
  readonly hops: ReadonlyArray<Journey.Hop>
  readonly answer: Probe.Answer | undefined
  readonly hasLost: boolean
}

/** Whether a packet is a report of ICMP about another one. */
const isReport = ({ packet }: Journey.Hop): boolean => packet.protocol.startsWith("icmp")

/** Says how it ended. */
const conclude = Effect.fnUntraced(function*(
  { host, plans, receiver, sender }: Prepared,
  { answer, hasLost, hops }: Followed,
  request: Request,
  before: ReadonlyMap<string, Counters.Counters>
) {
  const { logs, timeout, to } = request
  const places = new Map(plans.map(({ place }) => [place.name, place]))
  const dropped = hops.find(Journey.isDrop)
  if (dropped !== undefined) {
    const author = yield* RuleAuthors.find(dropped, dropped.place === Place.host ? "host" : "container", logs)
    return { _tag: "Dropped", hop: dropped, author } satisfies Outcome
  }
  if (answer?.outcome === "answered" || answer?.outcome === "refused") {
    return { _tag: "Arrived", proof: answer.outcome, place: receiver?.name } satisfies Outcome
  }
  const there = hops.filter(({ direction }) => direction === "there")
  const last = there.at(-1)
  const back = hops.filter(({ direction }) => direction === "back")
  const reports = [
    ...new Set(
      back.filter(isReport).map(({ packet }) => `${packet.source} reported: ${packet.protocol} ${packet.kind}`)
    )
  ]
  const reply = back.find((hop) => !isReport(hop))
  if (sender === undefined && last !== undefined && reply !== undefined) {
    const proof = reply.packet.kind.includes("rst") ? "refused" : "answered"
    return { _tag: "Arrived", proof, place: receiver?.name } satisfies Outcome
  }
  const lost = (place: string, hook: string, cause: Explanation.Cause | undefined): Outcome => ({
    _tag: "Lost",
    place,
    hook,
    cause: cause === undefined ? undefined : { ...cause, evidence: [...cause.evidence, ...reports] }
  })
  const risenIn = Effect.fnUntraced(function*(place: Place.Place) {
    return Counters.risen(before.get(place.name) ?? new Map(), yield* Counters.read(place.netns))
  })
  if (last === undefined) {
    if (sender !== undefined && to !== undefined && answer?.outcome === "failed") {
      return lost(sender.name, "", yield* Explanation.sending(sender, to.address, answer.code ?? ""))
    }
    if (sender === undefined) return { _tag: "Nothing", waited: timeout } satisfies Outcome
    return lost(sender.name, "", undefined)
  }
  if (hasLost) return { _tag: "Unknown", reason: "the kernel lost events of the trace" } satisfies Outcome
  const at = places.get(last.place) ?? host
  const { hook, packet } = last
  if (hook === "input" && (receiver === undefined || at.name === receiver.name)) {
    return { _tag: "Arrived", proof: "delivered", place: at.name } satisfies Outcome
  }
  const families = familyOf(packet.destination)
  const legacy = Effect.fnUntraced(function*(place: Place.Place, hook: string) {
    const rules = yield* Explanation.legacyRules(place, families)
    if (rules === undefined) return undefined
    return Explanation.legacy(rules, place, hook, packet, yield* Explanation.outLinkOf(place, packet))
  })
  if (hook === "postrouting" || hook === "egress") {
    const link = packet.outLink ?? ""
    const silent = yield* Explanation.neighbour(at, packet, link)
    const next = at === host
      ? [...places.values()].find((each) => each !== host && hasAddress(each, packet.destination))
      : Place.linksTo(at, host).includes(link)
      ? host
      : undefined
    // With rp_filter, the host does not answer ARP either.
    const outside = next === host
      ? host.network.links.find(({ name }) => Place.linksTo(host, at).includes(name))
      : undefined
    const filtered = outside === undefined ? undefined : yield* Explanation.reversePath(
      host,
      packet,
      outside.master ?? outside.name,
      yield* risenIn(host)
    )
    const unanswered = filtered === undefined || silent === undefined
      ? filtered
      : { ...filtered, evidence: [...filtered.evidence, silent.text, ...silent.evidence] }
    const refused: Explanation.Cause | undefined = reports.length === 0
      ? undefined
      : { text: "a router on the way refused it", evidence: [] }
    const cause = unanswered ?? silent ?? (next === undefined ? refused : yield* legacy(next, ""))
    if (cause !== undefined || next !== undefined) return lost(at.name, hook, cause)
    return { _tag: "Left", link, place: at.name } satisfies Outcome
  }
  const risen = yield* risenIn(at)
  const cause = (yield* legacy(at, hook)) ??
    (hook === "forward" ? undefined : yield* Explanation.routing(at, packet, bridgeOf(at, packet.inLink), risen))
  return lost(at.name, hook, cause)
})

/** The bridge of a port, which routing sees in its place. */
const bridgeOf = ({ network }: Place.Place, link: string | undefined): string =>
  network.links.find(({ name }) => name === link)?.master ?? link ?? ""

/** Traces, and reports each step. */
export const run = Effect.fnUntraced(function*<E, R>(
  request: Request,
  tell: (step: Step) => Effect.Effect<void, E, R>
) {
  const { count, executable, protocol, size, subject, timeout, to } = request
  const host = yield* Place.look(Place.host, undefined)
  const looked = subject === undefined ? undefined : yield* Place.look(subject.name, subject.netns)
  const container = looked === undefined || isHost(host, looked) ? undefined : looked
  const way = yield* to === undefined
    ? toWait(request, host, container)
    : toSend(
      container === undefined && subject !== undefined ? { ...request, fromHost: true } : request,
      to,
      host,
      container
    )
  const { flow, plans, receiver, sender, sourcePorts } = way
  const table = `cni-passthrough-trace-${process.pid}`
  const prepared = yield* Effect.forEach(
    plans,
    (plan) => Effect.map(NamespaceTrace.prepare(plan.place), (ruleset) => ({ ...plan, ruleset })),
    { concurrency: "unbounded" }
  )
  yield* tell({ _tag: "Tables", table, places: plans.map(({ place }) => place.name) })
  const incoming = yield* Queue.unbounded<Incoming>()
  const traces = yield* Effect.forEach(
    prepared,
    ({ devices, place, ruleset, selectors }) =>
      NamespaceTrace.start(place, ruleset, { table, selectors, devices }, incoming),
    { concurrency: "unbounded" }
  )
  for (const { hasArriving, place } of traces) {
    if (hasArriving) continue
    yield* tell({
      _tag: "Note",
      text:
        `rules of netdev and bridge tables in ${place.name} are not traced: this kernel cannot mark packets where they arrive`
    })
  }
  for (const { place } of traces) {
    const rules = yield* Explanation.legacyRules(place, familyOf(to?.address ?? flow.receivers[0]?.address ?? ""))
    if (rules === undefined) continue
    yield* tell({
      _tag: "Note",
      text: `rules of iptables-legacy in ${place.name} are not traced: what they do is predicted`
    })
  }
  const rulesets = new Map(traces.map((each) => [each.place.name, each]))
  const probe = sender === undefined || to === undefined
    ? undefined
    : yield* Sender.start(executable, sender.netns)
  const outcomes: Array<Outcome> = []
  let port = sourcePorts?.first ?? 0
  for (let number = 0; number < count; number++) {
    const before = new Map(
      yield* Effect.forEach(
        traces,
        ({ place }) => Effect.map(Counters.read(place.netns), (counters) => [place.name, counters] as const),
        {
          concurrency: "unbounded"
        }
      )
    )
    let followed: Followed
    if (probe !== undefined && to !== undefined && sender !== undefined) {
      const source = { address: flow.source ?? "", port }
      yield* tell({ _tag: "Sending", place: sender.name, from: source, to })
      const question: Probe.Question = {
        protocol,
        ...(request.from === undefined ? {} : { from: request.from }),
        sourcePort: port,
        to: to.address,
        port: to.port,
        size,
        timeout
      }
      const asked = Effect.flatMap(
        probe.ask(question),
        (answer) => Queue.offer(incoming, { _tag: "Answer", answer })
      )
      const journey = { protocol, sender: source, receivers: flow.receivers }
      const options = { isWaiting: false, table, timeout: timeout + grace * 10 }
      const both = yield* Effect.all([follow(incoming, journey, rulesets, options, tell), asked], {
        concurrency: "unbounded"
      })
      followed = both[0]
      port++
    } else {
      yield* tell({
        _tag: "Waiting",
        place: receiver?.name ?? Place.host,
        port: flow.receivers[0]?.port ?? request.port,
        published: flow.receivers.find(({ port }) => port !== flow.receivers[0]?.port)?.port,
        timeout
      })
      const journey = { protocol, sender: undefined, receivers: flow.receivers }
      followed = yield* follow(incoming, journey, rulesets, { isWaiting: true, table, timeout }, tell)
    }
    const outcome = yield* conclude(way, followed, request, before)
    outcomes.push(outcome)
    yield* tell({ _tag: "End", outcome })
    if (outcome._tag === "Nothing") break
  }
  return outcomes as ReadonlyArray<Outcome>
}, Effect.scoped)
