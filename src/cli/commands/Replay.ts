/** `cni-passthrough replay`: calls a plugin as a log recorded the call. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Execution from "../../exec/Execution.ts"
import * as PluginExec from "../../exec/PluginExec.ts"
import { type Call, Calls } from "../../operations/Calls.ts"
import * as Replay from "../../operations/Replay.ts"
import type { Change } from "../../operations/ResultDiff.ts"
import * as Escape from "../../record/Escape.ts"
import * as LineWrap from "../../render/terminal/LineWrap.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Netns from "../../runtime/Netns.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as Logs from "../Logs.ts"

const input = {
  logs: Logs.argument,
  plugin: Flag.String("plugin").pipe(
    Flag.withDescription("The plugin, by its type, such as bridge, or host-local that bridge started"),
    Flag.withMetavar("type")
  ),
  operation: Flag.Int("operation").pipe(
    Flag.withDescription(
      "Which of its calls, counted from the newest, 1 (default: the newest that failed, or else the newest)"
    ),
    Flag.withMetavar("number"),
    Flag.filter(
      (value) => value >= 1,
      (value) => `found ${value}, expected 1 for the newest call, 2 for the one before`
    ),
    Flag.optional
  ),
  run: Flags.toggle("run", "Call the plugin now, and say in what its answer differs"),
  netns: Flags.text("netns", "Another network namespace than it was: a path, or a name in /run/netns"),
  cniPath: Flag.String("cni-path").pipe(
    Flag.withDescription("Other folders of plugins than they were, separated by colons"),
    Flag.withMetavar("folders"),
    Flag.optional
  )
}

type Input = Command.Command.Config.Infer<typeof input>

/** The log has no such call. */
class NoCall extends Data.TaggedError("NoCall")<{ readonly message: string }> {}

/** The most calls to list if none is the requested one. */
const listed = 20

const list = (calls: ReadonlyArray<Call>): string =>
  [
    ...calls.slice(0, listed).map((call, index) => `  ${index + 1}  ${Replay.headline(call)}: ${Replay.outcome(call)}`),
    ...(calls.length > listed ? [`  and ${calls.length - listed} older ones`] : [])
  ].join("\n")

/** The call that the flags choose. */
const choose = Effect.fnUntraced(function*(calls: Calls, { operation, plugin }: Input) {
  const found = calls.newestFirst()
  if (found.length === 0) {
    const types = calls.types().map(Escape.inLine)
    return yield* new NoCall({
      message: `the log has no call of ${plugin}: it has ${types.length === 0 ? "none at all" : types.join(", ")}`
    })
  }
  const call = Option.isSome(operation)
    ? found[operation.value - 1]
    : found.find(({ end }) => end?.event === "error") ?? found[0]
  if (call !== undefined) return call
  return yield* new NoCall({
    message: `the log has no call ${Option.getOrElse(operation, () => 1)} of ${plugin}, but these:\n${list(found)}`
  })
})

const signs = { added: "+", removed: "-", changed: "~" } as const

const line = ({ kind, what }: Change): string => `  ${signs[kind]} ${Escape.inLine(what)}`

/** Calls the plugin, and reports how its answer differs. */
const callAgain = Effect.fnUntraced(function*(call: Call, { env, file, stdin }: Replay.Input) {
  for (const place of Replay.redacted(call)) {
    yield* Console.error(`not as it was: the log has "[redacted]" as ${Escape.inLine(place)}`)
  }
  const inherited = Object.entries(process.env).filter(([name]) => !Replay.names.includes(name))
  const folders = Flags.folders(env["CNI_PATH"] ?? "")
  const execution = yield* PluginExec.call({
    file: file ?? (yield* PluginExec.find(call.type, folders)),
    env: { ...Object.fromEntries(inherited), ...env },
    stdin,
    timeout: 0
  })
  if (call.request.command === "ADD" && Execution.succeeded(execution)) {
    yield* Console.error(
      "what this ADD has made stays until a DEL: without --run there is a script that takes DEL for it"
    )
  }
  const found = Replay.differences(call, execution)
  const { width } = yield* Style.CurrentScreen
  const print = (text: string) => Console.log(LineWrap.text(text, width))
  const what = `${call.type}, ${Replay.headline(call)}`
  if (found.length === 0) return yield* print(`${what}: the same again: ${Replay.outcome(call)}`)
  yield* print([`${what}: another answer than then`, ...found.map(line)].join("\n"))
  return yield* new Errors.Unsuccessful()
})

/** `replay LOG… --plugin TYPE` */
export const replay = Command.make(
  "replay",
  input,
  Effect.fnUntraced(function*(flags) {
    const calls = new Calls(flags.plugin)
    yield* Logs.complain(yield* Logs.read(yield* Logs.sources(flags.logs), (record) => calls.add(record)), flags.logs)
    const call = yield* choose(calls, flags)
    const netns = Option.isSome(flags.netns) ? yield* Netns.pathOf(flags.netns.value) : undefined
    const taken = Replay.inputOf(call, { netns, cniPath: Option.getOrUndefined(flags.cniPath) })
    if (taken instanceof Replay.NoStdin) return yield* taken
    if (flags.run) {
      if (netns !== undefined) yield* Netns.require(netns)
      return yield* callAgain(call, taken)
    }
    yield* Console.log(Replay.script(call, taken).trimEnd())
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Call a plugin once more, as it was called"),
  Command.withDescription(
    "Print a shell script that calls a plugin as a log says that it was called: with the same variables and stdin. " +
      "With --run, call it now and say in what its answer differs. Calls are counted from the newest, and those for " +
      "VERSION that went well are left out. Exit status: 0, or 1 where the answer differs, or 2 where it cannot be called"
  ),
  Command.withExamples([
    {
      command: "cni-passthrough replay /var/log/cni/*.jsonl --plugin bridge > call.sh",
      description: "The last call of bridge that failed, as a script"
    },
    {
      command: "cni-passthrough replay passthrough.jsonl --plugin host-local --operation 2",
      description: "The call before the newest one of host-local"
    },
    {
      command: "cni-passthrough replay passthrough.jsonl --plugin bridge --run --netns test",
      description: "Call it now, in the namespace test, and compare"
    }
  ])
)
