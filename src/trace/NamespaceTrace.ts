/** Traces packets in one network namespace: our table, and the monitor that shows what it marks. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as HeldProcess from "../exec/HeldProcess.ts"
import * as HostTools from "../exec/HostTools.ts"
import * as OwnTable from "./OwnTable.ts"
import * as Ruleset from "./Ruleset.ts"
import type * as Selector from "./Selector.ts"
import type * as TracedNamespace from "./TracedNamespace.ts"
import * as TraceOutput from "./TraceOutput.ts"

/** This host cannot trace packets, or this process may not. */
export class CannotTrace extends Data.TaggedError("CannotTrace")<{ readonly place: string; readonly reason: string }> {
  override readonly message = `packets cannot be traced in the network namespace of ${this.place}: ${this.reason}`
}

/** How long nft may take for a table or a subscription, in milliseconds. It reads all rules of the namespace first. */
const patience = 30_000

/** What a complaint of nft means. */
const meaningOf = (complaint: string): string => {
  if (/not found|ENOENT|no such file or directory$/i.test(complaint) && /nft|nsenter/.test(complaint)) {
    return `${complaint}: install nftables 0.9.9 or later`
  }
  if (/Operation not permitted|you must be root/i.test(complaint)) {
    return `${complaint}: this needs root, or the capability CAP_NET_ADMIN in it`
  }
  if (/syntax error.*owner|unknown.*owner|flags/i.test(complaint)) {
    return `${complaint}: tables that the kernel removes with their process need nftables 0.9.9 and Linux 5.12 or later`
  }
  if (/[Ii]nteractive/.test(complaint)) return `${complaint}: this nft was built without its interactive mode`
  return complaint
}

const notStarted = (place: string) => ({ program, reason }: { readonly program: string; readonly reason: string }) =>
  new CannotTrace({ place, reason: meaningOf(`${program}: ${reason}`) })

/** Waits for an output of a process that satisfies `pick`. */
const until = <A>(
  { output }: HeldProcess.HeldProcess,
  place: string,
  pick: (output: HeldProcess.Output) => A | undefined
) =>
  Effect.gen(function*() {
    while (true) {
      const next = yield* Queue.take(output)
      const picked = pick(next)
      if (picked !== undefined) return picked
      if (next._tag === "Exit") return yield* new CannotTrace({ place, reason: "nft ended too early" })
      const complaint = next._tag === "Complaint" ? /^(?:.*\bError: )?([^#\s].*)/.exec(next.line)?.[1] : undefined
      if (complaint !== undefined) return yield* new CannotTrace({ place, reason: meaningOf(`nft: ${complaint}`) })
    }
  }).pipe(
    Effect.timeoutOption(patience),
    Effect.flatMap(Option.match({
      onNone: () => Effect.fail(new CannotTrace({ place, reason: `nft did not answer within ${patience / 1000} s` })),
      onSome: (found: A) => Effect.succeed(found)
    }))
  )

/** Puts the table there. It goes with the process that made it, and that with its stdin, which we hold. */
const install = Effect.fnUntraced(function*({ name: place, netns }: TracedNamespace.Place, options: OwnTable.Options) {
  const { find } = yield* HostTools.HostTools
  // It would keep the history of its commands in the home folder.
  const argv = ["env", "HOME=/dev/null", find("nft") ?? "nft", "-i"] as const
  const nft = yield* Effect.mapError(HeldProcess.start({ argv, netns }), notStarted(place))
  // It prints nothing about a command that succeeds, so ask for what it should have made.
  yield* nft.write(`${OwnTable.commands(options)}\nlist tables inet\n`)
  yield* until(nft, place, (output) => output._tag === "Line" && output.line.includes(options.name) ? true : undefined)
})

/** Runs the monitor until its stdin ends. Otherwise it would stay after us until it has something to print. */
const script = "\"$1\" -a monitor trace </dev/null & echo \"pid $!\"; read -r _; kill $!"

/** The group of the messages about traces, as /proc/net/netlink shows it. Source: linux, `nfnetlink.h`. */
const traceGroup = 0x100

/** Whether a process is subscribed to traces. */
const isSubscribed = (table: string, pid: string): boolean =>
  table.split("\n").some((line) => {
    const [, protocol, owner, groups = "0"] = line.trim().split(/\s+/)
    return protocol === "12" && owner === pid && (Number.parseInt(groups, 16) & traceGroup) !== 0
  })

const subscribed = Effect.fnUntraced(function*(pid: string) {
  const fs = yield* FileSystem.FileSystem
  const read = Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/net/netlink`), () => "")
  for (let waited = 0; waited < patience; waited += 10) {
    if (isSubscribed(yield* read, pid)) return true
    yield* Effect.sleep(10)
  }
  return false
})

/** What a trace says. */
export type Seen =
  | { readonly _tag: "Event"; readonly place: string; readonly event: TraceOutput.Event }
  | { readonly _tag: "Loss"; readonly place: string }

/** A namespace that is traced. */
export interface NamespaceTrace {
  readonly place: TracedNamespace.Place
  readonly ruleset: Ruleset.Ruleset
  /** Whether packets are marked on the links where they arrive, so that rules of netdev and bridge tables show. */
  readonly hasArriving: boolean
}

/** What to trace. */
export interface Options {
  readonly table: string
  readonly selectors: ReadonlyArray<Selector.Selector>
  /** The links on which packets arrive. */
  readonly devices: ReadonlyArray<string>
}

/** Finds out whether this process can trace in a namespace, which changes nothing. Returns its rules. */
export const prepare = Effect.fnUntraced(function*({ name, netns }: TracedNamespace.Place) {
  const { find } = yield* HostTools.HostTools
  if (find("nft") === undefined) {
    return yield* new CannotTrace({ place: name, reason: "nft is not on PATH: install nftables 0.9.9 or later" })
  }
  const ruleset = yield* Ruleset.list(netns)
  return Result.isSuccess(ruleset)
    ? ruleset.success
    : yield* new CannotTrace({ place: name, reason: meaningOf(ruleset.failure) })
})

/** Traces packets in a namespace until the scope ends, into a queue. `before` are its rules. */
export const start = Effect.fnUntraced(function*(
  place: TracedNamespace.Place,
  before: Ruleset.Ruleset,
  { devices, selectors, table }: Options,
  into: Queue.Enqueue<Seen>
) {
  const { name, netns } = place
  const { find } = yield* HostTools.HostTools
  const { tracksConnections } = before
  const installOn = (links: ReadonlyArray<string>) =>
    install(place, { name: table, selectors, devices: links, tracksConnections })
  // Not every kernel and link has a hook for arriving packets. Without it, rules of netdev and bridge tables stay unseen.
  const hasArriving = devices.length > 0 && (yield* Effect.isSuccess(installOn(devices)))
  if (!hasArriving) yield* installOn([])
  const monitor = yield* Effect.mapError(
    HeldProcess.start({ argv: ["sh", "-c", script, "sh", find("nft") ?? "nft"], netns }),
    notStarted(name)
  )
  const pid = yield* until(
    monitor,
    name,
    (output) => output._tag === "Line" ? /^pid (\d+)$/.exec(output.line)?.[1] : undefined
  )
  if (!(yield* subscribed(pid))) {
    return yield* new CannotTrace({ place: name, reason: "nft monitor trace did not subscribe to the kernel's traces" })
  }
  const forward = Effect.gen(function*() {
    const output = yield* Queue.take(monitor.output)
    if (output._tag !== "Line") return
    const event = TraceOutput.parse(output.line)
    if (event !== undefined) yield* Queue.offer(into, { _tag: "Event", place: name, event })
    else if (TraceOutput.isLoss(output.line)) yield* Queue.offer(into, { _tag: "Loss", place: name })
  })
  yield* Effect.forkScoped(Effect.forever(forward))
  const after = yield* Ruleset.list(netns)
  return { place, hasArriving, ruleset: Result.getOrElse(after, () => before) } satisfies NamespaceTrace
})
