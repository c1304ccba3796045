/** Attachments in libcni's cache, and the state of their namespaces. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as ResultConversion from "../../cni/ResultConversion.ts"
import * as ResultSchema from "../../cni/ResultSchema.ts"
import * as Json from "../../json/Json.ts"
import * as Cidr from "../../network/Cidr.ts"
import type * as IptablesRule from "../../network/IptablesRule.ts"
import * as Namespace from "../../network/Namespace.ts"
import * as NamespaceTools from "../../network/NamespaceTools.ts"
import type { NftChain } from "../../network/NftablesRuleset.ts"
import * as PacketFilter from "../../network/PacketFilter.ts"
import * as Pod from "../../operations/Pod.ts"
import * as Attachments from "../../runtime/Attachments.ts"
import * as ResultCache from "../../runtime/ResultCache.ts"
import * as World from "../flow/World.ts"

/** A mapped port of the host. */
export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: string
  readonly hostIP: string
}

/** An attachment in the cache. */
export interface AttachmentId {
  readonly file: string
  readonly network: string
  readonly containerId: string
  readonly ifname: string
  /** Empty if the cache does not have it. */
  readonly netns: string
  /** The pod in the arguments of its ADD. */
  readonly pod: string | undefined
  /** CNI_ARGS of its ADD. */
  readonly args: string
  readonly portMappings: ReadonlyArray<PortMapping>
  readonly capabilityArgs: Json.JsonObject
  /** The network configuration list of its ADD as JSON text; undefined if the cache does not have it. */
  readonly config: string | undefined
  /** Its result in the newest version, or why there is none. */
  readonly result: Result.Result<ResultSchema.Current, string>
}

/** The state of its namespace. */
export type Sight =
  | { readonly _tag: "There"; readonly network: Namespace.Namespace; readonly isHost: boolean }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Foreign"; readonly reason: string }
  | { readonly _tag: "Unseen"; readonly reason: string }

/** An attachment and the state of its namespace. */
export interface Attachment extends AttachmentId {
  readonly sight: Sight
  /** Gateways that its routes need, and whether they answer from inside. */
  readonly probes: ReadonlyArray<Namespace.Probe>
  /** The rules of iptables in its namespace. */
  readonly filter: ReadonlyArray<IptablesRule.Ruleset>
  /** The chains of nftables in its namespace. */
  readonly nft: ReadonlyArray<NftChain>
}

const member = (value: Json.JsonObject, name: string): unknown =>
  value[name] ?? value[`${name[0]?.toUpperCase()}${name.slice(1)}`]

/** The ports of a capability. Some runtimes capitalize the keys. */
const portMappingsOf = (capabilityArgs: Json.JsonObject): ReadonlyArray<PortMapping> => {
  const { portMappings } = capabilityArgs
  return (Array.isArray(portMappings) ? portMappings.filter(Json.isObject) : []).map((entry) => ({
    hostPort: Number(member(entry, "hostPort") ?? 0),
    containerPort: Number(member(entry, "containerPort") ?? 0),
    protocol: String(member(entry, "protocol") ?? "tcp").toLowerCase() || "tcp",
    hostIP: String(member(entry, "hostIP") ?? entry["HostIP"] ?? "")
  })).filter(({ hostPort }) => hostPort > 0)
}

const resultOf = (text: string | undefined): AttachmentId["result"] =>
  text === undefined
    ? Result.fail("the cache has no result")
    : Result.flatMap(
      ResultConversion.convert(text, "1.1.0"),
      (converted) => ResultSchema.read.current(Json.parse(converted))
    )

/** The interfaces of a result, without gaps. */
export const interfacesOf = (result: ResultSchema.Current) =>
  (result.interfaces ?? []).map((each) => ({
    name: each?.name ?? "",
    mac: each?.mac ?? "",
    sandbox: each?.sandbox ?? "",
    mtu: each?.mtu ?? undefined
  }))

const idOf = (file: string, cached: ResultCache.Cached, config: string | undefined): AttachmentId => {
  const result = resultOf(cached.result)
  const args = Attachments.formatArguments(cached.args)
  const sandboxes = Result.isSuccess(result) ? interfacesOf(result.success).map(({ sandbox }) => sandbox) : []
  return {
    file,
    network: cached.network,
    containerId: cached.containerId,
    ifname: cached.ifname,
    netns: cached.netns || (sandboxes.find((sandbox) => sandbox.startsWith("/")) ?? ""),
    pod: Pod.of(args),
    args,
    capabilityArgs: cached.capabilityArgs,
    portMappings: portMappingsOf(cached.capabilityArgs),
    config,
    result
  }
}

/** An attachment that is in no cache, with the result of its ADD. */
export const ofResult = (attachment: Attachments.Attachment, result: string): AttachmentId =>
  idOf(attachment.containerId, { ...attachment, result }, undefined)

/** The attachments in files of libcni's cache with such names. Files that cannot be decoded are skipped. */
export const inFiles = Effect.fnUntraced(function*(cacheDir: string, isSuch: (name: string) => boolean) {
  const path = yield* Path.Path
  const folder = path.join(cacheDir, "results")
  const names = (yield* ResultCache.namesIn(folder)).filter(isSuch)
  const entries = yield* Effect.forEach(
    names,
    Effect.fnUntraced(function*(name) {
      const file = path.join(folder, name)
      const text = yield* Effect.orElseSucceed(ResultCache.textOf(file), () => "")
      const cached = ResultCache.decode(text)
      return cached === undefined ? [] : [idOf(file, cached, ResultCache.configOf(text))]
    }),
    { concurrency: 16 }
  )
  return entries.flat() as ReadonlyArray<AttachmentId>
})

/** All attachments in libcni's cache, of every network. */
export const list = (cacheDir: string) => inFiles(cacheDir, () => true)

/** The attachments of one container, whose files are named after it. */
export const ofContainer = (cacheDir: string, containerId: string) =>
  Effect.map(
    inFiles(cacheDir, (name) => name.includes(`-${containerId}-`)),
    (listed) => listed.filter((each) => each.containerId === containerId)
  )

/** The answer of nft in a namespace without rules. */
const noRules: NamespaceTools.Answer = "{}"

/** The state of a namespace, and the answers about rules in it. One shell asks all tools. */
const sightOf = Effect.fnUntraced(function*(netns: string, packets: ReadonlyArray<Namespace.RouteQuestion>) {
  const fs = yield* FileSystem.FileSystem
  const without = (sight: Sight) => ({ sight, nft: noRules, legacy: [] })
  if (netns === "") return without({ _tag: "Unseen", reason: "the cache does not have its network namespace" })
  const info = yield* Effect.result(fs.stat(netns))
  if (Result.isFailure(info)) {
    return info.failure.reason._tag === "NotFound"
      ? without({ _tag: "Missing" })
      : without({ _tag: "Unseen", reason: info.failure.message })
  }
  // A namespace is a regular file. Opening a pipe would block.
  if (info.success.type !== "File") {
    return without({ _tag: "Foreign", reason: `${netns} is not a network namespace` })
  }
  const own = yield* Effect.option(fs.stat("/proc/self/ns/net"))
  const [ino, ours] = [info.success.ino, own._tag === "Some" ? own.value.ino : undefined]
  const isHost = ino._tag === "Some" && ours?._tag === "Some" && ino.value === ours.value
  const ask = NamespaceTools.inNamespace(netns, NamespaceTools.deadline())
  const [ip, nft = noRules, ...legacy] = yield* ask([
    Namespace.question(packets),
    ...(isHost ? [] : [PacketFilter.question, ...PacketFilter.legacyQuestions])
  ])
  const network = typeof ip === "string" ? Namespace.parse(ip) : Result.fail(ip?.problem ?? "")
  return Result.isSuccess(network)
    ? { sight: { _tag: "There", network: network.success, isHost } satisfies Sight, nft, legacy }
    : without({ _tag: /Invalid argument/.test(network.failure) ? "Foreign" : "Unseen", reason: network.failure })
})

/** The gateways that a link's routes need, among those that the result names. */
const gatewaysOf = ({ ifname, result }: AttachmentId, { routes }: Namespace.Namespace) => {
  const named = Result.isSuccess(result)
    ? [
      ...(result.success.ips ?? []).map((ip) => ip?.gateway ?? ""),
      ...(result.success.routes ?? []).map((route) => route?.gw ?? "")
    ]
    : []
  const wanted = new Set(named.flatMap((text) => {
    const address = Cidr.parseAddress(text)
    return address === undefined ? [] : [Cidr.addressText(address)]
  }))
  const used = routes.filter(({ device, gateway }) => device === ifname && gateway !== undefined)
    .map(({ gateway }) => gateway as string)
  return [...new Set(used)].filter((gateway) => wanted.has(gateway)).slice(0, 8)
    .map((address) => ({ address, device: ifname }))
}

/** Asks on which link traffic from the attachment's addresses to the world leaves. */
const questionsOf = ({ result }: AttachmentId): ReadonlyArray<Namespace.RouteQuestion> =>
  (Result.isSuccess(result) ? result.success.ips ?? [] : []).flatMap((ip) => {
    const own = Cidr.parse(ip?.address ?? "")
    const peer = own === undefined ? undefined : World.peers[own.family]
    return own === undefined || peer === undefined
      ? []
      : [{ to: Cidr.addressText(peer), from: Cidr.addressText(own) }]
  })

/** Looks only whether the namespace of an attachment is gone. */
export const glance = Effect.fnUntraced(function*(id: AttachmentId) {
  const fs = yield* FileSystem.FileSystem
  if (id.netns === "") return id
  const info = yield* Effect.result(fs.stat(id.netns))
  const isGone = Result.isFailure(info) && info.failure.reason._tag === "NotFound"
  return isGone ? { ...id, sight: { _tag: "Missing" } satisfies Sight } : id
})

/** Inspects the namespace of an attachment. */
export const look = Effect.fnUntraced(function*(id: AttachmentId) {
  const { legacy, nft: listed, sight } = yield* sightOf(id.netns, questionsOf(id))
  const [probes, { nft, rulesets: filter }] = sight._tag === "There" && !sight.isHost
    ? yield* Effect.all([
      Namespace.probe(id.netns, gatewaysOf(id, sight.network), sight.network),
      PacketFilter.inside(id.netns, listed, legacy)
    ], { concurrency: "unbounded" })
    : [[], PacketFilter.none]
  return { ...id, sight, probes, filter, nft } satisfies Attachment
})
