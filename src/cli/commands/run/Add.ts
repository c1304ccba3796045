/** `cni-passthrough run add`: attaches a network namespace with ADD of every plugin of the chain. */
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as CommandLine from "effect/process/CommandLine"
import * as Result from "effect/Result"
import * as ConfFolder from "../../../conf/ConfFolder.ts"
import * as HostTools from "../../../exec/HostTools.ts"
import * as Attachments from "../../../runtime/Attachments.ts"
import * as Chain from "../../../runtime/Chain.ts"
import * as Netns from "../../../runtime/Netns.ts"
import * as ResultCache from "../../../runtime/ResultCache.ts"
import * as Errors from "../../Errors.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

/** The attachment was made, but its result could not be saved. */
export class ResultNotKept extends Data.TaggedError("ResultNotKept")<{
  readonly reason: string
  readonly advice: string
  readonly cause: unknown
}> {
  override readonly message =
    `the attachment is made, but its result could not be kept for check and del: ${this.reason}\n  ${this.advice}`
}

/** The result would overwrite that of another attachment. */
export class FileTaken extends Data.TaggedError("FileTaken")<{
  readonly file: string
  readonly attachment: Attachments.Identity
}> {
  override readonly message =
    `the result would overwrite ${this.file}, which belongs to ${this.attachment.ifname} of ` +
    `${this.attachment.containerId} on ${this.attachment.network}: choose another --container-id or --cache-dir`
}

const input = {
  ...Input.changingFlags,
  ...Input.attachmentFlags,
  newNetns: Input.newNetns("Make a namespace of this name, and attach it"),
  ...Input.outputFlags
}

type Input = HostFolders.Completed<Command.Command.Config.Infer<typeof input>>

/** The command that undoes an add, from any shell: it does not depend on the environment. */
export const undo = (
  flags: Omit<Input, keyof Output.OutputInput>,
  attachment: Attachments.Attachment,
  keepsGoing = false
): string => {
  const netns = Option.isSome(flags.newNetns)
    ? ["--new-netns", flags.newNetns.value]
    : ["--netns", attachment.netns]
  const unless = (fallback: string, name: string, value: string) => value === fallback ? [] : [name, value]
  const { args, capabilityArgs } = attachment
  const words = [
    "cni-passthrough",
    "run",
    "del",
    flags.network,
    ...netns,
    ...(Option.isSome(flags.containerId) ? ["--container-id", flags.containerId.value] : []),
    "--cni-path",
    flags.cniPath.join(":"),
    ...unless(Input.defaultIfname, "--ifname", flags.ifname),
    ...unless(ConfFolder.defaultFolder, "--conf-dir", flags.confDir),
    ...unless(ResultCache.defaultFolder, "--cache-dir", flags.cacheDir),
    ...unless("", "--args", Attachments.formatArguments(args)),
    ...unless("{}", "--capability-args", JSON.stringify(capabilityArgs)),
    ...(keepsGoing ? ["--keep-going"] : [])
  ]
  return Result.getOrElse(CommandLine.join(words), () => CommandLine.display(words))
}

/** A warning about what plugins may have left behind. */
const left = "What plugins did so far may still be there"

/** What to do after these calls, the last of which failed. `undoing` says how to undo the work of plugins. */
const adviceAfter = (
  calls: ReadonlyArray<Chain.Call>,
  { newNetns }: Pick<Input, "newNetns">,
  undoing: (left: string, keepsGoing: boolean) => string
): string => {
  const execution = calls.at(-1)?.execution
  if (calls.length === 1 && execution === undefined) {
    const nothing = "No plugin was started: nothing is attached"
    return Option.isSome(newNetns) ? `${nothing}. The namespace is there: ip netns del ${newNetns.value}` : nothing
  }
  // A plugin that was killed did not clean up.
  const isCut = execution !== undefined && (execution.timedOut || execution.signal !== null)
  return calls.length === 1 && !isCut
    ? undoing("The first plugin failed: nothing is attached, but it may have left an interface, as bridge does", false)
    : undoing(left, execution === undefined)
}

/** `add` */
export const add = HostFolders.command(
  "add",
  input,
  Effect.fnUntraced(
    function*(flags) {
      const chain = yield* Effect.flatMap(Input.loadChain(flags), Input.withNestedPlugins)
      const identity = yield* Input.identify(chain, flags)
      if (identity.netns === "") return yield* new Input.NoAttachment({ message: "add needs --netns or --new-netns" })
      const attachment: Attachments.Attachment = {
        ...identity,
        args: Option.getOrElse(flags.args, () => []),
        capabilityArgs: Option.getOrElse(flags.capabilityArgs, () => ({}))
      }
      yield* Capabilities.warn(chain, attachment.capabilityArgs)
      const before = yield* Effect.option(ResultCache.read(flags.cacheDir, identity))
      if (Option.isSome(before) && before.value._tag === "Another") return yield* new FileTaken(before.value)
      const isAttached = Option.isSome(before) && before.value._tag === "Cached"
      const adviceOf = (keepsGoing: boolean) =>
        `${isAttached ? "It was attached before, and may still be. To undo that" : "To undo it"}:\n    ${
          undo(flags, attachment, keepsGoing)
        }`
      const advice = adviceOf(false)
      const undoing = (what: string, keepsGoing: boolean) => `${what}. ${adviceOf(keepsGoing)}`
      const output = yield* Output.make(chain, flags)
      yield* Effect.addFinalizer((exit) =>
        Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          ? Console.error(`interrupted\n  ${undoing(left, false)}`)
          : Effect.void
      )
      if (Option.isSome(flags.newNetns)) yield* Netns.add(flags.newNetns.value)
      const calls = yield* output.run(Chain.add(chain, attachment))
      const last = calls.at(-1)
      const result = last === undefined ? undefined : Chain.resultOf(last)
      yield* output.show(result)
      yield* output.conclude(isAttached ? adviceOf(false) : adviceAfter(calls, flags, undoing))
      if (result === undefined) return
      yield* Effect.mapError(
        ResultCache.write(flags.cacheDir, attachment, chain.list.text, result),
        (cause) => new ResultNotKept({ reason: cause.message, advice, cause })
      )
      yield* output.end
    },
    Effect.scoped,
    (effect, { cniPath }) => HostTools.withoutPluginFolders(cniPath)(effect),
    Errors.tell
  )
).pipe(
  Command.withDescription("Attach a namespace to a network: ADD of every plugin, in order"),
  Command.withExamples([
    {
      command: "cni-passthrough run add conf/10-chained.conflist --new-netns demo",
      description: "Make the namespace demo and attach it"
    },
    {
      command: "cni-passthrough run add podman --netns demo --log chain.jsonl",
      description: "A network of /etc/cni/net.d, with records for `show`"
    }
  ])
)
