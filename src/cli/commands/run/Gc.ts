/** `cni-passthrough run gc`: DEL for attachments whose namespaces are gone, then GC, then reservations. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as CniVersion from "../../../cni/CniVersion.ts"
import * as Collect from "../../../doctor/Collect.ts"
import * as LeakRemoval from "../../../doctor/LeakRemoval.ts"
import * as Leaks from "../../../doctor/Leaks.ts"
import * as ValidAttachments from "../../../doctor/ValidAttachments.ts"
import * as HostTools from "../../../exec/HostTools.ts"
import * as Escape from "../../../record/Escape.ts"
import * as CachedResult from "../../../runtime/CachedResult.ts"
import * as Chain from "../../../runtime/Chain.ts"
import * as GarbageCollection from "../../../runtime/GarbageCollection.ts"
import * as ResultCache from "../../../runtime/ResultCache.ts"
import * as Errors from "../../Errors.ts"
import * as Flags from "../../Flags.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

const input = {
  ...Input.changingFlags,
  cacheDir: Flags.cacheDir,
  dryRun: Flags.toggle("dry-run", "Only say what would be removed, and why; with --json as one document"),
  ...Input.outputFlags
}

const line = ({ attachment, file, isGone, reason }: GarbageCollection.Decision): string => {
  const who = attachment === undefined ? file : `${attachment.containerId} ${attachment.ifname}`
  return Escape.inLine(`${isGone ? "remove" : "keep  "}  ${who}  (${reason})`)
}

const keptLine = ({ containerId, reason, text }: Leaks.Kept): string =>
  Escape.inLine(`keep    ${containerId} ${text}  (${reason})`)

/** What a dry run reports about an attachment or a reservation, for scripts. */
const json = (
  decisions: ReadonlyArray<GarbageCollection.Decision>,
  { kept, left }: Pick<Reservations, "kept" | "left">,
  types: ReadonlyArray<string>
): string =>
  Escape.inJson(JSON.stringify(
    {
      attachments: decisions.map(({ attachment, file, isGone, reason }) => ({
        remove: isGone,
        containerId: attachment?.containerId,
        ifname: attachment?.ifname,
        file,
        reason
      })),
      reservations: [
        ...left.map(({ containerId, reason, text }) => ({ remove: true, containerId, text, reason })),
        ...kept.map(({ containerId, reason, text }) => ({ remove: false, containerId, text, reason }))
      ],
      gc: types
    },
    undefined,
    2
  ))

/** GC is not called, because the set of valid attachments is not certain. */
class Refused extends Data.TaggedError("Refused")<{ readonly reason: string }> {
  override readonly message =
    `cannot tell which attachments are valid, so only those known to be gone are removed: ${this.reason}`
}

interface Where {
  readonly network: string
  readonly confDir: string
  readonly cacheDir: string
}

/** The network and what is alive on the host, or why this is not known completely. */
const look = Effect.fnUntraced(function*({ cacheDir, confDir, network }: Where) {
  const [facts] = yield* Collect.states({ asked: network, confDir, cacheDir })
  if (facts === undefined) return Result.fail("the network configuration can no longer be read")
  const life = yield* Leaks.look(facts.all)
  return life.blind === undefined ? Result.succeed({ facts, life }) : Result.fail(life.blind)
})

type Seen = Effect.Success<ReturnType<typeof look>>

/** An attachment whose namespace has no path any more may still be alive, if there is other evidence of it. */
const kept = (seen: Seen) => (decision: GarbageCollection.Decision): GarbageCollection.Decision => {
  if (!decision.isGone) return decision
  const sign = Result.isFailure(seen)
    ? seen.failure
    : Leaks.lifeOf(seen.success.facts, seen.success.life, decision.file)
  return sign === undefined ? decision : { ...decision, isGone: false, reason: `${decision.reason}, but ${sign}` }
}

/** host-local's addresses without a result that would free them. */
interface Reservations {
  /** Those whose container is gone. */
  readonly left: ReadonlyArray<Leaks.Leak>
  /** Those whose container would count as gone if no process worked for it. */
  readonly kept: ReadonlyArray<Leaks.Kept>
  readonly tools: ReadonlyMap<string, string>
}

/** The addresses to free. An attachment that is kept keeps its addresses too. */
const reservations = (seen: Seen, decisions: ReadonlyArray<GarbageCollection.Decision>): Reservations => {
  // Unreadable files of the cache may belong to any container.
  if (Result.isFailure(seen) || decisions.some(({ attachment }) => attachment === undefined)) {
    return { left: [], kept: [], tools: new Map<string, string>() }
  }
  const { facts, life } = seen.success
  const kept = new Set(decisions.filter(({ isGone }) => !isGone).map(({ attachment }) => attachment?.containerId))
  const isOne = ({ containerId, kind }: Leaks.Leak) => kind === "reservation" && !kept.has(containerId)
  return {
    left: Leaks.find(facts, life).filter(isOne),
    kept: Leaks.keptBack(facts, life).filter(isOne),
    tools: facts.host?.tools ?? new Map<string, string>()
  }
}

/** What to do with each attachment, and which attachments may be alive, or why that is unknown. */
const survey = Effect.fnUntraced(function*(where: Where, name: string) {
  const entries = yield* ResultCache.list(where.cacheDir, name)
  const seen = yield* look(where)
  const decisions = (yield* GarbageCollection.decideAll(entries)).map(kept(seen))
  const gone = new Set(decisions.filter(({ isGone }) => isGone).map(({ file }) => file))
  const valid: Result.Result<ReadonlyArray<Chain.ValidAttachment>, string> = Result.isFailure(seen)
    ? Result.fail(seen.failure) :
    yield* ValidAttachments.find({
      ...seen.success,
      entries,
      cacheDir: where.cacheDir,
      isGone: (file) => gone.has(file)
    })
  return { decisions, seen, valid }
})

const refusalOf = ({ valid }: Effect.Success<ReturnType<typeof survey>>) =>
  Result.isFailure(valid) ? new Refused({ reason: valid.failure }) : undefined

/** `gc` */
export const gc = HostFolders.command(
  "gc",
  input,
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Effect.flatMap(Input.loadChain(flags), Input.withNestedPlugins)
      const { cniVersion, disableGC, name, plugins } = chain.list
      if (disableGC) {
        if (flags.dryRun && flags.json) yield* Console.log(json([], { kept: [], left: [] }, []))
        return yield* Console.error("disableGC is set in the configuration: nothing to do")
      }
      const before = yield* survey(flags, name)
      const { decisions } = before
      const hasGc = CniVersion.isAtLeast(cniVersion, "1.1.0")
      const types = hasGc ? plugins.map(({ type }) => type) : []
      const known = new Set(decisions.map(({ attachment }) => attachment?.containerId))
      const others = ({ containerId }: Leaks.Leak) => !known.has(containerId)
      if (flags.dryRun && flags.json) {
        const { kept, left } = reservations(before.seen, decisions)
        yield* Console.log(json(decisions, { kept, left: left.filter(others) }, types))
        return yield* refusalOf(before) ?? Effect.void
      }
      for (const decision of decisions) yield* (flags.json ? Console.error : Console.log)(line(decision))
      if (flags.dryRun) {
        const refused = refusalOf(before)
        if (refused !== undefined) return yield* refused
        const { kept, left } = reservations(before.seen, decisions)
        for (const { containerId, reason, text } of left.filter(others)) {
          yield* Console.log(Escape.inLine(`remove  ${containerId} ${text}  (${reason})`))
        }
        for (const each of kept) yield* Console.log(keptLine(each))
        if (!hasGc) return
        return yield* Console.log(
          `GC of ${types.join(", ")}: each removes what it has besides the attachments that are kept`
        )
      }
      const output = yield* Output.make(chain, flags)
      for (const { attachment, file, isGone } of decisions) {
        if (attachment === undefined || !isGone) continue
        const result = CachedResult.of({ _tag: "Cached", file, attachment }, chain.list)
        if (Result.isFailure(result)) {
          yield* Console.error(`${attachment.containerId}: going on without a result: ${result.failure}`)
        }
        const calls = yield* output.run(Chain.del(chain, attachment, Result.getOrUndefined(result)))
        if (!calls.some(Chain.hasFailed)) yield* ResultCache.remove(flags.cacheDir, attachment)
      }
      // Runtimes may have attached containers while DEL ran, and GC would free their resources.
      const now = decisions.some(({ isGone }) => isGone) ? yield* survey(flags, name) : before
      if (Result.isSuccess(now.valid)) {
        if (hasGc) yield* output.run(Chain.gc(chain, now.valid.success))
        const { kept, left, tools } = reservations(yield* look(flags), now.decisions)
        for (const each of kept) yield* (flags.json ? Console.error : Console.log)(keptLine(each))
        for (const leak of left) {
          const removed = yield* LeakRemoval.remove(leak, tools)
          const isRemoved = Result.isSuccess(removed)
          const outcome = isRemoved ? `remove  ${leak.containerId} ${leak.text}` : `keep    ${leak.text}`
          const why = isRemoved ? leak.reason : removed.failure
          yield* (flags.json ? Console.error : Console.log)(Escape.inLine(`${outcome}  (${why})`))
        }
      }
      yield* output.show()
      yield* output.conclude()
      yield* output.end
      const refused = refusalOf(now)
      if (refused !== undefined) return yield* refused
    },
    Effect.scoped,
    (effect, { cniPath }) => HostTools.withoutPluginFolders(cniPath)(effect),
    Errors.tell
  )
).pipe(
  Command.withDescription(
    "Clean up after attachments whose namespace is gone: DEL of each, then GC of every plugin. " +
      "What is not known to be gone is kept"
  ),
  Command.withExamples([
    { command: "cni-passthrough run gc podman --dry-run", description: "See what would be removed, and why" },
    { command: "cni-passthrough run gc podman", description: "Clean up the network podman" }
  ])
)
