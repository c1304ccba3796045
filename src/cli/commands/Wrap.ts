/** `cni-passthrough wrap`: wraps the plugins of a host, so that each call of them is logged. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Escape from "../../record/Escape.ts"
import * as Discovery from "../../runtime/Discovery.ts"
import * as PluginSelection from "../../wrap/PluginSelection.ts"
import type * as Stub from "../../wrap/Stub.ts"
import * as Survey from "../../wrap/Survey.ts"
import * as WrappedFolders from "../../wrap/WrappedFolders.ts"
import * as Wrapping from "../../wrap/Wrapping.ts"
import * as BuiltPlugin from "../BuiltPlugin.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"
import * as NearPlugin from "../NearPlugin.ts"
import * as OnHost from "../OnHost.ts"
import * as PluginFolders from "../PluginFolders.ts"
import * as Config from "./wrap/Config.ts"
import * as Foreground from "./wrap/Foreground.ts"
import * as ForegroundFlags from "./wrap/ForegroundFlags.ts"
import * as Outcome from "./wrap/Outcome.ts"
import * as SinkPreflight from "./wrap/SinkPreflight.ts"
import * as WrapStatus from "./wrap/WrapStatus.ts"

/** The folders have no plugins. */
class NoPlugins extends Data.TaggedError("NoPlugins")<{
  readonly folders: ReadonlyArray<string>
  readonly passedOver: ReadonlyArray<Survey.PassedOver>
}> {
  override readonly message = `found no plugins in ${this.folders.join(":")}: choose another folder with --dir${
    this.passedOver.length === 0 ? "" : `\npassed over: ${Outcome.reasons(this.passedOver)}`
  }`
}

const input = {
  ...PluginFolders.flags,
  ...Config.flags,
  ...ForegroundFlags.flags,
  confDir: HostFolders.confDir,
  all: Flags.toggle(
    "all",
    "Wrap all other executables of the folders too, under any name. Scripts among them are not started first"
  ),
  renew: Flags.toggle(
    "renew",
    "Only renew the executable around plugins that are wrapped already, also in folders that only an earlier --dir " +
      "has named, as an upgrade of the Debian package does"
  ),
  status: Flags.toggle("status", "List what is wrapped, since when, by which version, and what was written over since"),
  json: Flags.toggle(
    "json",
    "With --status: print a JSON list. With --follow: print one JSON object a line for each operation, as show --json " +
      "does, and all else on stderr"
  )
}

type Input = HostFolders.Completed<Command.Command.Config.Infer<typeof input>>

/** The folders that have any of the plugins. Fails if no folder has one of them. */
const concerned = Effect.fnUntraced(
  function*(requests: ReadonlyArray<Wrapping.Request>, names: ReadonlyArray<string> | undefined) {
    const selections = yield* Effect.forEach(
      requests,
      (request) =>
        Effect.map(PluginSelection.make(request), ({ chosen, passedOver }) => ({
          request,
          passedOver,
          chosen: chosen.filter(({ state }) => state !== "gone").map(({ name }) => name)
        }))
    )
    const namesOf = ({ chosen, passedOver }: (typeof selections)[number]) =>
      names === undefined ? chosen : [...chosen, ...passedOver.map(({ name }) => name)]
    const missing = names?.find((name) => !selections.some((selection) => namesOf(selection).includes(name)))
    const folders = requests.map(({ at }) => at.folder)
    if (missing !== undefined) return yield* (yield* NearPlugin.notThere(missing, folders))
    const found = selections.filter((selection) => namesOf(selection).some((name) => names?.includes(name) ?? true))
    if (found.length > 0) return found.map(({ request }) => request)
    return yield* new NoPlugins({ folders, passedOver: selections.flatMap(({ passedOver }) => passedOver) })
  }
)

/** The command that shows the records of a sink; undefined for sinks that it does not read. */
const showing = (sink: Config.Sink): string | undefined => {
  if (sink.type === "journald") return "cni-passthrough show --failed --journald"
  if (sink.type !== "file") return undefined
  const pattern = Config.patternOf(sink)
  return `cni-passthrough show --failed ${/^[\w./-]+$/.test(pattern) ? pattern : `'${pattern}'`}`
}

/** The text of a file; empty if it cannot be read. */
const textOf = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.orElseSucceed(fs.readFileString(file), () => ""))

/** Prints the configuration of a folder, and returns where it logs to. */
const reportConfig = Effect.fnUntraced(function*(at: Stub.Places, isKept: boolean) {
  const text = yield* textOf(at.config)
  yield* Console.log(`${isKept ? "keeps" : "has"} ${Escape.inLine(at.config)}`)
  for (const line of text.trimEnd().split("\n")) yield* Console.log(`  ${Escape.inLine(line)}`)
  const reading = Config.read(text)
  for (const problem of yield* SinkPreflight.problems(at, reading)) yield* Console.error(problem)
  return reading.sinks
})

/** What to do next. */
const next = Effect.fnUntraced(function*(flags: Input, sinks: ReadonlyArray<Config.Sink>) {
  const commands = [...new Set(sinks.map(showing).filter((command) => command !== undefined))]
  const lines = [
    ...commands.flatMap((command) => ["# what failed, once a container was started", command]),
    "# takes it all out again",
    `cni-passthrough unwrap${PluginFolders.again(flags)}`
  ]
  yield* Console.log("next")
  for (const line of lines) yield* Console.log(`  ${line}`)
})

/** Wraps the plugins of each folder. If one cannot be wrapped, continues with the next one. */
const wrapAll = Effect.fnUntraced(function*(
  requests: ReadonlyArray<Wrapping.Request>,
  refusals: Outcome.Refusals
) {
  const sinks: Array<Config.Sink> = []
  let isComplete = true
  for (const request of requests) {
    const outcome = yield* Wrapping.wrap(request)
    refusals.take(request.at, outcome)
    isComplete = (yield* Outcome.wrapped(request.at, outcome, request.names)) && isComplete
    const isAnyWrapped = outcome.wrapped.length > 0 || outcome.already.length > 0
    if (isAnyWrapped) sinks.push(...yield* reportConfig(request.at, outcome.isConfigKept))
  }
  return { isComplete, sinks }
})

/**
 * Says which runtimes of this host call the plugins of a folder, or that none of those at work does. Files of a podman
 * with CNI alone are no sign that podman is used. One with netavark is named, because it calls no plugin at all.
 */
const tellUsers = Effect.fnUntraced(function*(folder: string, runtimes: ReadonlyArray<Discovery.Runtime>) {
  const fs = yield* FileSystem.FileSystem
  const real = (path: string) => Effect.orElseSucceed(fs.realPath(path), () => path)
  const users = yield* Effect.filter(
    runtimes,
    ({ pluginFolders = [] }) => Effect.map(Effect.forEach(pluginFolders, real), (folders) => folders.includes(folder))
  )
  const isOnlyPodman = runtimes.every(({ name, pluginFolders }) => name === "podman" && pluginFolders !== undefined)
  if (users.length === 0 && isOnlyPodman) return
  const lines = users.length > 0
    ? users.map((runtime) => `${folder} is used by ${Discovery.inWords(runtime)}`)
    : [
      `no runtime that was found on this host uses ${folder}:`,
      ...runtimes.map((runtime) => `  ${Discovery.inWords(runtime)}`)
    ]
  for (const line of lines) yield* Console.error(Escape.inLine(line))
})

/** Wraps the plugins, and prints what to do next. */
const wrapOnce = Effect.fnUntraced(function*(flags: Input, requests: ReadonlyArray<Wrapping.Request>) {
  const refusals = Outcome.makeRefusals()
  const { isComplete, sinks } = yield* wrapAll(requests, refusals)
  yield* next(flags, sinks)
  if (!isComplete || !refusals.isEmpty()) return yield* new Errors.Unsuccessful()
})

/** Renews the executable around the plugins that are wrapped. Wraps no other plugin, and keeps all configurations. */
const renew = Effect.fnUntraced(function*(requests: ReadonlyArray<Wrapping.Request>) {
  let isComplete = true
  let isAny = false
  for (const request of requests) {
    const { plugins } = yield* Survey.make(request.at)
    const names = plugins.filter(({ state }) => state === "wrapped").map(({ name }) => name)
    if (names.length === 0) continue
    const { refused } = yield* Wrapping.wrap({ ...request, names, all: false, keepsConfig: true })
    const renewed = names.filter((name) => !refused.some((each) => each.name === name))
    yield* Console.log(`${Escape.inLine(request.at.folder)}: renewed what runs around ${Outcome.listed(renewed)}`)
    yield* Outcome.refused(request.at, "not renewed", refused)
    isComplete = isComplete && refused.length === 0
    isAny = true
  }
  if (!isAny) yield* Console.log("nothing is wrapped")
  if (!isComplete) return yield* new Errors.Unsuccessful()
})

const printStatus = Effect.fnUntraced(function*(flags: Input) {
  yield* OnHost.enter(flags)
  const folders = yield* PluginFolders.find(flags, yield* WrappedFolders.list)
  yield* WrapStatus.print(folders, PluginFolders.names(flags), flags.json)
})

/** `wrap PLUGIN…` */
export const wrap = HostFolders.command(
  "wrap",
  input,
  Effect.fnUntraced(
    function*(flags) {
      if (flags.log._tag === "Some" && flags.sink._tag === "Some" && flags.sink.value !== "file") {
        return yield* new Config.NotAFile({ sink: flags.sink.value })
      }
      yield* ForegroundFlags.check(flags)
      const deadline = yield* ForegroundFlags.deadline(flags)
      if (flags.status) return yield* printStatus(flags)
      const built = yield* OnHost.enter(flags, yield* BuiltPlugin.find(Option.getOrUndefined(flags.hostRoot)))
      const folders = yield* PluginFolders.find(flags, flags.renew ? yield* WrappedFolders.list : [])
      const names = PluginFolders.names(flags)
      const asked = { ...flags, log: Option.map(flags.log, (path) => OnHost.seenFile(flags, path)) }
      const all = flags.all && names === undefined
      const confFolders = [OnHost.seen(flags, flags.confDir)]
      const possible = yield* Effect.forEach(folders, (at) =>
        Effect.map(textOf(at.config), (before) => {
          const config = Config.text(asked, before)
          return { at, names, all, confFolders, built, config, keepsConfig: !Config.isAsked(flags) }
        }))
      if (flags.renew) return yield* renew(possible)
      // --watch also waits for plugins that do not exist yet.
      const requests = flags.watch ? possible : yield* concerned(possible, names)
      // At the root of another host, the runtimes can be asked only now.
      const known = Option.isNone(flags.hostRoot) ? flags.runtimes : undefined
      const runtimes = known ?? (yield* Effect.flatten(Discovery.Runtimes))
      const tell = Effect.forEach(requests, ({ at }) => tellUsers(at.folder, runtimes), { discard: true })
      if (!ForegroundFlags.isAsked(flags)) return yield* Effect.andThen(tell, wrapOnce(flags, requests))
      const refusals = Outcome.makeRefusals()
      const exporting = yield* ForegroundFlags.exporting(flags, requests)
      yield* Foreground.run({
        folders: requests.map(({ at }) => at),
        names,
        deadline,
        stays: Option.isSome(flags.deadline),
        keepsStdout: flags.json,
        wrap: Effect.map(Effect.andThen(tell, wrapAll(requests, refusals)), ({ isComplete }) => isComplete),
        isAnyRefused: () => !refusals.isEmpty(),
        whileWrapped: yield* ForegroundFlags.whileWrapped(flags, requests, refusals, exporting),
        // Unwrapping comes first, and waits for no collector.
        afterwards: exporting?.finish ?? Effect.void
      })
    },
    Effect.scoped,
    Errors.tell
  )
).pipe(
  Command.withShortDescription("Run around the plugins of this host, and log them"),
  Command.withDescription(
    "Wrap the plugins of this host and log each call of them: requests, answers, exit statuses and output, including " +
      "the plugins that other plugins call. No configuration changes, runtimes keep running, and unwrap removes " +
      "everything again. Without names, it wraps widely used plugins and those that a network configuration of this " +
      "host names, and lists what it passed over; --all wraps all executables. To check that its stub answers VERSION " +
      "as the plugin does, each plugin is started once, except for scripts that only --all selects. Settings of an " +
      "earlier wrap are kept unless a flag changes them. With --for, --watch or --follow, which can be combined, wrap " +
      "stays in the foreground and unwraps when it ends: when the time is over, or on Ctrl-C, SIGTERM or SIGHUP. What " +
      "a killed run leaves behind, the next one takes over. Exit status: 0, or 1 if a plugin was not wrapped or stays " +
      "wrapped, or 2 if wrap could not start"
  ),
  Command.withExamples([
    { command: "cni-passthrough wrap", description: "All plugins of the CNI path" },
    { command: "cni-passthrough wrap my-plugin", description: "A plugin that no configuration names" },
    { command: "cni-passthrough wrap bridge host-local --dir /usr/lib/cni", description: "Two plugins of a folder" },
    { command: "cni-passthrough wrap --changes", description: "Also log what each plugin changes" },
    { command: "cni-passthrough wrap --sink journald --redact password", description: "Into the journal" },
    { command: "cni-passthrough wrap --follow", description: "See what happens until Ctrl-C, and unwrap" },
    { command: "cni-passthrough wrap --follow --json | jq -c 'select(.failed)'", description: "For scripts" },
    {
      command: "cni-passthrough wrap --follow --otlp http://127.0.0.1:4318 --prometheus :9808",
      description: "Also send spans to a collector, and provide metrics for Prometheus"
    },
    { command: "cni-passthrough wrap --for 1h", description: "Wrap for one hour" },
    {
      command: "cni-passthrough wrap --host-root /host --for 1h --watch --follow",
      description: "In a container on a node, see conf/kubernetes"
    },
    { command: "cni-passthrough wrap --status", description: "See what is wrapped" },
    {
      command: "cni-passthrough wrap --renew",
      description: "After an upgrade: run the new version around the same plugins"
    }
  ])
)
