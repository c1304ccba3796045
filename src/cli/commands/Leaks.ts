/** `cni-passthrough leaks`: what containers that are gone have left behind. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as LeakRemoval from "../../doctor/LeakRemoval.ts"
import type * as Leaks from "../../doctor/Leaks.ts"
import * as GoDuration from "../../json/GoDuration.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Confirm from "../Confirm.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"
import * as LeakLines from "../LeakLines.ts"
import * as OnHost from "../OnHost.ts"
import * as Progress from "../Progress.ts"
import * as Age from "./leaks/Age.ts"
import * as Removing from "./leaks/Removing.ts"
import * as Search from "./leaks/Search.ts"
import * as StillListed from "./leaks/StillListed.ts"
import * as Unattended from "./leaks/Unattended.ts"
import * as Config from "./wrap/Config.ts"

/** `--every` without what it needs. */
class Needs extends Data.TaggedError("Needs")<{ readonly flag: string; readonly needed: string }> {
  override readonly message = `${this.flag} needs ${this.needed}: give both`
}

const input = {
  network: Flags.fileOrName("network").pipe(
    Argument.withDescription(
      "A network configuration file, or the name of a network (default: all of --conf-dir and --cache-dir)"
    ),
    Argument.optional
  ),
  confDir: HostFolders.confDir,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag,
  fix: Flags.toggle("fix", "Remove it, after showing it and asking"),
  every: Flags.optionalDuration(
    "every",
    "With --fix and --older: keep running, look again at this interval, and remove without asking"
  ),
  older: Flags.optionalDuration(
    "older",
    "Only what has been left behind for this long, and whose container no runtime of this host lists"
  ),
  ...Removing.flags,
  yes: Flags.toggle("yes", "With --fix, do not ask"),
  verbose: Flags.toggle("verbose", "Print all that is left, in full"),
  json: Flags.toggle("json", "Print what is left as one JSON document; with --every, one line for each look")
}

type Input = HostFolders.Completed<Command.Command.Config.Infer<typeof input>>

/** Fails if a flag lacks another one that it depends on. */
const check = Effect.fnUntraced(function*({ every, fix, log, older, sink }: Input) {
  const isEvery = Option.isSome(every)
  if (isEvery && !fix) return yield* new Needs({ flag: "--every", needed: "--fix" })
  if (isEvery && Option.isNone(older)) return yield* new Needs({ flag: "--every", needed: "--older" })
  if (Option.isSome(log) && !fix) return yield* new Needs({ flag: "--log", needed: "--fix" })
  if (Option.isSome(sink) && !fix) return yield* new Needs({ flag: "--sink", needed: "--fix" })
  if (Option.isSome(log) && Option.isSome(sink) && sink.value !== "file") {
    return yield* new Config.NotAFile({ sink: sink.value })
  }
})

/** Removes what is left. Returns what it removed, and prints why something stays. */
const removeAll = Effect.fnUntraced(function*(
  all: ReadonlyArray<Leaks.Leak>,
  flags: Input,
  tools: ReadonlyMap<string, string>
) {
  const remove = yield* Removing.make(flags)
  const perContainer = LeakRemoval.byContainer(all)
  const outcomes = (yield* Progress.each("cleaning up after containers", perContainer, (ofOne) => remove(ofOne, tools)))
    .flat()
  const style = yield* Style.current()
  for (const line of Removing.failures(outcomes)) yield* Console.error(style.red(Escape.inLine(line)))
  return outcomes.filter(({ stays }) => stays === undefined).map(({ leak }) => leak)
})

/** What is left for long enough. Without `--older`, all of it. */
const search = Effect.fnUntraced(function*(flags: Input) {
  const found = yield* Search.settled(flags)
  if (Option.isNone(flags.older) || found.blind !== undefined) return { ...found, recent: [], listed: [], notes: [] }
  const { gone, listed, notes } = yield* StillListed.ask(found.found)
  const { old, recent } = yield* Age.byFiles(gone, flags.older.value)
  return { ...found, found: old, recent, listed, notes }
})

/** Looks once. */
const once = Effect.fnUntraced(function*(flags: Input) {
  const style = yield* Style.current()
  const all = yield* search(flags)
  const { blind, found, kept, listed, notes, possible, recent, tools, unseenRules } = all
  for (const note of [...Search.notes(all), ...notes]) yield* Console.error(Escape.inLine(note))
  for (const line of [...LeakLines.keptBack(kept), ...LeakLines.listed(listed)]) yield* Console.error(line)
  const length = Option.match(flags.older, {
    onNone: () => "",
    onSome: (older) => ` for ${GoDuration.fromMillis(older)}`
  })
  if (recent.length > 0) {
    yield* Console.error(
      `${LeakLines.sum(recent)} of containers that are gone, not listed: not known to have been left${length}`
    )
  }
  if (flags.json) yield* Console.log(LeakLines.json(all))
  else if (blind !== undefined) {
    if (possible.length > 0) yield* Console.log("left, or in use by a container that cannot be seen:")
    for (const line of LeakLines.lines(possible, style, flags.verbose)) yield* Console.log(line)
  } else if (found.length === 0) {
    const isAll = kept.length + recent.length + listed.length === 0 && unseenRules === undefined
    const others = isAll ? "nothing" : "nothing else"
    yield* Console.log(style.green(`${others} is left${length} of containers that are gone`))
  } else {
    for (const line of LeakLines.lines(found, style, flags.verbose)) yield* Console.log(line)
    const advice = flags.fix ? "" : ". --fix removes them"
    yield* Console.error(`${found.length} left${length} of containers that are gone: ${LeakLines.sum(found)}${advice}`)
  }
  if (blind !== undefined) return yield* blind
  const isComplete = kept.length === 0 && unseenRules === undefined
  const conclusion = isComplete ? Effect.void : Effect.fail(new Errors.Incomplete())
  if (found.length === 0) return yield* conclusion
  if (!flags.fix) return yield* new Errors.Unsuccessful()
  if (!flags.yes && !(yield* Confirm.ask(`Remove these ${found.length}?`))) return yield* new Errors.Unsuccessful()
  // A container may have been attached while the user read the question. Leave alone what is not a leak any more.
  const still = flags.yes ? found : Search.both(found, (yield* Search.find(flags)).found)
  const removed = yield* removeAll(still, flags, tools)
  const isAnyLeft = removed.length < still.length
  const what = removed.length === 0 ? "nothing" : `${removed.length}: ${LeakLines.sum(removed)}`
  const rest = isAnyLeft ? `; ${still.length - removed.length} of ${still.length} stay` : ""
  yield* (flags.json ? Console.error : Console.log)(`removed ${what}${rest}`)
  if (isAnyLeft) return yield* new Errors.Unsuccessful()
  return yield* conclusion
})

/** `leaks [NETWORK]` */
export const leaks = HostFolders.command(
  "leaks",
  input,
  Effect.fnUntraced(function*(flags) {
    yield* check(flags)
    yield* OnHost.enter(flags)
    const { every, older } = flags
    if (Option.isSome(every) && Option.isSome(older)) {
      return yield* Unattended.run(flags, every.value, older.value)
    }
    yield* once(flags)
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Find what is left of containers that are gone"),
  Command.withDescription(
    "Find reservations of host-local, results in libcni's cache, links and rules of iptables whose container is gone, and " +
      "remove them with --fix. It never touches what a live network namespace uses. It keeps back what a runtime or a " +
      "plugin is working for, and names the process. The most harmful come first: rules that lead traffic to an " +
      "address that is gone. With --older, only what has been left behind for that long counts, and each runtime of this " +
      "host that has crictl or podman is asked too: what it lists is not gone. A single look counts from when the files of a " +
      "container were written; --every counts from when it first found something left behind, until a signal stops " +
      "it. Exit status 0: nothing is left, or a signal stopped --every, 1: something is, 2: it could not look, or a " +
      "process kept something back."
  ),
  Command.withExamples([
    { command: "cni-passthrough leaks", description: "Look at all networks of this host" },
    { command: "cni-passthrough leaks --verbose", description: "All that is left, in full" },
    { command: "cni-passthrough leaks podman --fix", description: "Clean up one of them, after asking" },
    {
      command: "cni-passthrough leaks --fix --every 5m --older 10m",
      description: "Keep a node clean, until it is stopped"
    }
  ])
)
