/** Looks for what is left of containers that are gone, often enough to tell it from what a DEL is about to remove. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as ConfFolder from "../../../conf/ConfFolder.ts"
import * as Collect from "../../../doctor/Collect.ts"
import { nameOf } from "../../../doctor/ConfigFile.ts"
import type { Facts } from "../../../doctor/Facts.ts"
import * as Rights from "../../../doctor/facts/Rights.ts"
import * as Leaks from "../../../doctor/Leaks.ts"
import * as Names from "../../../doctor/Names.ts"
import * as DoctorLines from "../../DoctorLines.ts"
import * as OnHost from "../../OnHost.ts"

/** Some of what is alive on the host is hidden, so nothing is known to be gone. */
export class Blind
  extends Data.TaggedError("Blind")<{ readonly reason: string; readonly lacking: ReadonlyArray<string> }>
{
  override readonly message =
    `cannot look into all network namespaces: ${this.reason}; this needs root and a view of the processes and mounts of the host${
      this.lacking.length === 0 ? "" : `: this process lacks ${Rights.list(this.lacking)}`
    }`
}

class NoNetworks extends Data.TaggedError("NoNetworks")<{ readonly confDir: string; readonly cacheDir: string }> {
  override readonly message =
    `no networks in ${this.confDir}, and no results in ${this.cacheDir} that name one: nothing was checked`
}

/** Where to look. */
export interface Asked extends OnHost.Asked {
  readonly network: Option.Option<string>
  readonly confDir: string
  readonly cacheDir: string
}

/** Everything that is left of these networks, and the tools that remove it. */
export const find = Effect.fnUntraced(function*(flags: Asked) {
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

export const key = ({ kind, text }: Leaks.Leak): string => `${kind} ${text}`

/** The leftovers of the second list that are in the first one too. */
export const both = <Kind extends Leaks.Leak>(some: ReadonlyArray<Leaks.Leak>, others: ReadonlyArray<Kind>) => {
  const keys = new Set(some.map(key))
  return others.filter((leak) => keys.has(key(leak))) as ReadonlyArray<Kind>
}

/** How often to look again at which processes work for containers, and how long to wait each time, in milliseconds. */
const again = { times: 4, wait: 250 }

/**
 * What two looks find: at the first one, a DEL may have been about to remove it. An ADD ends within a few looks, and then
 * it keeps nothing back.
 */
export const settled = Effect.fnUntraced(function*(flags: Asked) {
  const first = yield* find(flags)
  let last = first.found.length + first.possible.length === 0 ? first : yield* find(flags)
  for (let time = 0; time < again.times && last.kept.length > 0; time++) {
    yield* Effect.sleep(again.wait)
    const { kept } = last
    const next = yield* find(flags)
    last = { ...next, kept: both(kept, next.kept) }
  }
  // What a process kept back at the first look is left too if no process keeps it back at the last one.
  return {
    ...last,
    found: both([...first.found, ...first.kept], last.found),
    possible: both(first.possible, last.possible)
  }
})

/** What keeps a search from seeing everything, one reason per line. */
export const notes = ({ unread, unseenRules }: Pick<Found, "unread" | "unseenRules">): ReadonlyArray<string> => [
  ...unread.map(({ containerId, reason }) =>
    `the network namespace of ${
      DoctorLines.bounded(Names.container({ containerId }))
    } cannot be inspected, so everything in it counts as used: ${reason}`
  ),
  ...(unseenRules === undefined
    ? []
    : [DoctorLines.bounded(`rules cannot be read, so none are listed: ${unseenRules}`)])
]

/** What a search found. */
export type Found = Effect.Success<ReturnType<typeof settled>>
