/** `cni-passthrough doctor`: from "the pod has no network" to the guilty part. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checks from "../../doctor/Checks.ts"
import * as Unseen from "../../doctor/checks/Unseen.ts"
import type * as Collect from "../../doctor/Collect.ts"
import * as HostTools from "../../exec/HostTools.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Attachments from "../../runtime/Attachments.ts"
import * as Discovery from "../../runtime/Discovery.ts"
import * as Netns from "../../runtime/Netns.ts"
import * as Unloaded from "../../runtime/Unloaded.ts"
import * as BuiltPlugin from "../BuiltPlugin.ts"
import * as DoctorLines from "../DoctorLines.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"
import * as Logs from "../Logs.ts"
import * as OnHost from "../OnHost.ts"
import * as ReportFile from "../ReportFile.ts"
import * as Examination from "./doctor/Examination.ts"
import * as ExaminationText from "./doctor/ExaminationText.ts"
import * as FixRun from "./doctor/FixRun.ts"

const reason = (error: unknown): string => error instanceof Error ? error.message : String(error)

const input = {
  network: Flags.fileOrName("network").pipe(
    Argument.withDescription(
      "A network configuration file, or the name of a network in --conf-dir (default: all of them)"
    ),
    Argument.optional
  ),
  netns: Flags.text("netns", "Only the attachment of this network namespace: a path, or a name in /run/netns"),
  containerId: Flags.text("container-id", "Only the attachments of this container: its ID, or the beginning of it"),
  pod: Flags.text("pod", "Only the attachments of this pod: NAME or NAMESPACE/NAME, as in CNI_ARGS"),
  ifname: Flags.text("ifname", "Only the attachments with this interface"),
  confDir: HostFolders.confDir,
  cniPath: HostFolders.cniPath,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag,
  capabilityArgs: Flag.String("capability-args").pipe(
    Flag.withDescription(
      "With --trial, capability arguments that a runtime would pass, as JSON: '{\"portMappings\":[…]}'"
    ),
    Flag.mapTryCatch(Attachments.parseCapabilityArguments, reason),
    Flag.optional
  ),
  trial: Flags.toggle(
    "trial",
    "Attach a throwaway namespace to the network, send packets from it, and detach it; the host is left as it was"
  ),
  log: Flags.file("log").pipe(
    Flag.withDescription("Also look at what was logged: a file with JSON records, or a pattern; may be repeated"),
    Flag.atLeast(0)
  ),
  timeout: Flags.duration("timeout", "How long each plugin may take to answer", "10s"),
  fix: Flags.toggle("fix", "Run the commands of the fixes, the most severe finding first, after asking"),
  yes: Flags.toggle("yes", "With --fix, do not ask; fixes that cut traffic of live attachments are not run"),
  cut: Flag.String("cut").pipe(
    Flag.withDescription("With --fix --yes, also run the fixes of this check that cut traffic; may be repeated"),
    Flag.withMetavar("check"),
    Flag.atLeast(0)
  ),
  verbose: Flags.toggle("verbose", "Print all findings, with all of their evidence"),
  json: Flags.toggle("json", "Print the findings and the checks as one JSON document"),
  report: ReportFile.flag
}

type Input = HostFolders.Completed<Command.Command.Config.Infer<typeof input>>

/** The flags contradict each other. */
class Contradiction extends Data.TaggedError("Contradiction")<{ readonly message: string }> {}

/** Refuses flags that mean nothing without another one. */
const consistent = ({ cut, fix, json, yes }: Input): Effect.Effect<void, Contradiction> => {
  const unknown = cut.find((name) => !Checks.names.has(name))
  const wrong = (yes || cut.length > 0) && !fix
    ? "--yes and --cut need --fix"
    : cut.length > 0 && !yes
    ? "--cut needs --fix --yes; without --yes, doctor asks"
    : fix && json && !yes
    ? "--fix --json cannot ask for confirmation: give --yes"
    : unknown !== undefined
    ? `--cut ${unknown}: no check has this name`
    : undefined
  return wrong === undefined ? Effect.void : Effect.fail(new Contradiction({ message: wrong }))
}

/** The question that the flags ask. */
const questionOf = Effect.fnUntraced(function*(flags: Input) {
  const { runtimes = [] } = flags
  const netns = Option.isSome(flags.netns) ? yield* Netns.pathOf(OnHost.seen(flags, flags.netns.value)) : undefined
  return {
    asked: Option.getOrUndefined(Option.map(flags.network, (network) => OnHost.seenNetwork(flags, network))),
    confDir: OnHost.seen(flags, flags.confDir),
    cniPath: flags.cniPath.map((folder) => OnHost.seen(flags, folder)),
    cacheDir: OnHost.seen(flags, flags.cacheDir),
    capabilityArgs: Option.getOrElse(flags.capabilityArgs, () => ({})),
    selection: {
      netns,
      containerId: Option.getOrUndefined(flags.containerId),
      pod: Option.getOrUndefined(flags.pod),
      ifname: Option.getOrUndefined(flags.ifname)
    },
    timeout: flags.timeout,
    isWithoutPlugins: runtimes.length > 0 && runtimes.every(({ pluginFolders }) => pluginFolders === undefined)
  } satisfies Collect.Question
})

/** The runtimes of this host, and what is on disk that they have not loaded. */
const runtimeLines = Effect.fnUntraced(function*({ hostRoot, runtimes = [] }: HostFolders.Completed<Input>) {
  // At the root of another host, the runtimes can be asked only now.
  const known = Option.isSome(hostRoot) && runtimes.length > 0 ? yield* Effect.flatten(Discovery.Runtimes) : runtimes
  const lines = yield* Effect.forEach(
    yield* Discovery.withPodman(known),
    (runtime) => Effect.map(Unloaded.find(runtime), (unloaded) => [Discovery.inWords(runtime), ...unloaded])
  )
  return lines.flat().map((line) => Escape.inLine(line))
})

/** The last examination, after the fixes that were asked for. */
const fixed = Effect.fnUntraced(function*(
  first: Examination.Examination,
  request: Examination.Request,
  { cut, json, yes }: Pick<Input, "cut" | "json" | "yes">
) {
  const tell = json ? () => Effect.void : Console.log
  const done = yield* FixRun.all(first, Examination.make(request), { isGranted: yes, cuts: cut }, tell)
  if (done.attempts.length === 0) yield* tell("\nno finding has a fix that commands can run")
  return done
})

/** `doctor [NETWORK | CONFLIST]` */
export const doctor = HostFolders.command(
  "doctor",
  input,
  Effect.fnUntraced(
    function*(flags) {
      yield* consistent(flags)
      const style = yield* Style.current()
      const built = flags.trial
        ? Option.getOrUndefined(yield* Effect.option(BuiltPlugin.find(Option.getOrUndefined(flags.hostRoot))))
        : undefined
      const entered = yield* OnHost.enter(flags, built)
      const executable = built === undefined ? undefined : entered
      if (!flags.json) { for (const line of yield* runtimeLines(flags)) yield* Console.error(line) }
      const question = yield* questionOf(flags)
      const logs = flags.log.map((log) => OnHost.seenFile(flags, log))
      const request = { question, logs, hasTrial: flags.trial, executable }
      const first = yield* Examination.make(request)
      const print = Effect.fnUntraced(function*(examination: Examination.Examination) {
        for (const line of ExaminationText.lines(examination, style, flags.verbose)) yield* Console.log(line)
      })
      if (!flags.json) yield* print(first)
      const { attempts, examined } = flags.fix
        ? yield* fixed(first, request, flags)
        : { attempts: undefined, examined: first }
      const { flows, networks, report } = examined
      if (flags.json) yield* Console.log(DoctorLines.json(report, flows.flat(), attempts))
      else if (examined !== first) {
        yield* Console.log("")
        yield* print(examined)
      }
      if (Option.isSome(flags.report)) {
        yield* ReportFile.make(
          OnHost.seenFile(flags, flags.report.value),
          yield* Logs.ofNetworks(logs, networks.map(Examination.nameOf)),
          { findings: report.findings.map(DoctorLines.onPage) }
        )
      }
      if (DoctorLines.has(report, "error")) return yield* new Errors.Unsuccessful()
      if (report.findings.some(({ check }) => check === Unseen.everythingSeen.id)) return yield* new Errors.Incomplete()
    },
    (effect, { cniPath }) => HostTools.withoutPluginFolders(cniPath)(effect),
    Errors.tell
  )
).pipe(
  Command.withShortDescription("Find out why a network does not work"),
  Command.withDescription(
    "Look at a network as a whole: its configuration, its plugins, its attachments and the rules of the host. Say what is " +
      "wrong, which plugin is to blame, what the evidence is, and how to fix it, with the most probable cause first. " +
      "It changes nothing; --trial leaves the host as it was. --fix shows the commands of each fix, asks, runs them and looks " +
      "again, for as long as that helps. Exit status 0: no error, 1: errors, 2: it could not look."
  ),
  Command.withExamples([
    { command: "cni-passthrough doctor", description: "All networks of this host, and what is attached to them" },
    { command: "cni-passthrough doctor podman --container-id 3f2a", description: "One container" },
    { command: "cni-passthrough doctor podman --trial", description: "Also see what each plugin does, and leaves" },
    {
      command: "cni-passthrough doctor --log '/var/log/cni/*.jsonl'",
      description: "Also what failed, or was never detached"
    },
    { command: "cni-passthrough doctor --pod shop/web --json", description: "One pod, for a script" },
    { command: "cni-passthrough doctor podman --fix", description: "Fix what commands can fix, after asking" }
  ])
)
