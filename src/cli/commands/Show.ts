/** `cni-passthrough show`: operations, assembled from the records of logs. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as LogFollower from "../../log/LogFollower.ts"
import * as Collector from "../../operations/Collector.ts"
import * as Filter from "../../operations/Filter.ts"
import { FollowedOperations, type Piece } from "../../operations/FollowedOperations.ts"
import * as Moment from "../../operations/Moment.ts"
import * as Operation from "../../operations/Operation.ts"
import * as Polling from "../../operations/Polling.ts"
import * as View from "../../operations/View.ts"
import * as ViewJson from "../../operations/ViewJson.ts"
import type * as ViewStep from "../../operations/ViewStep.ts"
import * as Escape from "../../record/Escape.ts"
import * as OperationText from "../../render/terminal/OperationText.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Attachments from "../../runtime/Attachments.ts"
import * as Errors from "../Errors.ts"
import { text, toggle, verb } from "../Flags.ts"
import * as Logs from "../Logs.ts"
import * as NeverCalled from "../NeverCalled.ts"
import * as OnHost from "../OnHost.ts"
import * as Print from "../Print.ts"
import * as SmallHeap from "../SmallHeap.ts"

/** A moment, as milliseconds since 1970 at a time that is now. */
const moment = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("time"),
    Flag.filter(
      (value) => Moment.parse(value, 0) !== undefined,
      (value) => `found ${JSON.stringify(value)}, expected ${Moment.expected}`
    ),
    Flag.map((value) => (now: number) => Moment.parse(value, now)),
    Flag.optional
  )

const input = {
  logs: Logs.argument,
  journald: toggle("journald", "Read the journal of this host instead"),
  follow: toggle("follow", "Go on with what is appended, until it is interrupted").pipe(Flag.withAlias("f")),
  failed: toggle("failed", "Only operations in which something failed; exit status 1 if there are any"),
  leftovers: toggle(
    "leftovers",
    "Only DELs that left something on this host of what their ADD made; exit status 1 if there are any"
  ),
  full: toggle("full", "Also what went into and came out of every plugin, all taps, and all that hooks wrote"),
  json: toggle("json", "Print one JSON object a line for each operation"),
  container: text("container", "Only containers whose ID starts so"),
  pod: text("pod", "Only this pod: NAME or NAMESPACE/NAME, as in CNI_ARGS"),
  network: text("network", "Only this network"),
  command: verb("Only this operation, such as ADD; VERSION is left out if it succeeded, unless it is named").pipe(
    Flag.optional
  ),
  label: text("label", "Only operations that this tap saw"),
  since: moment("since", "Only what began at this time or later: RFC 3339, or how long ago, such as 10m or 1d"),
  until: moment("until", "Only what began before this time"),
  hostRoot: OnHost.flag
}

type Input = Command.Command.Config.Infer<typeof input>

const filterOf = Effect.fnUntraced(function*(flags: Input) {
  const now = yield* Clock.currentTimeMillis
  const { command, container, failed, label, leftovers, network, pod, since, until } = flags
  return {
    command: Option.getOrUndefined(command),
    container: Option.getOrUndefined(container),
    label: Option.getOrUndefined(label),
    network: Option.getOrUndefined(network),
    pod: Option.getOrUndefined(pod),
    since: Option.getOrUndefined(since)?.(now),
    until: Option.getOrUndefined(until)?.(now),
    failed,
    leftovers
  } satisfies Filter.Filter
})

/** How to print an operation, or a part of one. */
export const renderer = Effect.fnUntraced(function*({ full, json }: Pick<Input, "full" | "json">) {
  const style = yield* Style.current()
  const terminal = OperationText.make(style, { full })
  const text = (lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
  // A pod also has a loopback attachment, which is shown only if it fails.
  const isFolded = (operation: Operation.Operation) =>
    !full &&
    ((Attachments.isLoopback(operation.request) && !Operation.hasFailed(operation)) || Polling.isCalm(operation))
  const all = (operation: Operation.Operation) => {
    const view = View.make(operation)
    return isFolded(operation) ? terminal.folded(view) : terminal.all(view)
  }
  const parts = new WeakMap<Operation.Operation, ReturnType<typeof View.parts>>()
  const part = (operation: Operation.Operation, index: number): ReadonlyArray<ViewStep.Step> => {
    const all = parts.get(operation) ?? View.parts(operation)
    parts.set(operation, all)
    return all[index] ?? []
  }
  return {
    /** A line for operations that runtimes repeat, and that went well. */
    poll: (poll: Polling.Poll): string =>
      `${text(terminal.poll(View.make(poll.operations[0]), Polling.inWords(poll)))}\n`,
    whole: (operation: Operation.Operation): string =>
      json ? `${ViewJson.render(View.make(operation))}\n` : `${text(all(operation))}\n`,
    piece: (piece: Piece): string => {
      const { _tag, operation } = piece
      if (json) return _tag === "Foot" ? `${ViewJson.render(View.make(operation))}\n` : ""
      if (!full && (Attachments.isLoopback(operation.request) || Polling.isCalm(operation))) {
        return _tag === "Foot" ? `${text(all(operation))}\n` : ""
      }
      switch (_tag) {
        case "Head":
          return text(terminal.head(View.make(operation)))
        case "Step":
          return text(part(operation, piece.index).flatMap(terminal.step))
        case "Foot": {
          const after = part(operation, operation.steps.length).flatMap(terminal.step)
          return `${text([...after, ...terminal.foot(View.make(operation))])}\n`
        }
      }
    }
  }
})

/** What to print if no operation matches. Runtimes ask plugins for their versions before they use a network. */
const nothing = (operations: ReadonlyArray<Operation.Operation>, command: string | undefined): string => {
  if (operations.length === 0) return "no operations were logged"
  const areVersions = command === undefined && operations.every(({ request }) => request.command === "VERSION")
  const shown = areVersions ? operations : operations.filter((operation) => Filter.matches({ command }, operation))
  const none = `0 of ${shown.length} operations match`
  return areVersions
    ? `${none}: plugins were only asked for their versions. What makes a runtime refuse a network before it uses ` +
      "a plugin, cni-passthrough doctor finds"
    : none
}

/** Shows the operations in the logs. */
const showAll = Effect.fnUntraced(function*(flags: Input, sources: ReadonlyArray<string>, filter: Filter.Filter) {
  SmallHeap.keep()
  const collector = new Collector.Collector({ full: flags.full })
  yield* Logs.complain(yield* Logs.read(sources, (record) => collector.add(record)), flags.logs)
  const { poll, whole } = yield* renderer(flags)
  const operations = collector.operations()
  const matching = operations.filter((operation) => Filter.matches(filter, operation))
  if (matching.length === 0) return yield* Console.error(nothing(operations, filter.command))
  const shown = flags.full || flags.json ? matching : Polling.fold(matching)
  const render = (each: Operation.Operation | Polling.Poll) => "operations" in each ? poll(each) : whole(each)
  yield* Print.all(Stream.fromIterable(Print.batches(shown, render), { chunkSize: 1 }))
  if (flags.failed || flags.leftovers) return yield* new Errors.Unsuccessful()
})

/** Shows operations as they happen. */
const follow = Effect.fnUntraced(function*(flags: Input, sources: ReadonlyArray<string>, filter: Filter.Filter) {
  const { piece } = yield* renderer(flags)
  for (const reason of yield* NeverCalled.whyWaiting(sources)) yield* Console.error(Escape.inLines(reason))
  const following = new FollowedOperations((operation) => Filter.matches(filter, operation), { full: flags.full })
  const pieces = LogFollower.pieces(
    { journal: flags.journald, logs: sources },
    following,
    (message) => Console.error(message)
  )
  yield* Print.all(Stream.map(Stream.unwrap(pieces), piece).pipe(Stream.filter((text) => text !== "")))
})

/** `show LOG…` */
export const show = Command.make(
  "show",
  input,
  Effect.fnUntraced(function*(flags) {
    yield* OnHost.enter(flags)
    const sources = yield* Logs.chosen(flags)
    const filter = yield* filterOf(flags)
    yield* flags.follow ? follow(flags, sources, filter) : showAll(flags, sources, filter)
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Draw what was logged: operations and their plugins"),
  Command.withDescription(
    "Draw what was logged: each operation with its plugins, what each one changed, and how long it took. " +
      "✓ is done, ✗ failed; · is a tap, or a plugin that no tap saw end; + was added, - removed, ~ changed. " +
      "Without a log it reads stdin to its end, or on a terminal /var/log/cni/*.jsonl. " +
      "Exit status: 0, or 1 where --failed or --leftovers found something, or 2 where a log cannot be read"
  ),
  Command.withExamples([
    { command: "cni-passthrough show /var/log/cni/*.jsonl --failed", description: "What went wrong" },
    {
      command: "cni-passthrough show --journald --pod default/web --since 10m",
      description: "One pod, from the journal"
    },
    { command: "ssh node cat /var/log/cni/all.jsonl | cni-passthrough show", description: "The log of another host" },
    { command: "cni-passthrough show -f /var/log/cni/all.jsonl", description: "Operations as they end" },
    {
      command: "cni-passthrough show --json | jq 'select(.failed) | .containerId'",
      description: "For scripts"
    }
  ])
)
