/** Traces a flow: prepares the namespaces, sends or waits, follows the packets, and says how it ended. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as TraceTable from "../network/TraceTable.ts"
import * as Conclusion from "./Conclusion.ts"
import * as Counters from "./Counters.ts"
import * as Explanation from "./Explanation.ts"
import * as NamespaceTrace from "./NamespaceTrace.ts"
import type { Outcome } from "./Outcome.ts"
import * as PacketFollower from "./PacketFollower.ts"
import * as Plan from "./Plan.ts"
import type { Request, Step, Target } from "./Request.ts"
import * as Ruleset from "./Ruleset.ts"
import * as Sender from "./Sender.ts"
import * as TracedNamespace from "./TracedNamespace.ts"

/** Reports a step. */
type Tell<E, R> = (step: Step) => Effect.Effect<void, E, R>

/** Says what is not traced. */
const limits = Effect.fnUntraced(function*<E, R>(
  { flow }: Plan.Prepared,
  traces: ReadonlyArray<NamespaceTrace.NamespaceTrace>,
  tell: Tell<E, R>
) {
  const family = TracedNamespace.familyOf(flow.receivers[0]?.address ?? "")
  for (const { hasArriving, place } of traces) {
    if (!hasArriving) {
      yield* tell({
        _tag: "Note",
        text:
          `rules of netdev and bridge tables in ${place.name} are not traced: packets cannot be marked where they arrive`
      })
    }
    if ((yield* Explanation.legacyRules(place, family)) !== undefined) {
      yield* tell({
        _tag: "Note",
        text: `rules of iptables-legacy in ${place.name} are not traced: what they do is predicted`
      })
    }
  }
})

/** How late the sender's answer may be, in milliseconds. It waits itself for what it sent to be answered. */
const lateness = 10_000

/** What a flow is followed with. */
interface Following<E, R> {
  readonly request: Request
  readonly prepared: Plan.Prepared
  readonly incoming: Queue.Queue<PacketFollower.Incoming>
  readonly traces: Map<string, NamespaceTrace.NamespaceTrace>
  readonly table: string
  readonly tell: Tell<E, R>
}

/** Sends one packet, or opens one connection, from a port, and follows it. */
const send = Effect.fnUntraced(
  function*<E, R>(following: Following<E, R>, sender: TracedNamespace.Place, to: Target, port: number) {
    const { incoming, prepared: { flow, receiver }, request, table, tell, traces } = following
    const { executable, from, protocol, size, timeout } = request
    const source = { address: flow.source ?? "", port }
    yield* tell({ _tag: "Sending", place: sender.name, from: source, to })
    const probe = yield* Sender.start(executable, sender.netns)
    const question = {
      protocol,
      ...(from === undefined ? {} : { from }),
      sourcePort: port,
      to: to.address,
      port: to.port,
      size,
      timeout
    }
    const asking = Effect.flatMap(probe.ask(question), (answer) => Queue.offer(incoming, { _tag: "Answer", answer }))
    const ended = PacketFollower.follow(
      incoming,
      { protocol, sender: source, receivers: flow.receivers, mixed: receiver?.name },
      traces,
      { isWaiting: false, table, timeout: timeout + lateness },
      tell
    )
    // A packet that was dropped has no answer to wait for.
    return yield* Effect.raceFirst(ended, Effect.andThen(asking, Effect.never))
  },
  Effect.scoped
)

/** Waits for a packet, and follows it. */
const wait = Effect.fnUntraced(function*<E, R>(following: Following<E, R>) {
  const { incoming, prepared: { flow, receiver }, request, table, tell, traces } = following
  const { protocol, timeout } = request
  const [first] = flow.receivers
  yield* tell({
    _tag: "Waiting",
    place: receiver?.name ?? TracedNamespace.host,
    port: first?.port ?? request.port,
    published: flow.receivers.find(({ port }) => port !== first?.port)?.port,
    timeout
  })
  const awaited = { protocol, sender: undefined, receivers: flow.receivers, mixed: receiver?.name }
  return yield* PacketFollower.follow(incoming, awaited, traces, { isWaiting: true, table, timeout }, tell)
})

const countersOf = (plans: ReadonlyArray<Plan.Plan>) =>
  Effect.map(
    Effect.forEach(
      plans,
      ({ place }) => Effect.map(Counters.read(place.netns), (counters) => [place.name, counters] as const),
      { concurrency: "unbounded" }
    ),
    (all): Conclusion.Before => new Map(all)
  )

/** Traces, and reports each step. */
export const run = Effect.fnUntraced(function*<E, R>(request: Request, tell: Tell<E, R>) {
  const prepared = yield* Plan.make(request)
  const { plans, sender, sourcePorts, to } = prepared
  const table = TraceTable.nameOf(process.pid)
  const rulesets = yield* Effect.forEach(plans, ({ place }) => NamespaceTrace.prepare(place), {
    concurrency: "unbounded"
  })
  yield* tell({ _tag: "Tables", table, places: plans.map(({ place }) => place.name) })
  const incoming = yield* Queue.unbounded<PacketFollower.Incoming>()
  const started = yield* Effect.forEach(
    plans,
    ({ devices, place, selectors }, index) =>
      NamespaceTrace.start(place, rulesets[index] ?? Ruleset.empty, { table, selectors, devices }, incoming),
    { concurrency: "unbounded" }
  )
  yield* limits(prepared, started, tell)
  const traces = new Map(started.map((each) => [each.place.name, each]))
  const following = { request, prepared, incoming, traces, table, tell }
  const outcomes: Array<Outcome> = []
  let port = sourcePorts?.first ?? 0
  while (outcomes.length < request.count) {
    const before = yield* countersOf(plans)
    const followed = sender === undefined || to === undefined
      ? yield* wait(following)
      : yield* send(following, sender, to, port++)
    if (followed.answer?.code === "EADDRINUSE" && port <= (sourcePorts?.last ?? 0)) continue
    const outcome = yield* Conclusion.conclude(prepared, followed, request, before)
    outcomes.push(outcome)
    yield* tell({ _tag: "End", outcome })
    if (outcome._tag === "Nothing") break
  }
  return outcomes as ReadonlyArray<Outcome>
}, Effect.scoped)
