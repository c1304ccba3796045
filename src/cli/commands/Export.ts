/** `cni-passthrough export`: logs as spans and metrics. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ExportedOperations } from "../../export/ExportedOperations.ts"
import * as LogFollower from "../../log/LogFollower.ts"
import type { Record } from "../../record/Record.ts"
import * as Errors from "../Errors.ts"
import * as Exporting from "../Exporting.ts"
import * as Flags from "../Flags.ts"
import type * as HostMetrics from "../HostMetrics.ts"
import * as Logs from "../Logs.ts"
import * as OnHost from "../OnHost.ts"
import * as SmallHeap from "../SmallHeap.ts"

const input = {
  logs: Logs.argument,
  journald: Flags.toggle("journald", "Read the journal of this host instead"),
  follow: Flags.toggle("follow", "Go on with what is appended, until it is interrupted").pipe(Flag.withAlias("f")),
  ...Exporting.flags,
  cniPath: Flags.cniPath,
  confDir: Flags.confDir,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag
}

type Input = Command.Command.Config.Infer<typeof input>

/** Where metrics of this host come from. */
const placesOf = (flags: Input): HostMetrics.Places => ({
  folders: flags.cniPath.map((folder) => OnHost.seen(flags, folder)),
  confDir: OnHost.seen(flags, flags.confDir),
  cacheDir: OnHost.seen(flags, flags.cacheDir)
})

/** No destination is given. */
class Nowhere extends Data.TaggedError("Nowhere") {
  override readonly message =
    "give --otlp, --prometheus or both: where spans and metrics go. OTEL_EXPORTER_OTLP_ENDPOINT is not set either"
}

/** How many pieces of a log are read between two collections of garbage: one MiB together. */
const piecesPerCollection = 16

/** Exports what the logs have. */
const exportAll = Effect.fnUntraced(function*(
  flags: Input,
  sources: ReadonlyArray<string>,
  opened: Exporting.Opened
) {
  SmallHeap.keep()
  const { finish, take } = Exporting.inTurn(opened, placesOf(flags))
  const following = new ExportedOperations()
  // In time as the log has it, an operation is complete as soon as it would have been when it happened.
  let now = 0
  const add = (record: Record) => {
    now = Math.max(now, Date.parse(record.time) || 0)
    following.add(record, now)
  }
  const collect = SmallHeap.collector()
  let pieces = 0
  const pace = Effect.suspend(() => {
    if (++pieces % piecesPerCollection === 0) collect()
    return take(following.due(now))
  })
  const skipped = yield* Logs.read(sources, add, pace)
  yield* Logs.complain(skipped, flags.logs)
  yield* take(following.rest())
  yield* Effect.forEach(yield* finish, (line) => Console.log(line))
  if (opened.place?.needsUs === true) return yield* Effect.never
})

/** Exports operations as they happen. */
const follow = Effect.fnUntraced(function*(
  flags: Input,
  sources: ReadonlyArray<string>,
  opened: Exporting.Opened
) {
  const running = yield* Exporting.begin(opened, placesOf(flags))
  const { collector, place } = opened
  for (const each of [collector?.url, place?.name]) if (each !== undefined) yield* Console.error(`exporting to ${each}`)
  const following = new ExportedOperations()
  const operations = LogFollower.pieces({ journal: flags.journald, logs: sources }, following, Exporting.tell)
  yield* Stream.runForEach(Stream.unwrap(operations), (operation) => Effect.sync(() => running.take(operation))).pipe(
    Effect.onExit(() => Effect.andThen(Effect.sync(() => following.rest().forEach(running.take)), running.finish))
  )
})

/** `export LOG…` */
export const exportCommand = Command.make(
  "export",
  input,
  Effect.fnUntraced(
    function*(flags) {
      yield* OnHost.enter(flags)
      const opened = yield* Exporting.open(flags)
      if (opened.collector === undefined && opened.place === undefined) return yield* new Nowhere()
      const sources = yield* Logs.chosen(flags)
      yield* flags.follow ? follow(flags, sources, opened) : exportAll(flags, sources, opened)
    },
    Effect.scoped,
    Errors.tell
  )
).pipe(
  Command.withShortDescription("Turn logs into spans and metrics"),
  Command.withDescription(
    "Turn logs into spans for an OpenTelemetry collector and into metrics for Prometheus. Each operation is a span, with " +
      "one span below it for each plugin. If the runtime sends a trace context, all of them are below its span. " +
      "Spans have the times of their records and the same IDs each time, so a log may be sent twice. " +
      "What looks like a secret is masked. OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES apply. " +
      "Without a log it reads stdin to its end, or on a terminal /var/log/cni/*.jsonl. " +
      "Exit status: 0, or 1 if a collector did not accept all spans, or 2 if a log cannot be read, or nothing could be " +
      "exported"
  ),
  Command.withExamples([
    {
      command: "cni-passthrough export /var/log/cni/*.jsonl --otlp http://127.0.0.1:4318",
      description: "Send all logged operations, even those of weeks ago"
    },
    {
      command: "cni-passthrough export --journald --follow --prometheus :9808",
      description: "Serve metrics of all operations as they happen"
    },
    {
      command: "cni-passthrough export --journald --prometheus /var/lib/node_exporter/cni.prom",
      description: "For node_exporter's textfile collector"
    }
  ])
)
