/** `cni-passthrough watch`: changes to the network of this host, and who makes them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Collect from "../../doctor/Collect.ts"
import * as GoDuration from "../../json/GoDuration.ts"
import * as LogFiles from "../../log/LogFiles.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as ToolMonitor from "../../watch/ToolMonitor.ts"
import * as Watch from "../../watch/Watch.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as OnHost from "../OnHost.ts"
import * as Print from "../Print.ts"
import * as WatchLines from "../WatchLines.ts"
import * as Deadline from "./wrap/Deadline.ts"

const input = {
  network: Flags.text(
    "network",
    "Only changes that concern this network: its attachments, its plugins, and what affects all traffic"
  ),
  log: Flags.file("log").pipe(
    Flag.withDescription(
      `Where wrapped plugins log: a file, or a pattern; may be repeated (default: ${LogFiles.defaultPattern})`
    ),
    Flag.atLeast(0)
  ),
  journald: Flags.toggle("journald", "Wrapped plugins log to the journal of this host"),
  confDir: Flags.confDir,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag,
  for: Flags.optionalDuration("for", "Stop after this time, such as 30s or 10m"),
  full: Flags.toggle("full", "List all changes of a burst, each flow by itself, and full identifiers"),
  json: Flags.toggle("json", "Print each event as one line of JSON")
}

/** `watch` */
export const watch = Command.make(
  "watch",
  input,
  Effect.fnUntraced(
    function*(flags) {
      yield* OnHost.enter(flags)
      const logs = flags.log.map((log) => OnHost.seenFile(flags, log))
      const style = yield* Style.current()
      const terminal = WatchLines.make(style, flags.full)
      const folders = {
        confDir: OnHost.seen(flags, flags.confDir),
        cacheDir: OnHost.seen(flags, flags.cacheDir)
      }
      const network = Option.getOrUndefined(flags.network)
      const known = network === undefined ? [] : yield* Collect.networkNames(folders)
      if (network !== undefined && !known.includes(network)) {
        const names = known.length === 0 ? "none" : known.join(", ")
        yield* Console.error(
          Escape.inLine(
            `no network is called ${network} yet in ${folders.confDir} or ${folders.cacheDir}; the networks there: ${names}`
          )
        )
      }
      const { events, isBlind } = yield* Watch.events({
        network,
        ...folders,
        sources: {
          journal: flags.journald,
          logs: logs.length > 0 || flags.journald ? logs : [LogFiles.defaultPattern]
        },
        isFull: flags.full
      })
      const until = Option.isNone(flags.for) ? "until Ctrl-C" : `for ${GoDuration.fromMillis(flags.for.value)}`
      yield* Console.error(`watching the network of this host, ${until}`)
      const shown = Print.all(Stream.map(events, (event) =>
        flags.json
          ? `${WatchLines.json(event)}\n`
          : terminal.lines(event).map((line) => `${line}\n`).join("")))
      const end = (yield* Clock.currentTimeMillis) + Option.getOrElse(flags.for, () => Number.POSITIVE_INFINITY)
      yield* Option.isNone(flags.for) ? shown : Effect.raceFirst(shown, Deadline.wait(end))
      if (isBlind()) return yield* new Errors.Incomplete()
    },
    Effect.scoped,
    Effect.provide(ToolMonitor.layer),
    Errors.tell
  )
).pipe(
  Command.withShortDescription("See who changes the network of this host, and how"),
  Command.withDescription(
    "Show changes to links, addresses, routes, policy rules, neighbours, nftables and iptables rules, ipsets and sysctls " +
      "as they happen, and who made them. For rules, the kernel names the process; watch adds its command line, its " +
      "parents, and the plugin that it works for. For everything else, watch names the runs of wrapped plugins during " +
      "which the change happened. It then says which traffic of live attachments the change cuts or restores. " +
      "It changes nothing. Exit status 0: it was stopped, 2: it saw no links or no rules."
  ),
  Command.withExamples([
    { command: "cni-passthrough watch", description: "Who flushes my rules?" },
    { command: "cni-passthrough watch --network podman --for 10m", description: "Only what concerns one network" },
    { command: "cni-passthrough watch --full", description: "All rules of a burst, such as a firewalld reload" },
    {
      command: "cni-passthrough watch --json | jq 'select(.event == \"flows\") | .cuts'",
      description: "For scripts: what attachments lose"
    }
  ])
)
