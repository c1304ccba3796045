/** `cni-passthrough leaks`: what containers that are gone have left behind. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Prompt from "effect/cli/Prompt"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as ConfFolder from "../../conf/ConfFolder.ts"
import * as Collect from "../../doctor/Collect.ts"
import { nameOf } from "../../doctor/ConfigFile.ts"
import type { Facts } from "../../doctor/Facts.ts"
import * as Rights from "../../doctor/facts/Rights.ts"
import * as Leaks from "../../doctor/Leaks.ts"
import * as Names from "../../doctor/Names.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Errors from "../Errors.ts"
import * as Findings from "../Findings.ts"
import * as Flags from "../Flags.ts"
import * as LeakLines from "../LeakLines.ts"
import * as OnHost from "../OnHost.ts"
import * as Progress from "../Progress.ts"

/** Some of what is alive on the host is hidden, so nothing is known to be gone. */
class Blind extends Data.TaggedError("Blind")<{ readonly reason: string; readonly lacking: ReadonlyArray<string> }> {
  override readonly message =
    `not all network namespaces can be looked into: ${this.reason}; this needs root, and to see the processes and mounts of the host${
      this.lacking.length === 0 ? "" : `: this process lacks ${Rights.list(this.lacking)}`
    }`
}

class NoNetworks extends Data.TaggedError("NoNetworks")<{ readonly confDir: string; readonly cacheDir: string }> {
  override readonly message =
    `no networks in ${this.confDir}, and none of a result in ${this.cacheDir}: looked at nothing`
}

/** There is no terminal on which to ask for confirmation. */
class NobodyToAsk extends Data.TaggedError("NobodyToAsk") {
  override readonly message = "stdin is not a terminal, so that nobody can be asked: give --yes"
}

const input = {
  network: Flags.fileOrName("network").pipe(
    Argument.withDescription(
      "A network configuration file, or the name of a network (default: all of --conf-dir and --cache-dir)"
    ),
    Argument.optional
  ),
  confDir: Flags.confDir,
  cacheDir: Flags.cacheDir,
  hostRoot: OnHost.flag,
  fix: Flags.toggle("fix", "Remove it, after showing it and asking"),
  yes: Flags.toggle("yes", "With --fix, do not ask"),
  verbose: Flags.toggle("verbose", "Print all that is left, in full"),
  json: Flags.toggle("json", "Print what is left as one JSON document")
}

type Input = Command.Command.Config.Infer<typeof input>

/** Everything that is left of these networks, and the tools that remove it. */
const find = Effect.fnUntraced(function*(flags: Input) {
  const asked = Option.getOrUndefined(Option.map(flags.network, (network) => OnHost.seenNetwork(flags, network)))
  const confDir = OnHost.seen(flags, flags.confDir)
  const cacheDir = OnHost.seen(flags, flags.cacheDir)
  const networks = yield* Collect.states({ asked, confDir, cacheDir })
  const [first] = networks
  if (first === undefined) return yield* new NoNetworks({ cacheDir, confDir })
  if (asked !== undefined && first.file === undefined) {
    const known = first.files.flatMap((file) => nameOf(file) ?? [])
    const unloaded = yield* ConfFolder.unloaded(confDir, asked)
    return yield* new ConfFolder.NetworkNotFound({ network: asked, folder: confDir, known, unloaded })
  }
  // Look at what is alive after what may be left, so that a concurrent ADD counts as alive.
  const life = yield* Leaks.look(first.all)
  const all = <Kind extends Leaks.Leak>(look: (facts: Facts, life: Leaks.Life) => ReadonlyArray<Kind>) =>
    networks.flatMap((facts) => look(facts, life)) as ReadonlyArray<Kind>
  const lacking = first.host?.lacking ?? []
  const rules = first.host?.rules
  return {
    found: all(Leaks.find),
    kept: all(Leaks.keptBack),
    possible: all(Leaks.possible),
    unread: life.unread,
    blind: life.blind === undefined ? undefined : new Blind({ reason: life.blind, lacking }),
    unseenRules: rules !== undefined && Result.isFailure(rules) ? rules.failure : undefined,
    tools: first.host?.tools ?? new Map<string, string>()
  }
})

const key = ({ kind, text }: Leaks.Leak): string => `${kind} ${text}`

const both = <Kind extends Leaks.Leak>(some: ReadonlyArray<Leaks.Leak>, others: ReadonlyArray<Kind>) => {
  const keys = new Set(some.map(key))
  return others.filter((leak) => keys.has(key(leak))) as ReadonlyArray<Kind>
}

/** How often to look again at which processes work for containers, and how long to wait each time, in milliseconds. */
const again = { times: 4, wait: 250 }

/**
 * What is left, and is still left at a second look, because a DEL may have been about to remove it at the first one. An
 * ADD ends within a few looks, and then it keeps nothing back.
 */
const settled = Effect.fnUntraced(function*(flags: Input) {
  const first = yield* find(flags)
  let last = first.found.length + first.possible.length === 0 ? first : yield* find(flags)
  for (let time = 0; time < again.times && last.kept.length > 0; time++) {
    yield* Effect.sleep(again.wait)
    const { kept } = last
    const next = yield* find(flags)
    last = { ...next, kept: both(kept, next.kept) }
  }
  // What a process kept back at the first look, and none keeps back at the last one, is left too.
  return {
    ...last,
    found: both([...first.found, ...first.kept], last.found),
    possible: both(first.possible, last.possible)
  }
})

/** Removes what is left. Returns what it removed, and prints why something stays. */
const removeAll = Effect.fnUntraced(function*(
  all: ReadonlyArray<Leaks.Leak>,
  flags: Input,
  tools: ReadonlyMap<string, string>
) {
  const outcomes = yield* Progress.each(
    "removing",
    all,
    Effect.fnUntraced(function*(leak) {
      const done = (yield* Leaks.isAlive(leak, OnHost.seen(flags, flags.cacheDir)))
        ? Result.fail(`${Names.container(leak)} is there again, or a process is at work for it`)
        : yield* Leaks.remove(leak, tools)
      return { leak, done }
    })
  )
  const style = yield* Style.current()
  for (const { done, leak } of outcomes) {
    if (Result.isFailure(done)) {
      yield* Console.error(style.red(Escape.inLine(`${key(leak)} stays: ${done.failure}`)))
    }
  }
  return outcomes.filter(({ done }) => Result.isSuccess(done)).map(({ leak }) => leak)
})

/** `leaks [NETWORK]` */
export const leaks = Command.make(
  "leaks",
  input,
  Effect.fnUntraced(function*(flags) {
    yield* OnHost.enter(flags)
    const style = yield* Style.current()
    const { blind, found, kept, possible, tools, unread, unseenRules } = yield* settled(flags)
    for (const { containerId, reason } of unread) {
      const whose = Findings.bounded(Names.container({ containerId }))
      yield* Console.error(
        Escape.inLine(
          `the network namespace of ${whose} cannot be inspected, so everything in it counts as used: ${reason}`
        )
      )
    }
    for (const line of LeakLines.keptBack(kept)) yield* Console.error(line)
    if (unseenRules !== undefined) {
      yield* Console.error(Findings.bounded(`rules cannot be read, so that none is listed: ${unseenRules}`))
    }
    if (flags.json) yield* Console.log(LeakLines.json({ found, kept, possible }))
    else if (blind !== undefined) {
      if (possible.length > 0) yield* Console.log("left, or in use by a container that cannot be seen:")
      for (const line of LeakLines.lines(possible, style, flags.verbose)) yield* Console.log(line)
    } else if (found.length === 0) {
      const others = kept.length === 0 && unseenRules === undefined ? "nothing" : "nothing else"
      yield* Console.log(style.green(`${others} is left of containers that are gone`))
    } else {
      for (const line of LeakLines.lines(found, style, flags.verbose)) yield* Console.log(line)
      const advice = flags.fix ? "" : ". --fix removes them"
      yield* Console.error(`${found.length} left of containers that are gone: ${LeakLines.sum(found)}${advice}`)
    }
    if (blind !== undefined) return yield* blind
    const isComplete = kept.length === 0 && unseenRules === undefined
    const conclusion = isComplete ? Effect.void : Effect.fail(new Errors.Incomplete())
    if (found.length === 0) return yield* conclusion
    if (!flags.fix) return yield* new Errors.Unsuccessful()
    if (!flags.yes) {
      if (process.stdin.isTTY !== true) return yield* new NobodyToAsk()
      const isWanted = yield* Prompt.run(Prompt.Confirm({ message: `Remove these ${found.length}?` })).pipe(
        Effect.orElseSucceed(() => false)
      )
      if (!isWanted) return yield* new Errors.Unsuccessful()
    }
    // A container may have been attached while the user read the question. Leave alone what is no longer a leak.
    const still = flags.yes ? found : both(found, (yield* find(flags)).found)
    const removed = yield* removeAll(still, flags, tools)
    const isAnyLeft = removed.length < still.length
    const what = removed.length === 0 ? "nothing" : `${removed.length}: ${LeakLines.sum(removed)}`
    const rest = isAnyLeft ? `; ${still.length - removed.length} of ${still.length} stay` : ""
    yield* (flags.json ? Console.error : Console.log)(`removed ${what}${rest}`)
    if (isAnyLeft) return yield* new Errors.Unsuccessful()
    return yield* conclusion
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Find what is left of containers that are gone"),
  Command.withDescription(
    "Find reservations of host-local, results in libcni's cache, links and rules of iptables whose container is gone, and " +
      "remove them with --fix. It never touches what a live network namespace uses. It keeps back what a runtime or a " +
      "plugin is at work for, and names the process. The most harmful come first: rules that lead traffic to an " +
      "address that is gone. Exit status 0: nothing is left, 1: something is, 2: it could not look, or a process kept " +
      "something back."
  ),
  Command.withExamples([
    { command: "cni-passthrough leaks", description: "Look at all networks of this host" },
    { command: "cni-passthrough leaks --verbose", description: "All that is left, in full" },
    { command: "cni-passthrough leaks podman --fix", description: "Clean up one of them, after asking" }
  ])
)
