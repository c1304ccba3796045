/** `cni-passthrough doctor`: from "the pod has no network" to the guilty part. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Check from "../../doctor/Check.ts"
import * as Checks from "../../doctor/Checks.ts"
import * as Unseen from "../../doctor/checks/Unseen.ts"
import * as Collect from "../../doctor/Collect.ts"
import type { Facts } from "../../doctor/Facts.ts"
import * as Flows from "../../doctor/flow/Flows.ts"
import * as HostTools from "../../exec/HostTools.ts"
import * as LogFiles from "../../log/LogFiles.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Attachments from "../../runtime/Attachments.ts"
import * as Netns from "../../runtime/Netns.ts"
import * as BuiltPlugin from "../BuiltPlugin.ts"
import * as Errors from "../Errors.ts"
import * as Findings from "../Findings.ts"
import * as Flags from "../Flags.ts"
import * as Logs from "../Logs.ts"
import * as OnHost from "../OnHost.ts"
import * as Progress from "../Progress.ts"
import * as ReportFile from "../ReportFile.ts"

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
  confDir: Flags.confDir,
  cniPath: Flags.cniPath,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag,
  capabilityArgs: Flag.String("capability-args").pipe(
    Flag.withDescription("Capability arguments that a runtime would pass, as JSON: '{\"portMappings\":[…]}'"),
    Flag.mapTryCatch(Attachments.parseCapabilityArguments, reason),
    Flag.optional
  ),
  trial: Flags.toggle(
    "trial",
    "Attach a temporary namespace to the network, check it and detach it; the host is left as it was"
  ),
  log: Flags.file("log").pipe(
    Flag.withDescription("Also look at what was logged: a file with JSON records, or a pattern; may be repeated"),
    Flag.atLeast(0)
  ),
  timeout: Flags.duration("timeout", "How long each plugin may take to answer", "10s"),
  verbose: Flags.toggle("verbose", "Print all findings, with all of their evidence"),
  json: Flags.toggle("json", "Print the findings and the checks as one JSON document"),
  report: ReportFile.flag
}

/** The question that the flags ask. */
const questionOf = Effect.fnUntraced(function*(flags: Command.Command.Config.Infer<typeof input>) {
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
    timeout: flags.timeout
  } satisfies Collect.Question
})

/** The logs in the default place, if there are any. */
const atHand = Effect.orElseSucceed(LogFiles.matching(LogFiles.defaultPattern), (): ReadonlyArray<string> => [])

/** Adds what logs say: the named ones, or for a selection without an attachment, those in the default place. */
const remember = Effect.fnUntraced(
  function*(facts: Facts, logs: ReadonlyArray<string>, selection: Collect.Selection) {
    if (logs.length > 0) return yield* Collect.withHistory(facts, logs, selection)
    if (facts.selected === undefined || facts.attachments.length > 0) return facts
    const files = yield* atHand
    if (files.length === 0) return facts
    return yield* Effect.orElseSucceed(Collect.withHistory(facts, files, selection), () => facts)
  }
)

/** The networks that a question is about. An unreadable file is reported later, when it is inspected. */
const networksOf = Effect.fnUntraced(function*(question: Collect.Question, logs: ReadonlyArray<string>) {
  const files = logs.length > 0 ? logs : yield* atHand
  return yield* Effect.orElseSucceed(Collect.networksOf(question, files), () => [question.asked])
})

/** `doctor [NETWORK | CONFLIST]` */
export const doctor = Command.make(
  "doctor",
  input,
  Effect.fnUntraced(
    function*(flags) {
      const style = yield* Style.current()
      const built = flags.trial
        ? Option.getOrUndefined(yield* Effect.option(BuiltPlugin.find(Option.getOrUndefined(flags.hostRoot))))
        : undefined
      const entered = yield* OnHost.enter(flags, built)
      const executable = built === undefined ? undefined : entered
      const question = yield* questionOf(flags)
      const logs = flags.log.map((log) => OnHost.seenFile(flags, log))
      const networks = yield* networksOf(question, logs)
      const collected = yield* Progress.during("plugins and the host", Collect.collect(question, networks))
      const all = yield* Effect.forEach(
        collected,
        Effect.fnUntraced(function*(seen) {
          const known = yield* Progress.during("the logs", remember(seen, logs, question.selection))
          return flags.trial
            ? yield* Progress.during("the trial", Collect.withTrial(known, flags.timeout, executable))
            : known
        })
      )
      const checks = [
        ...Checks.configuration,
        ...Checks.plugins,
        ...Checks.live,
        ...(flags.trial ? Checks.trial : []),
        ...(all.every(({ history }) => history === undefined) ? [] : Checks.history)
      ]
      const reports = all.map((facts) => Check.examine(checks, facts))
      const report = Check.merge(reports)
      const flows = all.map((facts, index) => Flows.of(checks, facts, reports[index] ?? report))
      const nameOf = ({ network }: Facts) => network?.name ?? "the network"
      const names = all.map(nameOf)
      if (flags.json) yield* Console.log(Findings.json(report, flows.flat()))
      else {
        if (style.isTerminal) {
          for (const phase of new Set(checks.map(({ phase }) => phase))) {
            const ids = new Set(checks.filter((check) => check.phase === phase).map(({ id }) => id))
            const outcomes = report.checks.filter(({ check }) => ids.has(check))
            for (const line of Findings.checkLines(phase, outcomes, report.findings, style)) yield* Console.log(line)
          }
          for (const line of Findings.legend(report, style)) yield* Console.log(line)
        }
        const lines = Findings.all(report.findings, style, flags.verbose)
        if (lines.length > 0 && style.isTerminal) yield* Console.log("")
        for (const line of lines) yield* Console.log(line)
        for (const [index, facts] of report.findings.length === 0 ? all.entries() : []) {
          const length = facts.earlier.reduce(
            (sum, { attachments }) => sum + attachments.length,
            facts.attachments.length
          )
          const looked = `${length} attachment${length === 1 ? "" : "s"} checked`
          yield* Console.log(style.green(Escape.inLine(`${nameOf(facts)}: no problems found, ${looked}`)))
          for (const line of Findings.walked(facts, flows[index] ?? [], style, flags.verbose)) yield* Console.log(line)
        }
        for (const line of Findings.flowLines(flows.flat(), style, flags.verbose)) yield* Console.log(line)
      }
      if (Option.isSome(flags.report)) {
        yield* ReportFile.make(
          OnHost.seenFile(flags, flags.report.value),
          yield* Logs.ofNetworks(logs, names),
          report.findings.map(Findings.onPage)
        )
      }
      if (Findings.has(report, "error")) return yield* new Errors.Unsuccessful()
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
      "It changes nothing; --trial leaves the host as it was. Exit status 0: no error, 1: errors, 2: it could not look."
  ),
  Command.withExamples([
    { command: "cni-passthrough doctor", description: "All networks of this host, and what is attached to them" },
    { command: "cni-passthrough doctor podman --container-id 3f2a", description: "One container" },
    { command: "cni-passthrough doctor podman --trial", description: "Also see what each plugin does, and leaves" },
    {
      command: "cni-passthrough doctor --log '/var/log/cni/*.jsonl'",
      description: "Also what failed, or was never detached"
    },
    { command: "cni-passthrough doctor --pod shop/web --json", description: "One pod, for a script" }
  ])
)
