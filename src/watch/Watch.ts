/** Watches the network of this host: what changes, who changed it, and what living attachments lose by it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as LogFollower from "../log/LogFollower.ts"
import { wordsOf } from "../network/Line.ts"
import type { Facts } from "../network/Snapshot.ts"
import * as SnapshotCollector from "../network/SnapshotCollector.ts"
import * as StateDiff from "../network/StateDiff.ts"
import { type Kind, kinds } from "../network/StateKind.ts"
import * as TraceTable from "../network/TraceTable.ts"
import type { Differences } from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import * as Attribution from "./Attribution.ts"
import * as Author from "./Author.ts"
import type * as Event from "./Event.ts"
import * as FlowWatch from "./FlowWatch.ts"
import * as IpMonitor from "./IpMonitor.ts"
import * as NftMonitor from "./NftMonitor.ts"
import * as Pending from "./Pending.ts"
import * as PluginRun from "./PluginRun.ts"
import { ToolMonitor } from "./ToolMonitor.ts"
import * as Totals from "./Totals.ts"
import * as WrappedRuns from "./WrappedRuns.ts"

/** What to watch. */
export interface Question extends FlowWatch.Question {
  readonly sources: LogFollower.Sources
  /** Whether to report all facts of a burst. */
  readonly isFull: boolean
}

/** The kinds to look at. Reservations are files, and no part of the kernel's state. */
const watched = kinds.filter((kind) => kind !== "ipam")
const ofFilters: ReadonlyArray<Kind> = ["nftables", "iptables"]
const ofLinks: ReadonlyArray<Kind> = ["links", "addresses", "routes", "rules", "neighbours", "bridge", "sysctls"]

/** The kinds that no monitor reports, or not all of them. */
const polled: ReadonlySet<string> = new Set<Kind>(["sysctls", "ipsets"])

/** A monitor reports an event this long after it happened, at most, in milliseconds. Only loaded hosts need longer. */
const delay = 100

/** The shares of time that looks may take: after events, and when polling. */
const shares = { event: 4, poll: 10 }

/** The least time between polls, the most between looks, and how long to wait for a second try, in milliseconds. */
const pauses = { poll: 3000, longest: 30_000, again: 1000 }

/** How many facts of each kind an event has unless all are wanted. */
const few = 100

const withoutTraces = (facts: Facts): Facts => {
  const rules = facts.get("nftables")
  if (rules === undefined) return facts
  const isOfTrace = (line: string) => wordsOf(line).slice(1, 4).some(TraceTable.is)
  return new Map([...facts, ["nftables", new Set([...rules].filter((line) => !isOfTrace(line)))]])
}

/** Starts the monitors. Returns which of them run, once they receive events. */
const startMonitors = Effect.fnUntraced(function*(
  pending: ReturnType<typeof Pending.make>,
  note: (message: string) => Effect.Effect<void>
) {
  const { follow } = yield* ToolMonitor
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const running = new Set<"nft" | "ip">()
  const start = Effect.fnUntraced(function*(
    name: "nft" | "ip",
    following: Omit<Parameters<typeof follow>[0], "onListening">,
    consequence: string
  ) {
    const begun = Latch.makeUnsafe(false)
    const onListening = () => {
      running.add(name)
      begun.openUnsafe()
    }
    const whenEnded = ({ message }: { readonly message: string }) => {
      running.delete(name)
      return Effect.andThen(note(`${message}: ${consequence}`), begun.open)
    }
    yield* Effect.forkScoped(Effect.catch(follow({ ...following, onListening }), whenEnded))
    yield* begun.await
  })
  const reader = new NftMonitor.Reader(TraceTable.is)
  const onRules = (line: string): void => {
    const said = reader.line(line)
    const time = now()
    if (said === "part") pending.part(time)
    else if (said === "lost") pending.lost(time, ofFilters)
    else if (said !== undefined) {
      const author = said.committer === undefined ? undefined : Author.of(said.committer)
      pending.commit({ time, author, touched: said.touched }, ofFilters)
    }
  }
  yield* Effect.all([
    start(
      "nft",
      { argv: ["nft", "monitor"], onLine: onRules },
      "who changes rules is not known, and rules are only looked at every few seconds"
    ),
    start("ip", {
      argv: ["ip", "monitor", "all", "label"],
      onLine: (line) => pending.touch(now(), IpMonitor.kindsOf(line)),
      onComplaint: (line) => IpMonitor.isLoss(line) ? pending.lost(now(), ofLinks) : undefined
    }, "links, addresses and routes are only looked at every few seconds")
  ], { concurrency: "unbounded" })
  return running as ReadonlySet<"nft" | "ip">
})

/** The kinds to poll: those that no running monitor reports, and those that could not be collected before. */
const toPoll = Effect.fnUntraced(function*(running: ReadonlySet<"nft" | "ip">, state: Facts) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.forEach(
    ["ip", "ip6"],
    (family) => Effect.orElseSucceed(fs.readFileString(`/proc/net/${family}_tables_names`), () => "")
  )
  const hasLegacy = names.some((text) => text.trim() !== "")
  const found: ReadonlyArray<Kind> = [
    "sysctls",
    "ipsets",
    ...watched.filter((kind) => !state.has(kind)),
    ...(running.has("ip") ? [] : ofLinks),
    ...(running.has("nft") ? [] : ofFilters),
    ...(hasLegacy ? ["iptables" as const] : [])
  ]
  return found
})

const isFilled = (differences: Differences): boolean => Object.keys(differences).length > 0

/** Whether a monitor reports such facts. The kernel reports nothing about the legacy backend of iptables. */
const isMonitoredKind = (kind: string, { added, removed }: Differences[string]): boolean =>
  !polled.has(kind) && !(kind === "iptables" && [...added, ...removed].every((line) => line.startsWith("legacy ")))

const isMonitored = (differences: Differences): boolean =>
  Object.entries(differences).every(([kind, each]) => isMonitoredKind(kind, each))

/** Separates what no monitor reports, whose time is less certain. */
const byCertainty = ({ commits, differences }: Attribution.Group): ReadonlyArray<Attribution.Group> => {
  if (commits.length > 0) return [{ commits, differences }]
  const entries = Object.entries(differences)
  return [true, false].map((asked) => ({
    commits,
    differences: Object.fromEntries(entries.filter(([kind, each]) => isMonitoredKind(kind, each) === asked))
  })).filter(({ differences }) => isFilled(differences))
}

const lossy = "events were lost, because too many came at once: who made the next changes is not known"

/** What happened, as it happens. */
export const events = Effect.fnUntraced(function*(question: Question) {
  const queue = yield* Queue.unbounded<Event.Event>()
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const notes = new Set<string>()
  /** Reports what cannot be seen, once. */
  const note = (message: string) =>
    Effect.suspend(() => {
      if (notes.has(message)) return Effect.void
      notes.add(message)
      return Effect.asVoid(Queue.offer(queue, { event: "note", time: RunContext.timestamp(now()), message }))
    })

  const runs = new WrappedRuns.WrappedRuns()
  const logs = Stream.unwrap(LogFollower.pieces(question.sources, runs, note))
  yield* Effect.forkScoped(Effect.catch(Stream.runDrain(logs), ({ message }) => {
    runs.end()
    return note(`${message}: wrapped plugins are not named`)
  }))
  const pending = Pending.make()
  const running = yield* startMonitors(pending, note)

  const collect = Effect.fnUntraced(function*(asked: ReadonlyArray<Kind>) {
    const { host, notes } = yield* SnapshotCollector.collect(asked, { netns: undefined, ipamFolders: [] })
    yield* Effect.forEach(notes, note)
    return withoutTraces(host)
  })
  const state = new Map(yield* collect(watched))
  const lookedAt = new Map<string, number>(watched.map((kind) => [kind, now()]))
  const { changed, relevance } = yield* FlowWatch.start(question, (event) => Queue.offer(queue, event), note)

  const duringOf = (span: Pending.Span, authors: ReadonlyArray<Author.Author>) => {
    if (!runs.isKnown) return {}
    const all = runs.during(span)
    const known = authors.flatMap(({ plugin }) => plugin ?? [])
    const own = all.filter((run) => known.some((each) => PluginRun.isSame(each, run)))
    return { during: own.length > 0 ? own : all }
  }
  const authorsOf = (
    commits: ReadonlyArray<Attribution.Authored>
  ) => [...new Map(commits.flatMap(({ author }) => author === undefined ? [] : [[author.pid, author]])).values()]
  const spanOf = (commits: ReadonlyArray<Attribution.Authored>): Pending.Span => ({
    from: (commits[0]?.time ?? now()) - delay,
    to: commits.at(-1)?.time ?? now()
  })

  /** The event of a group of facts, if it concerns the network in question. */
  const changesOf = (
    { commits, differences }: Attribution.Group,
    taken: Pending.Taken
  ): ReadonlyArray<Event.Change> => {
    const names = Object.keys(differences)
    const isReported = commits.length > 0 || isMonitored(differences)
    const reported = names.flatMap((kind) => taken.kinds.get(kind as Kind) ?? [])
    const span = commits.length > 0
      ? spanOf(commits)
      : isReported && reported.length > 0
      ? { from: Math.min(...reported.map(({ from }) => from)) - delay, to: Math.max(...reported.map(({ to }) => to)) }
      : { from: Math.min(...names.map((kind) => lookedAt.get(kind) ?? now())), to: now() }
    const by = authorsOf(commits)
    const during = duringOf(span, by)
    const runsOfIt = [...by.flatMap(({ plugin }) => plugin ?? []), ...during.during ?? []]
    const relevant = runsOfIt.some((run) => relevance.isOf(run)) ? differences : relevance.within(differences)
    if (!isFilled(relevant)) return []
    const most = question.isFull ? Number.POSITIVE_INFINITY : few
    const lists = Object.entries(relevant)
    return [{
      event: "change",
      time: RunContext.timestamp(commits[0]?.time ?? (isReported && reported.length > 0 ? span.from + delay : span.to)),
      by,
      isOneOf: Attribution.isAmbiguous(commits),
      ...during,
      changes: {
        host: Object.fromEntries(
          lists.map(([kind, { added, removed }]) => [
            kind,
            { added: added.slice(0, most), removed: removed.slice(0, most) }
          ])
        )
      },
      ...Totals.of(relevant)
    }]
  }
  const countedOf = (commits: ReadonlyArray<Attribution.Authored>, isAsBefore: boolean): Event.Counted => {
    const by = authorsOf(commits)
    return {
      event: "counted",
      time: RunContext.timestamp(commits[0]?.time ?? now()),
      by,
      ...duringOf(spanOf(commits), by),
      isAsBefore,
      chains: Object.fromEntries(Attribution.contentOf(commits).slice(0, few))
    }
  }
  const isRelevant = ({ by, chains, during = [] }: Event.Counted): boolean =>
    [...by.flatMap(({ plugin }) => plugin ?? []), ...during].some((run) => relevance.isOf(run)) ||
    Object.keys(chains).some((chain) => relevance.mentions(chain))

  /** Commits that came during a look, and whose facts it already had. */
  const explained = new WeakSet<Attribution.Authored>()
  const isExplained = (commit: Attribution.Authored) => explained.has(commit)
  /** Collects facts, and once more what could not be collected although it changed: a busy host is slow. */
  const collectChanged = Effect.fnUntraced(function*(asked: ReadonlyArray<Kind>, { commits }: Pending.Taken) {
    const facts = yield* collect(asked)
    const missing = commits.length === 0 ? [] : ofFilters.filter((kind) => state.has(kind) && !facts.has(kind))
    if (missing.length === 0) return facts
    yield* Effect.sleep(pauses.again)
    return new Map([...facts, ...yield* collect(missing)]) as Facts
  })
  /** Looks at what events are about, and at more kinds. Returns how long the tools took, in milliseconds. */
  const look = Effect.fnUntraced(function*(taken: Pending.Taken, more: ReadonlyArray<Kind>) {
    const asked = watched.filter((kind) => taken.kinds.has(kind) || more.includes(kind))
    if (asked.length === 0) return 0
    const started = performance.now()
    const facts = yield* collectChanged(asked, taken)
    const took = performance.now() - started
    const { changes: { host: differences = {} } } = StateDiff.between(
      { host: new Map([...state].filter(([kind]) => facts.has(kind))), container: new Map(), notes: [] },
      { host: facts, container: new Map(), notes: [] }
    )
    const isCompared = ofFilters.every((kind) => state.has(kind) && facts.has(kind))
    // What happens during a look may be in its facts already.
    const known = taken.isLossy ? [] : [...taken.commits, ...pending.commits()]
    const [earlier, commits] = [known.filter(isExplained), known.filter((commit) => !isExplained(commit))]
    const groups = Attribution.of(commits, earlier, differences)
    for (const group of groups) for (const commit of group.commits) explained.add(commit)
    const counted = Attribution.withoutTrace(taken.commits.filter((commit) => !isExplained(commit)), groups)
    yield* runs.lookedAt
    if (taken.isLossy) yield* Queue.offer(queue, { event: "note", time: RunContext.timestamp(now()), message: lossy })
    const found = [
      ...groups.flatMap(byCertainty).flatMap((group) => changesOf(group, taken)),
      ...counted.map((own) => countedOf(own, isCompared)).filter(isRelevant)
    ]
    yield* Effect.forEach(
      found.toSorted((left, right) => left.time < right.time ? -1 : left.time > right.time ? 1 : 0),
      (each) => Queue.offer(queue, each)
    )
    for (const kind of asked) {
      const lines = facts.get(kind)
      lookedAt.set(kind, now())
      // Without these facts, the next look has nothing to compare with, and must not show what changed now.
      if (lines === undefined) state.delete(kind)
      else state.set(kind, lines)
    }
    if (isFilled(differences) || (counted.length > 0 && !isCompared)) yield* changed
    return took
  })

  const loop = Effect.gen(function*() {
    let pollDue = now() + pauses.poll
    for (;;) {
      yield* Effect.raceFirst(pending.await, Effect.sleep(Math.max(0, pollDue - now())))
      while (!pending.isSettled(now())) yield* Effect.sleep(Pending.quiet / 2)
      const isPoll = now() >= pollDue
      const taken = pending.take()
      const took = yield* look(taken, isPoll ? yield* toPoll(running, state) : [])
      if (isPoll) pollDue = now() + Math.min(pauses.longest, Math.max(pauses.poll, took * shares.poll))
      if (taken.span !== undefined) yield* Effect.sleep(Math.min(pauses.longest, took * shares.event))
    }
  })
  yield* Effect.forkScoped(loop)
  return {
    events: Stream.fromQueue(queue),
    running,
    /** Whether the links, or all rules, have not been seen so far. */
    isBlind: () => !state.has("links") || ofFilters.every((kind) => !state.has(kind))
  }
})
