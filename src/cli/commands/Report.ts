/** `cni-passthrough report`: logs as one page. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as RecordLog from "../../log/RecordLog.ts"
import * as Filter from "../../operations/Filter.ts"
import * as Operation from "../../operations/Operation.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as Logs from "../Logs.ts"
import * as OnHost from "../OnHost.ts"
import { PageAssets } from "../PageAssets.ts"
import * as Print from "../Print.ts"
import * as ReportFile from "../ReportFile.ts"
import * as SmallHeap from "../SmallHeap.ts"

const defaultFile = "report.html"

const input = {
  logs: Logs.argument,
  output: Flag.String("output").pipe(
    Flag.withAlias("o"),
    Flag.withDescription(`The file to write; - for stdout (default: ${defaultFile})`),
    Flag.withMetavar("file"),
    Flag.withDefault(defaultFile)
  ),
  redact: Flag.String("redact").pipe(
    Flag.withDescription(
      "A key, or a JSON Pointer from the top of the configuration, whose values are masked too; may be given several times"
    ),
    Flag.withMetavar("path"),
    Flag.atLeast(0)
  ),
  noRedact: Flags.toggle("no-redact", "Also show values of keys that look like secrets, such as password and token"),
  hostRoot: OnHost.flag
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** `report LOG…` */
export const report = Command.make(
  "report",
  input,
  Effect.fnUntraced(function*({ hostRoot, noRedact, redact, ...named }) {
    yield* OnHost.enter({ hostRoot })
    const logs = named.logs.map((log) => OnHost.seenFile({ hostRoot }, log))
    const output = OnHost.seenFile({ hostRoot }, named.output)
    const masked = ReportFile.masked({ masks: !noRedact, redact })
    SmallHeap.keep()
    const content = new ReportFile.Content()
    const take: RecordLog.Take = (record, line) => {
      const text = line.trim()
      const shown = masked(text)
      content.add(shown, shown === text ? record : undefined)
    }
    const sources = yield* Logs.sources(logs)
    yield* Logs.complain(yield* Logs.read(sources, take), logs)
    const operations = content.all()
    const pieces = content.pieces(operations, {}, yield* PageAssets)
    if (output === "-") return yield* Print.all(Stream.fromIterable(pieces, { chunkSize: 1 }))
    yield* ReportFile.write(output, pieces)
    const shown = operations.filter((operation) => Filter.matches({}, operation))
    const failed = shown.filter(Operation.hasFailed).length
    yield* Console.log(`wrote ${output}: ${plural(shown.length, "operation")}, ${failed} failed`)
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Make one HTML page of what was logged"),
  Command.withDescription(
    "Write what was logged as one HTML file, which opens from disk in any browser and loads nothing: what failed first, " +
      "each plugin with its time and with all that went in and came out. Values of keys that look like secrets are " +
      "masked. The records are in the file: show, replay and report read it like a log"
  ),
  Command.withExamples([
    { command: "cni-passthrough report /var/log/cni/*.jsonl -o pods.html", description: "All that was logged" },
    { command: "cni-passthrough show pods.html --failed", description: "The same on a terminal, from the file" },
    {
      command: "ssh node cat /var/log/cni/all.jsonl | cni-passthrough report",
      description: "The log of another host, as report.html"
    }
  ])
)
