/** Decides how a packet's path ended, only from what was seen. */
import * as Effect from "effect/Effect"
import * as Counters from "./Counters.ts"
import * as Explanation from "./Explanation.ts"
import * as Journey from "./Journey.ts"
import type { Outcome } from "./Outcome.ts"
import type { Followed } from "./PacketFollower.ts"
import type { Prepared } from "./Plan.ts"
import type { Request } from "./Request.ts"
import * as RuleAuthors from "./RuleAuthors.ts"
import * as TracedNamespace from "./TracedNamespace.ts"
import type { Packet } from "./TraceOutput.ts"

/** The counters of each namespace, by its name, before anything was sent. */
export type Before = ReadonlyMap<string, Counters.Counters>

const isReport = ({ packet }: Journey.Hop): boolean => packet.protocol.startsWith("icmp")

/**
 * Whether the receiver itself refused. The sender's report is not enough: Bun reports any failure to connect as
 * refused, and routers refuse too.
 */
const isRefusal = (receiver: string) => (hop: Journey.Hop): boolean =>
  isReport(hop)
    ? hop.packet.kind.includes("port-unreachable") && TracedNamespace.isSame(hop.packet.source, receiver)
    : hop.packet.kind.includes("rst")

/** What ICMP reported about the packet. */
const reportsIn = (back: ReadonlyArray<Journey.Hop>): ReadonlyArray<string> => [
  ...new Set(back.filter(isReport).map(({ packet }) => `${packet.source} reported: ${packet.protocol} ${packet.kind}`))
]

const risenIn = Effect.fnUntraced(function*(place: TracedNamespace.Place, before: Before) {
  return Counters.risen(before.get(place.name) ?? new Map(), yield* Counters.read(place.netns))
})

/** What rules of iptables-legacy did after a hook. */
const legacy = Effect.fnUntraced(function*(place: TracedNamespace.Place, hook: string, packet: Packet) {
  const rules = yield* Explanation.legacyRules(place, TracedNamespace.familyOf(packet.destination))
  return rules === undefined
    ? undefined
    : Explanation.legacy(rules, place, hook, packet, yield* Explanation.outLinkOf(place, packet))
})

/** The traced namespace that a packet should come to next by a link; undefined if it leaves what is traced. */
const nextOf = ({ host, plans }: Prepared, at: TracedNamespace.Place, { destination, outLink = "" }: Packet) => {
  if (at !== host) return TracedNamespace.linksTo(at, host).includes(outLink) ? host : undefined
  return plans.map(({ place }) => place).find((each) => each !== host && TracedNamespace.hasAddress(each, destination))
}

/** Why a packet that was routed to a link did not come to the next namespace. */
const betweenNamespaces = Effect.fnUntraced(function*(
  prepared: Prepared,
  at: TracedNamespace.Place,
  next: TracedNamespace.Place | undefined,
  packet: Packet,
  before: Before
) {
  const { host } = prepared
  const silent = yield* Explanation.neighbour(at, packet, packet.outLink ?? "")
  const [link] = next === host ? TracedNamespace.linksTo(host, at) : []
  // The filter by the reverse path makes the host silent to ARP too, and then the packet never leaves.
  const filtered = link === undefined
    ? undefined
    : yield* Explanation.reversePath(host, packet, TracedNamespace.routedLink(host, link), yield* risenIn(host, before))
  if (filtered !== undefined && silent !== undefined) {
    return { ...filtered, evidence: [...filtered.evidence, silent.text, ...silent.evidence] }
  }
  return filtered ?? silent ?? (next === undefined ? undefined : yield* legacy(next, "", packet))
})

/** The namespace where a packet was seen last. */
const placeOf = ({ host, plans }: Prepared, { place }: Journey.Hop): TracedNamespace.Place =>
  plans.find((plan) => plan.place.name === place)?.place ?? host

/** Whether a packet passed our own chain at the end of its last hook, and with it all rules of iptables-legacy there. */
const hasPassed = (hops: ReadonlyArray<Journey.Hop>, last: Journey.Hop): boolean =>
  hops.some(({ direction, hook, isOwn, place }) =>
    direction === "there" && isOwn && hook === last.hook && place === last.place
  )

/**
 * Where an answered packet arrived: at the receiver, unless events show that it went elsewhere, because the receiver's
 * last events may be late. Undefined if it went to a place whose name is not known.
 */
const reached = (prepared: Prepared, last: Journey.Hop | undefined): string | undefined => {
  const { host, receiver } = prepared
  if (last === undefined || receiver === undefined || receiver === host || placeOf(prepared, last) !== host) {
    return receiver?.name
  }
  if (last.hook === "input") return host.name
  const isElsewhere = last.hook === "postrouting" && !TracedNamespace.hasAddress(receiver, last.packet.destination)
  return isElsewhere ? undefined : receiver.name
}

/**
 * How a refused packet ended. A rule of iptables-legacy refuses as the receiver does, but the packet is then not seen at
 * the end of the hook.
 */
const refused = Effect.fnUntraced(function*(
  prepared: Prepared,
  hops: ReadonlyArray<Journey.Hop>,
  last: Journey.Hop | undefined
) {
  if (last === undefined) {
    return { _tag: "Unknown", reason: "it was refused, but was not seen on its way" } satisfies Outcome
  }
  const { host } = prepared
  const { hook, packet } = last
  const at = placeOf(prepared, last)
  const arrived = (place: string | undefined): Outcome => ({ _tag: "Arrived", proof: "refused", place })
  if (hasPassed(hops, last)) {
    if (hook === "input") return arrived(at.name)
    if (hook === "postrouting" && (at === host || nextOf(prepared, at, packet) === undefined)) {
      return arrived(reached(prepared, last))
    }
  }
  const cause = yield* legacy(at, hook, packet)
  if (cause !== undefined) return { _tag: "Lost", place: at.name, hook, cause } satisfies Outcome
  return (yield* Explanation.legacyRules(at, TracedNamespace.familyOf(packet.destination))) === undefined
    ? arrived(reached(prepared, last))
    : {
      _tag: "Unknown",
      reason: `it was refused by the receiver, or by a rule of iptables-legacy in ${at.name}, which is not traced`
    } satisfies Outcome
})

/** Whether a packet is another one than the first of its direction, of which all hops are followed. */
const isLater = (hops: ReadonlyArray<Journey.Hop>, { direction, packet }: Journey.Hop): boolean =>
  !hops.some((each) =>
    !Journey.isDrop(each) && each.direction === direction && Journey.keyOf(each.packet) === Journey.keyOf(packet)
  )

/** Says how it ended. */
export const conclude = Effect.fnUntraced(function*(
  prepared: Prepared,
  { answer, hasLost, hops }: Followed,
  { logs, size, timeout }: Pick<Request, "logs" | "size" | "timeout">,
  before: Before
) {
  const { receiver, sender, to } = prepared
  const last = hops.findLast(({ direction }) => direction === "there")
  const back = hops.filter(({ direction }) => direction === "back")
  const reply = back.find((hop) => !isReport(hop))
  const dropped = hops.find(Journey.isDrop)
  const isReset = reply?.packet.kind.includes("rst") === true
  const isAnswered = answer?.outcome === "answered" || (sender === undefined && last !== undefined &&
    reply !== undefined && !isReset && (dropped === undefined || isLater(hops, dropped)))
  if (isAnswered) {
    return {
      _tag: "Arrived",
      proof: "answered",
      place: reached(prepared, last),
      ...(dropped === undefined ? {} : { droppedLater: dropped })
    } satisfies Outcome
  }
  if (dropped !== undefined) {
    const at = placeOf(prepared, dropped)
    const scope: RuleAuthors.Scope = at === prepared.host
      ? { place: "host", containerId: undefined }
      : { place: "container", containerId: at.containerId }
    const author = yield* RuleAuthors.find(dropped, scope, logs)
    return { _tag: "Dropped", hop: dropped, author } satisfies Outcome
  }
  if (
    (answer?.outcome === "refused" && back.some(isRefusal(to?.address ?? ""))) ||
    (sender === undefined && last !== undefined && isReset)
  ) {
    return yield* refused(prepared, hops, last)
  }
  if (answer?.outcome === "stalled") {
    return {
      _tag: "Unknown",
      reason: `the connection was accepted, but nothing came back for ${size} bytes within ${timeout / 1000} s`
    } satisfies Outcome
  }
  const answerSeen = back.findLast((hop) => !isReport(hop) || isRefusal(to?.address ?? "")(hop))
  if (
    answer?.outcome === "silent" && !hasLost && sender !== undefined && sender !== prepared.host &&
    answerSeen?.place === TracedNamespace.host
  ) {
    const { hook, packet, place } = answerSeen
    const cause = yield* Explanation.neighbour(prepared.host, packet, packet.outLink ?? "")
    return { _tag: "Lost", place, hook, cause, isAnswer: true } satisfies Outcome
  }
  const reports = reportsIn(back)
  const lost = (place: string, hook: string, cause: Explanation.Cause | undefined): Outcome => ({
    _tag: "Lost",
    place,
    hook,
    cause: cause && { ...cause, evidence: [...cause.evidence, ...reports] }
  })
  if (last === undefined) {
    if (sender === undefined || to === undefined) return { _tag: "Nothing", waited: timeout } satisfies Outcome
    const cause = answer?.outcome === "failed" || answer?.outcome === "refused"
      ? yield* Explanation.sending(sender, to.address, answer.code ?? "")
      : yield* legacy(sender, "", {
        inLink: undefined,
        outLink: undefined,
        source: prepared.flow.source ?? "",
        destination: to.address,
        protocol: prepared.protocol,
        sourcePort: undefined,
        destinationPort: to.port,
        id: undefined,
        length: undefined,
        kind: ""
      })
    return lost(sender.name, "", cause)
  }
  if (hasLost) return { _tag: "Unknown", reason: "the kernel lost events of the trace" } satisfies Outcome
  const { hook, packet } = last
  const at = placeOf(prepared, last)
  const isPassed = hasPassed(hops, last)
  if (hook === "input" && isPassed && (receiver === undefined || at === receiver)) {
    return { _tag: "Arrived", proof: "delivered", place: at.name } satisfies Outcome
  }
  if (hook === "postrouting" || hook === "egress") {
    const next = nextOf(prepared, at, packet)
    const cause = yield* betweenNamespaces(prepared, at, next, packet, before)
    const first = hops.find(({ direction }) => direction === "there")
    if (cause === undefined && next !== undefined && first?.packet.sourcePort !== packet.sourcePort) {
      return {
        _tag: "Unknown",
        reason: `nat changed its source port, and it was not recognized in ${next.name}`
      } satisfies Outcome
    }
    if (cause !== undefined || next !== undefined) return lost(at.name, hook, cause)
    return reports.length > 0
      ? {
        ...lost(at.name, hook, { text: "a router on the way refused it", evidence: [] }),
        isRefusedBeyond: true
      } as const
      : { _tag: "Left", link: packet.outLink ?? "", place: at.name } satisfies Outcome
  }
  const ruled = yield* legacy(at, hook, packet)
  if (ruled !== undefined || hook === "forward" || (hook === "input" && !isPassed)) {
    return lost(at.name, hook, ruled)
  }
  const arrived = TracedNamespace.routedLink(at, packet.inLink)
  return lost(at.name, hook, yield* Explanation.routing(at, packet, arrived, yield* risenIn(at, before)))
})
