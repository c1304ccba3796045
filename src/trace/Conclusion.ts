/** Says how the way of a packet ended, and claims no more than was seen. */
import * as Effect from "effect/Effect"
import * as Counters from "./Counters.ts"
import * as Explanation from "./Explanation.ts"
import type { Followed } from "./Follow.ts"
import * as Journey from "./Journey.ts"
import type { Outcome } from "./Outcome.ts"
import * as Place from "./Place.ts"
import type { Prepared } from "./Plan.ts"
import type { Request } from "./Request.ts"
import * as RuleAuthors from "./RuleAuthors.ts"
import type { Packet } from "./TraceOutput.ts"

/** The counters of each namespace, by its name, before anything was sent. */
export type Before = ReadonlyMap<string, Counters.Counters>

const isReport = ({ packet }: Journey.Hop): boolean => packet.protocol.startsWith("icmp")

/**
 * Whether the receiver itself refused. The word of the sender is not enough: Bun reports any failure to connect as
 * refused, and routers refuse too.
 */
const isRefusal = (receiver: string) => (hop: Journey.Hop): boolean =>
  isReport(hop)
    ? hop.packet.kind.includes("port-unreachable") && Place.isSame(hop.packet.source, receiver)
    : hop.packet.kind.includes("rst")

/** What ICMP reported about the packet. */
const reportsIn = (back: ReadonlyArray<Journey.Hop>): ReadonlyArray<string> => [
  ...new Set(back.filter(isReport).map(({ packet }) => `${packet.source} reported: ${packet.protocol} ${packet.kind}`))
]

const risenIn = Effect.fnUntraced(function*(place: Place.Place, before: Before) {
  return Counters.risen(before.get(place.name) ?? new Map(), yield* Counters.read(place.netns))
})

/** What rules of iptables-legacy did after a hook. */
const legacy = Effect.fnUntraced(function*(place: Place.Place, hook: string, packet: Packet) {
  const rules = yield* Explanation.legacyRules(place, Place.familyOf(packet.destination))
  return rules === undefined
    ? undefined
    : Explanation.legacy(rules, place, hook, packet, yield* Explanation.outLinkOf(place, packet))
})

/** The traced namespace that a packet should come to next by a link; undefined if it leaves what is traced. */
const nextOf = ({ host, plans }: Prepared, at: Place.Place, { destination, outLink = "" }: Packet) => {
  if (at !== host) return Place.linksTo(at, host).includes(outLink) ? host : undefined
  return plans.map(({ place }) => place).find((each) => each !== host && Place.hasAddress(each, destination))
}

/** Why a packet that was routed to a link did not come to the next namespace. */
const betweenNamespaces = Effect.fnUntraced(function*(
  prepared: Prepared,
  at: Place.Place,
  next: Place.Place | undefined,
  packet: Packet,
  before: Before
) {
  const { host } = prepared
  const silent = yield* Explanation.neighbour(at, packet, packet.outLink ?? "")
  const [link] = next === host ? Place.linksTo(host, at) : []
  // The filter by the reverse path makes the host silent to ARP too, and then the packet never leaves.
  const filtered = link === undefined
    ? undefined
    : yield* Explanation.reversePath(host, packet, Place.routedLink(host, link), yield* risenIn(host, before))
  if (filtered !== undefined && silent !== undefined) {
    return { ...filtered, evidence: [...filtered.evidence, silent.text, ...silent.evidence] }
  }
  return filtered ?? silent ?? (next === undefined ? undefined : yield* legacy(next, "", packet))
})

/** Says how it ended. */
export const conclude = Effect.fnUntraced(function*(
  prepared: Prepared,
  { answer, hasLost, hops }: Followed,
  { logs, size, timeout }: Pick<Request, "logs" | "size" | "timeout">,
  before: Before
) {
  const { host, plans, receiver, sender, to } = prepared
  const dropped = hops.find(Journey.isDrop)
  if (dropped !== undefined) {
    const author = yield* RuleAuthors.find(dropped, dropped.place === Place.host ? "host" : "container", logs)
    return { _tag: "Dropped", hop: dropped, author } satisfies Outcome
  }
  const last = hops.findLast(({ direction }) => direction === "there")
  const back = hops.filter(({ direction }) => direction === "back")
  const reply = back.find((hop) => !isReport(hop))
  if (answer?.outcome === "answered" || (answer?.outcome === "refused" && back.some(isRefusal(to?.address ?? "")))) {
    return { _tag: "Arrived", proof: answer.outcome, place: receiver?.name } satisfies Outcome
  }
  if (sender === undefined && last !== undefined && reply !== undefined) {
    const proof = reply.packet.kind.includes("rst") ? "refused" : "answered"
    return { _tag: "Arrived", proof, place: receiver?.name } satisfies Outcome
  }
  if (answer?.outcome === "stalled") {
    return {
      _tag: "Unknown",
      reason: `the connection was accepted, but nothing came back for ${size} bytes within ${timeout / 1000} s`
    } satisfies Outcome
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
  const { hook, packet, place } = last
  const at = plans.find((plan) => plan.place.name === place)?.place ?? host
  if (hook === "input" && (receiver === undefined || at === receiver)) {
    return { _tag: "Arrived", proof: "delivered", place: at.name } satisfies Outcome
  }
  if (hook === "postrouting" || hook === "egress") {
    const next = nextOf(prepared, at, packet)
    const cause = yield* betweenNamespaces(prepared, at, next, packet, before)
    if (cause !== undefined || next !== undefined) return lost(at.name, hook, cause)
    return reports.length > 0
      ? lost(at.name, hook, { text: "a router on the way refused it", evidence: [] })
      : { _tag: "Left", link: packet.outLink ?? "", place: at.name } satisfies Outcome
  }
  const ruled = yield* legacy(at, hook, packet)
  if (ruled !== undefined || hook === "forward") return lost(at.name, hook, ruled)
  const arrived = Place.routedLink(at, packet.inLink)
  return lost(at.name, hook, yield* Explanation.routing(at, packet, arrived, yield* risenIn(at, before)))
})
