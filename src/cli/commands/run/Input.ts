/** The flags of the subcommands of `run`, and the network and the attachment that they name. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfFolder from "../../../conf/ConfFolder.ts"
import type { Kind } from "../../../network/StateKind.ts"
import * as Attachments from "../../../runtime/Attachments.ts"
import type { Chain } from "../../../runtime/Chain.ts"
import * as NestedPlugins from "../../../runtime/NestedPlugins.ts"
import * as Netns from "../../../runtime/Netns.ts"
import * as ResultCache from "../../../runtime/ResultCache.ts"
import * as BuiltPlugin from "../../BuiltPlugin.ts"
import * as Flags from "../../Flags.ts"
import * as HostFolders from "../../HostFolders.ts"
import * as ReportFile from "../../ReportFile.ts"

/** The operation needs an attachment, and no flag names one. */
export class NoAttachment extends Data.TaggedError("NoAttachment")<{ readonly message: string }> {}

/** How long a plugin may take by default. */
export const defaultTimeout = "60s"

/** The default name of the interface. */
export const defaultIfname = "eth0"

/** The flags of every operation. */
export const chainFlags = {
  network: Flags.fileOrName("network").pipe(
    Argument.withDescription("A network configuration file, or the name of a network in --conf-dir")
  ),
  cniPath: HostFolders.cniPath,
  confDir: HostFolders.confDir,
  timeout: Flags.duration("timeout", "How long each plugin may take; 0 for no limit", defaultTimeout)
}

/** The flags of operations that may change something. */
export const changingFlags = { ...chainFlags, changes: Flags.changes }

/** The flags for the output of an operation. */
export const outputFlags = {
  tap: Flag.Boolean("tap").pipe(
    Flag.withDescription(
      "Show what went into and came out of every plugin (default on a terminal; --no-tap for the result alone)"
    ),
    Flag.optional
  ),
  full: Flags.toggle("full", "With --tap, also environment, stdin, stdout and exit status of every plugin"),
  json: Flags.toggle("json", "Print the records of all plugins, one JSON object a line"),
  log: Flags.file("log").pipe(Flag.withDescription("Append those records to a file"), Flag.optional),
  report: ReportFile.flag
}

const reason = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** The flags that identify an attachment and set the input of its plugins. */
export const attachmentFlags = {
  netns: Flag.String("netns").pipe(
    Flag.withDescription("Network namespace: a path, or a name in /run/netns"),
    Flag.filter((value) => value !== "", () => "found nothing, expected a path or a name"),
    Flag.optional
  ),
  containerId: Flags.text(
    "container-id",
    "Identifier of the container (default: the one that cnitool derives from the namespace)"
  ),
  ifname: Flag.String("ifname").pipe(
    Flag.withDescription(`Name of the interface in the namespace (default: CNI_IFNAME, or ${defaultIfname})`),
    Flag.withFallbackConfig(Config.String("CNI_IFNAME")),
    Flag.withDefault(defaultIfname)
  ),
  args: Flag.String("args").pipe(
    Flag.withDescription("CNI_ARGS, such as \"IgnoreUnknown=1;K8S_POD_NAME=web\" (default: CNI_ARGS)"),
    Flag.withFallbackConfig(Config.String("CNI_ARGS")),
    Flag.mapTryCatch(Attachments.parseArguments, reason),
    Flag.optional
  ),
  capabilityArgs: Flag.String("capability-args").pipe(
    Flag.withDescription("Arguments of capabilities as JSON, such as '{\"portMappings\":[…]}' (default: CAP_ARGS)"),
    Flag.withFallbackConfig(Config.String("CAP_ARGS")),
    Flag.mapTryCatch(Attachments.parseCapabilityArguments, reason),
    Flag.optional
  ),
  cacheDir: Flags.cacheDir
}

/** A namespace that the operation creates or removes itself. */
export const newNetns = (description: string) =>
  Flag.String("new-netns").pipe(
    Flag.withDescription(description),
    Flag.filter(Netns.isName, (value) => `found ${JSON.stringify(value)}, expected a name without "/"`),
    Flag.optional
  )

/** The values of {@link chainFlags}. */
export interface ChainInput {
  readonly network: string
  readonly cniPath: ReadonlyArray<string>
  readonly confDir: string
  readonly timeout: number
  readonly changes?: ReadonlyArray<Kind>
}

/** The values of {@link attachmentFlags}. */
export interface AttachmentInput {
  readonly netns: Option.Option<string>
  readonly newNetns?: Option.Option<string>
  readonly containerId: Option.Option<string>
  readonly ifname: string
  readonly args: Option.Option<Attachments.Arguments>
  readonly capabilityArgs: Option.Option<Attachments.Attachment["capabilityArgs"]>
  readonly cacheDir: string
}

/** The network that the flags name, ready to run. */
export const loadChain = Effect.fnUntraced(function*({ changes = [], cniPath, confDir, network, timeout }: ChainInput) {
  const { list } = yield* ConfFolder.load(network, confDir)
  return { list, cniPath, timeout, variables: process.env, changes } satisfies Chain
})

/** The same network, which also shows the plugins that its plugins start, if that is possible here. */
export const withNestedPlugins = Effect.fnUntraced(function*(chain: Chain) {
  const [plugin] = chain.list.plugins
  const executable = yield* Effect.option(BuiltPlugin.find())
  if (plugin === undefined || Option.isNone(executable)) return chain
  return {
    ...chain,
    nested: yield* NestedPlugins.make(executable.value, chain.cniPath, plugin.type, chain.changes ?? [])
  } satisfies Chain
})

/**
 * The attachment that the flags name, before anything about it is looked up. Fails if no runtime would accept the
 * names.
 */
export const identify = Effect.fnUntraced(function*(chain: Chain, input: AttachmentInput) {
  const given = Option.orElse(input.newNetns ?? Option.none(), () => input.netns)
  const netns = Option.isSome(given) ? yield* Netns.pathOf(given.value) : ""
  const derived = netns === "" ? "" : Attachments.containerIdOf(netns)
  const containerId = Option.getOrElse(input.containerId, () => derived)
  const identity = { network: chain.list.name, containerId, ifname: input.ifname }
  if (netns === "" && Option.isNone(input.containerId)) {
    return yield* new NoAttachment({ message: "which attachment? Give --netns or --container-id" })
  }
  const problems = Attachments.problems(identity)
  if (problems.length > 0) return yield* new Attachments.InvalidAttachment({ problems })
  return { ...identity, netns }
})

/** The attachment that the flags name. What they leave out comes from the ADD that made it. */
export const known = Effect.fnUntraced(function*(chain: Chain, input: AttachmentInput) {
  const identity = yield* identify(chain, input)
  const found = yield* ResultCache.read(input.cacheDir, identity)
  const cached = found._tag === "Cached" ? found.attachment : undefined
  const attachment: Attachments.Attachment = {
    ...identity,
    netns: identity.netns || (cached?.netns ?? ""),
    args: Option.getOrElse(input.args, () => cached?.args ?? []),
    capabilityArgs: Option.getOrElse(input.capabilityArgs, () => cached?.capabilityArgs ?? {})
  }
  return { attachment, found }
})
