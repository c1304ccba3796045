/**
 * `cni-passthrough diff`: the differences between two operations, such as one on a host that works and one on a host
 * that does not.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Collector from "../../operations/Collector.ts"
import * as Comparison from "../../operations/Comparison.ts"
import * as Filter from "../../operations/Filter.ts"
import type * as Operation from "../../operations/Operation.ts"
import * as Pairing from "../../operations/Pairing.ts"
import * as Escape from "../../record/Escape.ts"
import * as Summary from "../../record/Summary.ts"
import * as ComparisonText from "../../render/terminal/ComparisonText.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Errors from "../Errors.ts"
import { fileOrName, text, toggle, verb } from "../Flags.ts"
import * as Logs from "../Logs.ts"
import * as SmallHeap from "../SmallHeap.ts"

/** A log has no operation of the kind to compare. */
class NothingToCompare extends Data.TaggedError("NothingToCompare")<{
  readonly log: string
  readonly wanted: string
  readonly others: ReadonlyArray<string>
}> {
  override readonly message = `${this.log} has no ${this.wanted}: it has ${
    this.others.length === 0 ? "none at all" : this.others.slice(-listed).join(", ")
  }${this.others.length > listed ? `, and ${this.others.length - listed} before these` : ""}`
}

/** The most operations to name one by one, newest first. */
const listed = 5

/** Both logs are stdin, which can be read only once. */
class OneStdin extends Data.TaggedError("OneStdin") {
  override readonly message = "- is named twice, and stdin can be read once: name a file for one of both"
}

const input = {
  first: fileOrName("a").pipe(
    Argument.withDescription(
      "A file with JSON records, also compressed by gzip, or - for stdin; FILE#ID for the newest operation on the " +
        "container whose ID starts so"
    )
  ),
  second: fileOrName("b").pipe(Argument.withDescription("What it is compared with, in the same form")),
  network: text("network", "Only this network"),
  command: verb("Operations to compare (default: ADD)").pipe(Flag.withDefault("ADD")),
  json: toggle("json", "Print the differences as one JSON document")
}

type Input = Command.Command.Config.Infer<typeof input>

/** A log and the beginning of a container ID. The name of a file may contain a #. */
const sourceOf = Effect.fnUntraced(function*(argument: string) {
  const fs = yield* FileSystem.FileSystem
  const at = argument.lastIndexOf("#")
  const isWhole = at <= 0 || (yield* Effect.orElseSucceed(fs.exists(argument), () => false))
  return isWhole
    ? { log: argument, container: undefined }
    : { log: argument.slice(0, at), container: argument.slice(at + 1) }
})

type Source = Effect.Success<ReturnType<typeof sourceOf>>

const operationsOf = Effect.fnUntraced(function*({ log }: Source) {
  const collector = new Collector.Collector({ full: true })
  yield* Logs.complain(yield* Logs.read([log], (record) => collector.add(record)), [log])
  return collector.operations()
})

const nameOf = ({ request }: Operation.Operation): string => Escape.inLine(Summary.operation(request))

/** The newest operations of a log, one for each network. */
const newestOf = Effect.fnUntraced(function*(
  { container, log }: Source,
  operations: ReadonlyArray<Operation.Operation>,
  flags: Input
) {
  const network = Option.getOrUndefined(flags.network)
  const found = Pairing.newest(operations, { container, network, command: flags.command })
  if (found.length > 0) return found
  const wanted = [
    flags.command.toUpperCase(),
    container === undefined ? "" : `of ${container}`,
    network === undefined ? "" : `on ${network}`
  ]
  return yield* new NothingToCompare({
    log,
    wanted: wanted.filter((word) => word !== "").join(" "),
    others: operations.filter((operation) => Filter.matches({}, operation)).map(nameOf)
  })
})

/** `diff A B` */
export const diff = Command.make(
  "diff",
  input,
  Effect.fnUntraced(function*(flags) {
    SmallHeap.keep()
    const [a, b] = [yield* sourceOf(flags.first), yield* sourceOf(flags.second)]
    if (a.log === "-" && b.log === "-") return yield* new OneStdin()
    const operations = yield* operationsOf(a)
    const first = yield* newestOf(a, operations, flags)
    const second = yield* newestOf(b, a.log === b.log ? operations : yield* operationsOf(b), flags)
    const { onlyFirst, onlySecond, pairs } = Pairing.make(first, second)
    const inA = (operation: Operation.Operation) => ({ log: a.log, operation })
    const inB = (operation: Operation.Operation) => ({ log: b.log, operation })
    const compared = pairs.map(([left, right]) => [inA(left), inB(right), Comparison.make(left, right)] as const)
    if (flags.json) {
      const comparisons = [
        ...compared.map((one) => ComparisonText.json(...one)),
        ...onlyFirst.map((one) => ComparisonText.jsonAlone(inA(one), "first")),
        ...onlySecond.map((one) => ComparisonText.jsonAlone(inB(one), "second"))
      ]
      yield* Console.log(Escape.inJson(JSON.stringify({ comparisons }, undefined, 2)))
    } else {
      const { alone, pair } = ComparisonText.make(yield* Style.current())
      const paragraphs = [
        ...compared.map((one) => pair(...one)),
        ...onlyFirst.map((one) => alone(inA(one), "removed")),
        ...onlySecond.map((one) => alone(inB(one), "added"))
      ]
      yield* Console.log(paragraphs.map((lines) => lines.join("\n")).join("\n\n"))
    }
    const isDifferent = compared.some(([, , comparison]) => Comparison.isDifferent(comparison))
    if (isDifferent || onlyFirst.length > 0 || onlySecond.length > 0) return yield* new Errors.Unsuccessful()
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Compare operations of two logs, or two of one log"),
  Command.withDescription(
    "Compare operations: configuration, plugins, results, changes of state and times of the newest ADD of each network " +
      "in both logs. What is specific to one attachment, such as its container ID and addresses, does not count as a " +
      "difference. Durations count if one is at least twice the other. - is only in the first, + only in the second. Exit status 0: no " +
      "difference, 1: differences, 2: a log cannot be read, or has no such operation"
  ),
  Command.withExamples([
    {
      command: "cni-passthrough diff good-node.jsonl bad-node.jsonl",
      description: "The host that works, and the other"
    },
    {
      command: "cni-passthrough diff log.jsonl#5c01f03d log.jsonl#77ab01de",
      description: "Two containers of one host"
    },
    { command: "cni-passthrough diff old.jsonl new.jsonl --command DEL --network podman", description: "Another verb" }
  ])
)
