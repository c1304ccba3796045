/** `cni-passthrough instrument`: inserts taps into a chain, and removes them again. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as CommandLine from "effect/process/CommandLine"
import * as NetworkConfigList from "../../cni/NetworkConfigList.ts"
import * as ConfFolder from "../../conf/ConfFolder.ts"
import * as Instrumentation from "../../conf/Instrumentation.ts"
import * as PluginExec from "../../exec/PluginExec.ts"
import * as PluginVersion from "../../exec/PluginVersion.ts"
import * as AtomicFile from "../../host/AtomicFile.ts"
import type * as Json from "../../json/Json.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import * as JsonText from "../../json/JsonText.ts"
import * as Settings from "../../plugin/Settings.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as PluginUsers from "../../runtime/PluginUsers.ts"
import * as PluginInstallation from "../../wrap/PluginInstallation.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"

/** A configuration cannot be instrumented, or has no taps to remove. */
class NotApplicable extends Data.TaggedError("NotApplicable")<{ readonly path: string; readonly reason: string }> {
  override readonly message = `${this.path} ${this.reason}`
}

/** The taps would call a plugin that does not work, and then no container could be attached. */
class PluginNotReady extends Data.TaggedError("PluginNotReady")<{ readonly reason: string; readonly cause: unknown }> {
  override readonly message = `${this.reason}: with taps, no container could be attached.\n` +
    "Put the plugin where the runtime looks (cni-passthrough install), or give\n--cni-path"
}

const input = {
  conflist: Flags.fileArgument("conflist").pipe(Argument.withDescription("A network configuration list")),
  inPlace: Flags.toggle("in-place", "Write the file itself, by rename, with its mode and owner").pipe(
    Flag.withAlias("i")
  ),
  output: Flags.file("output").pipe(
    Flag.withDescription("Write another file"),
    Flag.withAlias("o"),
    Flag.optional
  ),
  remove: Flags.toggle("remove", "Take the taps out again"),
  sink: Flag.Literals("sink", ["file", "journald", "syslog"]).pipe(
    Flag.withDescription("Where the taps log to (default: file)"),
    Flag.withDefault("file" as const)
  ),
  logDir: Flags.folder("log-dir").pipe(
    Flag.withDescription("Folder of the logs, one file for each container (default: /var/log/cni)"),
    Flag.withDefault("/var/log/cni")
  ),
  hook: Flag.String("hook").pipe(
    Flag.withDescription("A command that the taps run on ADD and DEL; may be given several times"),
    Flag.withMetavar("command"),
    Flag.atLeast(0)
  ),
  cniPath: HostFolders.cniPath,
  cacheDir: Flags.cacheDir
}

type Input = HostFolders.Completed<Command.Command.Config.Infer<typeof input>>

/** The fields of the taps besides their type and label. */
const fieldsOf = ({ hook, logDir, sink }: Input): Json.JsonObject => ({
  logSinks: [
    sink === "file" ? { type: "file", path: `${logDir}/\${CNI_CONTAINERID}.jsonl`, format: "json" } : { type: sink }
  ],
  onLogFailure: "ignore",
  ...(hook.length === 0 ? {} : { hookADD: hook, hookDEL: hook })
})

/** The taps would refuse every request. */
class InvalidTap extends Data.TaggedError("InvalidTap")<{ readonly reason: string }> {
  override readonly message = `the taps would not work: ${this.reason}`
}

/** The new text is not JSON. This is a defect of ours, and nothing is written. */
class NotJson extends Data.TaggedError("NotJson")<{ readonly path: string }> {
  override readonly message = `nothing is written: ${this.path} would not be JSON any more. Please report it`
}

/** The command line names two places for one text. */
class TwoTargets extends Data.TaggedError("TwoTargets") {
  override readonly message = "--in-place writes the file itself, and -o another one: give one of them"
}

/** The changed text of a configuration. */
const change = Effect.fnUntraced(function*({ path, source }: ConfFolder.Loaded, flags: Input) {
  if (!Instrumentation.isChain(source)) {
    return yield* new NotApplicable({ path, reason: "is not a chain: it has no list of plugins" })
  }
  const isInstrumented = Instrumentation.isInstrumented(source)
  if (flags.remove) {
    if (isInstrumented && Instrumentation.hasOnlyTaps(source)) {
      return yield* new NotApplicable({ path, reason: "has no plugins but our taps: remove the file" })
    }
    return isInstrumented
      ? Instrumentation.remove(source)
      : yield* new NotApplicable({ path, reason: "has no taps that were put in by this command" })
  }
  if (isInstrumented) {
    return yield* new NotApplicable({ path, reason: "has taps already: take them out with --remove first" })
  }
  const fields = fieldsOf(flags)
  const [problem] = Settings.read(fields).problems
  if (problem !== undefined) {
    return yield* new InvalidTap({ reason: `${JsonText.pathText(problem.path)}: ${problem.message}` })
  }
  const { plugins } = NetworkConfigList.make(source.value) // without those in separate files
  return Instrumentation.insert(source, plugins.map(({ title }) => title), fields)
})

/** Fails if the plugin is not in the folders of the runtime, or does not answer there. */
const checkPlugin = (cniPath: ReadonlyArray<string>, cniVersion: string) =>
  PluginExec.find(PluginInstallation.pluginName, cniPath).pipe(
    Effect.flatMap((file) => PluginVersion.ask(file, cniVersion)),
    Effect.mapError((cause) => new PluginNotReady({ reason: cause.message, cause }))
  )

/** The attachments to a network that call the plugin until they are gone, one a line; empty if there are none. */
const usersOf = Effect.fnUntraced(function*(cacheDir: string, network: string) {
  const users = (yield* PluginUsers.list(cacheDir, PluginInstallation.pluginName)).filter((user) =>
    user.network === network
  )
  return users.length === 0 ? [] : [
    "the plugin is still needed to detach what was attached with the taps:",
    ...users.map(({ containerId, ifname }) => `  ${ifname} of ${containerId}`)
  ]
})

/** A path without symbolic links, as far as it exists. */
const realPath = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.realPath(path), () => path)
})

/** The command that shows the logs of the taps. */
const showCommand = ({ logDir, sink }: Input): string => {
  switch (sink) {
    case "file":
      return `cni-passthrough show ${CommandLine.display([`${logDir}/*.jsonl`])} --failed`
    case "journald":
      return "cni-passthrough show --journald --failed"
    case "syslog":
      return "cni-passthrough show FILE --failed, with the file that your syslog daemon writes"
  }
}

const logOf = ({ logDir, sink }: Input): string => sink === "file" ? `${logDir}/\${CNI_CONTAINERID}.jsonl` : sink

/** What to do once the taps are in the file. */
const next = (target: string, flags: Input): ReadonlyArray<string> => [
  `the taps log to ${logOf(flags)}, from the next container on:`,
  `  ${showCommand(flags)}`,
  "to take them out again:",
  `  cni-passthrough instrument --in-place --remove ${CommandLine.display([target])}`
]

/** `instrument CONFLIST` */
export const instrument = HostFolders.command(
  "instrument",
  input,
  Effect.fnUntraced(function*(flags) {
    const { green, red } = yield* Style.current()
    if (flags.inPlace && Option.isSome(flags.output)) return yield* new TwoTargets()
    const loaded = yield* ConfFolder.load(flags.conflist, ".")
    const text = yield* change(loaded, flags)
    const changed = JsonSource.parse(text)
    if (!JsonSource.isSource(changed)) return yield* new NotJson({ path: loaded.path })
    const isWritten = flags.inPlace || Option.isSome(flags.output)
    const target = Option.getOrElse(flags.output, () => loaded.path)
    const isSame = (yield* realPath(target)) === (yield* realPath(loaded.path))
    if (isWritten && isSame && !flags.remove) yield* checkPlugin(flags.cniPath, loaded.list.cniVersion)
    if (isWritten) {
      if (!isSame) yield* AtomicFile.checkOwner(target)
      yield* AtomicFile.replaceText(target, text, isSame ? { expected: loaded.source.text } : {})
    }
    yield* Console.log(target)
    for (const tap of Instrumentation.taps(flags.remove ? loaded.source : changed)) {
      const shown = isWritten ? tap.label : tap.text
      yield* Console.log(flags.remove ? red(`- ${shown}`) : green(`+ ${shown}`))
    }
    if (!flags.remove) { for (const line of next(target, flags)) yield* Console.log(line) }
    if (!isWritten) {
      yield* Console.error("nothing is written yet: --in-place writes the file itself, -o FILE another one")
    }
    if (flags.remove) {
      for (const line of yield* usersOf(flags.cacheDir, loaded.list.name)) yield* Console.error(line)
    }
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Put taps into a chain, and take them out again"),
  Command.withDescription(
    "Put a tap after each plugin of a chain; --remove gives the old file back byte for byte."
  ),
  Command.withExamples([
    {
      command: "cni-passthrough instrument /etc/cni/net.d/87-podman-bridge.conflist",
      description: "See what would change"
    },
    {
      command: "cni-passthrough instrument -i --hook 'ip addr' 87-podman-bridge.conflist",
      description: "Put taps with a hook in"
    },
    {
      command: "cni-passthrough instrument -i --remove 87-podman-bridge.conflist",
      description: "Take them out again"
    }
  ])
)
