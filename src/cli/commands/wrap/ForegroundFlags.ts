/** The flags that keep `wrap` in the foreground, and what it does there. */
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Escape from "../../../record/Escape.ts"
import * as ResultCache from "../../../runtime/ResultCache.ts"
import * as KeepWrapped from "../../../wrap/KeepWrapped.ts"
import type * as Wrapping from "../../../wrap/Wrapping.ts"
import * as Exporting from "../../Exporting.ts"
import * as Flags from "../../Flags.ts"
import * as OnHost from "../../OnHost.ts"
import type * as PrometheusTarget from "../../PrometheusTarget.ts"
import * as Deadline from "./Deadline.ts"
import * as FollowLogs from "./FollowLogs.ts"
import * as Outcome from "./Outcome.ts"

export const flags = {
  for: Flags.optionalDuration("for", "Stay, and unwrap when this time is over, such as 30m or 1h"),
  watch: Flags.toggle("watch", "Stay, and also wrap what is written into the folders from now on, even by an unwrap"),
  follow: Flags.toggle("follow", "Stay, and show what happens, as show --follow does").pipe(Flag.withAlias("f")),
  network: Flags.text("network", "With --follow: show only this network"),
  ...Exporting.flags,
  deadline: Flags.file("deadline").pipe(
    Flag.withDescription(
      "With --for, for what is started again when it ends: a file that keeps when the time is over, so that it does " +
        "not begin anew. After it, nothing is wrapped, and the command waits until it is stopped"
    ),
    Flag.optional
  )
}

/** The values of {@link flags}. */
export interface Asked {
  readonly for: Option.Option<number>
  readonly watch: boolean
  readonly follow: boolean
  readonly network: Option.Option<string>
  readonly otlp: Option.Option<string>
  readonly prometheus: Option.Option<PrometheusTarget.Target>
  readonly status: boolean
  readonly json: boolean
  readonly deadline: Option.Option<string>
}

/** A flag has no effect without one of these other flags. */
export class Needs extends Data.TaggedError("Needs")<{
  readonly flag: string
  readonly needed: readonly [string, ...ReadonlyArray<string>]
}> {
  override readonly message = `${this.flag} needs ${this.needed.join(" or ")}: give ${
    this.needed.length === 1 ? "both" : "one of them"
  }`
}

/** Whether the command stays in the foreground. */
export const isAsked = (asked: Asked): boolean => Option.isSome(asked.for) || asked.watch || asked.follow

/** Fails if a flag lacks another one that it depends on. */
export const check = Effect.fnUntraced(function*(asked: Asked) {
  for (const flag of ["network", "otlp", "prometheus"] as const) {
    const given: Option.Option<unknown> = asked[flag]
    if (Option.isSome(given) && !asked.follow) {
      return yield* new Needs({ flag: `--${flag}`, needed: ["--follow"] })
    }
  }
  if (Option.isSome(asked.deadline) && Option.isNone(asked.for)) {
    return yield* new Needs({ flag: "--deadline", needed: ["--for"] })
  }
  if (asked.json && !asked.status && !asked.follow) {
    return yield* new Needs({ flag: "--json", needed: ["--status", "--follow"] })
  }
})

/** When the time is up; undefined if it has no end. */
export const deadline = Effect.fnUntraced(function*(asked: Asked) {
  if (Option.isNone(asked.for)) return undefined
  return yield* Deadline.begin(asked.for.value, asked.deadline)
})

/** Begins to export what is followed; undefined if nothing says where to. Fails at once if that is not possible. */
export const exporting = Effect.fnUntraced(function*(
  asked: Asked & OnHost.Asked & { readonly confDir: string },
  requests: ReadonlyArray<Wrapping.Request>
) {
  if (!asked.follow) return undefined
  const opened = yield* Exporting.open(asked)
  if (opened.collector === undefined && opened.place === undefined) return undefined
  return yield* Exporting.begin(opened, {
    folders: requests.map(({ at }) => at.folder),
    confDir: OnHost.seen(asked, asked.confDir),
    cacheDir: ResultCache.defaultFolder
  })
})

type Screen = ReturnType<typeof FollowLogs.makeScreen>

/** Reports the outcome of wrapping plugins that another program has rewritten. */
const listener = ({ at }: Wrapping.Request, { say }: Screen, refusals: Outcome.Refusals) => ({
  onOutcome: Effect.fnUntraced(function*(outcome: Wrapping.Outcome) {
    refusals.take(at, outcome)
    const { refused, wrapped } = outcome
    if (wrapped.length > 0) {
      yield* say(`wrapped what was written into ${Escape.inLine(at.folder)}: ${Outcome.listed(wrapped)}`)
    }
    yield* Outcome.refused(at, "not wrapped", refused)
  }),
  onFailure: (message: string) => Console.error(Escape.inLine(message))
})

/** What runs once plugins are wrapped. Ends when the reader of its output is gone. Fails at once if it cannot run. */
export const whileWrapped = Effect.fnUntraced(function*(
  asked: Asked,
  requests: ReadonlyArray<Wrapping.Request>,
  refusals: Outcome.Refusals,
  exporting: Exporting.Running | undefined
) {
  const screen = FollowLogs.makeScreen()
  // A plugin may be called as soon as it is wrapped, and before anything is followed.
  const filter = { network: Option.getOrUndefined(asked.network), since: yield* Clock.currentTimeMillis }
  const sources = asked.follow ? yield* FollowLogs.sources(requests) : undefined
  return Effect.raceAllFirst([
    Effect.never,
    ...(asked.watch ? requests.map((request) => KeepWrapped.watch(request, listener(request, screen, refusals))) : []),
    ...(sources === undefined ? [] : [FollowLogs.follow(sources, filter, { screen, json: asked.json, exporting })])
  ])
})
