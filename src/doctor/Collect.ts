/** Collects all facts, once, side by side, each with a limit of its own. It looks, and changes nothing. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as NetworkConfigList from "../cni/NetworkConfigList.ts"
import * as ConfFolder from "../host/ConfFolder.ts"
import type { JsonObject } from "../json/Json.ts"
import { dhcpSocket } from "./checks/PluginNeeds.ts"
import * as Cidr from "./Cidr.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { Facts, Host } from "./Facts.ts"
import * as Attachment from "./facts/Attachment.ts"
import * as BuiltIn from "./facts/BuiltIn.ts"
import * as Files from "./facts/Files.ts"
import * as History from "./facts/History.ts"
import * as Living from "./facts/Living.ts"
import * as Namespace from "./facts/Namespace.ts"
import * as Plugins from "./facts/Plugins.ts"
import * as Rules from "./facts/Rules.ts"
import * as Sockets from "./facts/Sockets.ts"
import * as Store from "./facts/Store.ts"
import * as Trial from "./facts/Trial.ts"
import * as Roles from "./Roles.ts"

/** Which attachments to look at: those that fit all that is said. */
export interface Selection {
  readonly netns: string | undefined
  /** An identifier, or how it begins. */
  readonly containerId: string | undefined
  readonly pod: { readonly namespace: string; readonly name: string } | undefined
  readonly ifname: string | undefined
}

/** What to look at. */
export interface Question {
  /** The name of a network, or a file; undefined for what a runtime would choose. */
  readonly asked: string | undefined
  readonly confDir: string
  readonly cniPath: ReadonlyArray<string>
  readonly cacheDir: string
  readonly capabilityArgs: JsonObject
  readonly selection: Selection
  /** Milliseconds that a plugin may take to answer. */
  readonly timeout: number
}

/** What is known of files alone. */
const none: Omit<Facts, "file" | "network" | "chain"> = {
  folder: undefined,
  files: [],
  asked: undefined,
  cniPath: [],
  plugins: new Map(),
  known: [],
  capabilityArgs: {},
  host: undefined,
  store: undefined,
  attachments: [],
  all: [],
  isOneAsked: false,
  trial: undefined,
  history: undefined
}

/** The facts that the text of a file has. */
export const ofFile = (
  file: ConfigFile.ConfigFile | undefined,
  files: ReadonlyArray<ConfigFile.ConfigFile>
): Facts => ({
  ...none,
  file,
  files,
  network: file === undefined ? undefined : ConfigFile.listOf(file),
  chain: file === undefined ? [] : ConfigFile.pluginsOf(file)
})

/** The same with the plugins on this host. */
export const withPlugins = Effect.fnUntraced(function*(
  facts: Facts,
  cniPath: ReadonlyArray<string>,
  timeout: number
) {
  const { chain, network } = facts
  const [plugins, known] = yield* Effect.all([
    Plugins.collect(chain.map(({ type }) => type), cniPath, network?.cniVersion ?? "", timeout),
    Plugins.namesIn(cniPath)
  ], { concurrency: "unbounded" })
  return { ...facts, cniPath, plugins, known }
})

const choose = Effect.fnUntraced(
  function*({ asked, cacheDir, confDir }: Pick<Question, "asked" | "confDir" | "cacheDir">) {
    const path = yield* Path.Path
    if (asked !== undefined && (asked.includes("/") || ConfFolder.isLoadedName(asked))) {
      const absolute = path.resolve(asked)
      const file = yield* Files.read(absolute)
      const isInFolder = path.dirname(absolute) === path.resolve(confDir)
      const files = isInFolder ? yield* Effect.orElseSucceed(Files.readFolder(confDir), () => []) : []
      return { file, files, folder: isInFolder ? confDir : undefined }
    }
    const files = yield* Files.readFolder(confDir)
    const file = asked === undefined ? Files.firstOf(files) : Files.named(files, asked)
    const isBuiltIn = file === undefined && (asked ?? BuiltIn.name) === BuiltIn.name
    return { file: isBuiltIn ? yield* BuiltIn.read(cacheDir) : file, files, folder: confDir }
  }
)

const tools = [
  "ip",
  "nsenter",
  "nft",
  "flock",
  ...["iptables", "ip6tables"].flatMap((
    name
  ) => [name, ...["save", "nft", "nft-save", "legacy", "legacy-save"].map((ending) => `${name}-${ending}`)])
]

/** Which tools are on the PATH. */
const collectTools = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folders = (process.env["PATH"] || "/usr/sbin:/usr/bin:/sbin:/bin").split(":").filter((folder) => folder !== "")
  const found = new Map<string, string>()
  for (const tool of tools) {
    for (const file of folders.map((folder) => path.join(folder, tool))) {
      const info = yield* Effect.option(fs.stat(file))
      if (info._tag === "None" || info.value.type !== "File" || (info.value.mode & 0o111) === 0) continue
      found.set(tool, file)
      break
    }
  }
  return found as ReadonlyMap<string, string>
})

const sysctlPath = (name: string, device?: string): string =>
  device === undefined ? `/proc/sys/${name.replaceAll(".", "/")}` : `/proc/sys/net/ipv4/conf/${device}/${name}`

const collectSysctls = Effect.fnUntraced(function*(devices: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const wanted = [
    ...[
      "net.ipv4.ip_forward",
      "net.ipv6.conf.all.forwarding",
      "net.bridge.bridge-nf-call-iptables",
      "net.ipv4.conf.all.rp_filter"
    ].map((name) => [name, sysctlPath(name)] as const),
    ...devices.flatMap((device) =>
      ["forwarding", "rp_filter"].map((name) => [`net.ipv4.conf.${device}.${name}`, sysctlPath(name, device)] as const)
    )
  ]
  const values = yield* Effect.forEach(
    wanted,
    ([name, path]) =>
      Effect.map(
        Effect.option(fs.readFileString(path)),
        (text) => text._tag === "Some" ? [[name, text.value.trim()] as const] : []
      )
  )
  return new Map(values.flat()) as ReadonlyMap<string, string>
})

/** The numbers that ELF has for the processors that Node.js runs on. */
const machines: { readonly [arch: string]: number } = { x64: 62, arm64: 183, ia32: 3, arm: 40, ppc64: 21, s390x: 22 }

const collectHost = Effect.fnUntraced(function*(
  chain: ReadonlyArray<ConfigFile.Placed>,
  attachments: ReadonlyArray<Attachment.AttachmentId>
) {
  const fs = yield* FileSystem.FileSystem
  const ends = attachments.flatMap(({ result }) =>
    Result.isSuccess(result)
      ? Attachment.interfacesOf(result.success).filter(({ sandbox }) => sandbox === "").map(({ name }) => name)
      : []
  )
  const devices = [...new Set([Roles.bridgeOf(chain) ?? "", ...ends])].filter((name) =>
    /^[^/\s]+$/.test(name) && name !== ".."
  )
  const ports = new Set(attachments.flatMap(({ portMappings }) => portMappings.map(({ hostPort }) => hostPort)))
  const named = chain.flatMap(({ config: { daemonSocketPath, resolvConf } }) =>
    [resolvConf, daemonSocketPath].filter((path) => typeof path === "string")
  )
  const [network, foundTools, sysctls, listeners, files] = yield* Effect.all([
    Namespace.collect(),
    collectTools(),
    collectSysctls(devices),
    Sockets.collect(ports),
    Effect.filter([dhcpSocket, ...named], (path) => Effect.orElseSucceed(fs.exists(path), () => false))
  ], { concurrency: "unbounded" })
  return {
    network,
    rules: yield* Rules.collect(foundTools),
    sysctls,
    listeners,
    tools: foundTools,
    files: new Set(files),
    machine: machines[process.arch]
  } satisfies Host
})

const isSelected = ({ containerId, ifname, netns, pod }: Selection, id: Attachment.AttachmentId): boolean => {
  const argument = (name: string) => id.args.find(([key]) => key === name)?.[1]
  return (netns === undefined || id.netns === netns) &&
    (containerId === undefined || id.containerId.startsWith(containerId)) &&
    (ifname === undefined || id.ifname === ifname) &&
    (pod === undefined || (argument("K8S_POD_NAMESPACE") === pod.namespace && argument("K8S_POD_NAME") === pod.name))
}

/** Says of each reservation whether who has it is still there. */
export const judge = Effect.fnUntraced(function*(
  network: string,
  reservations: ReadonlyArray<Store.Reservation>,
  mentions: string,
  all: ReadonlyArray<Attachment.AttachmentId & Partial<Pick<Attachment.Attachment, "sight">>>
) {
  const open: Array<Store.Reservation> = []
  const judged: Array<Store.Judged> = []
  for (const reservation of reservations) {
    const { containerId, ifname } = reservation
    const own = all.filter((each) =>
      each.network === network && each.containerId === containerId && (ifname === "" || each.ifname === ifname)
    )
    const present = own.find(({ sight }) => sight !== undefined && sight._tag !== "Missing" && sight._tag !== "Unseen")
    if (Living.isMentioned(mentions, containerId)) {
      judged.push({ ...reservation, isGone: false, reason: "a process is at work for it" })
    } else if (present !== undefined) {
      judged.push({ ...reservation, isGone: false, reason: `${present.netns} is there` })
    } else open.push(reservation)
  }
  if (open.length === 0) return judged as ReadonlyArray<Store.Judged>
  // What is left may still be somewhere: of runtimes that keep no results, or results without namespaces.
  const living = yield* Living.namespaces()
  const used = new Set<string>()
  const blind = living.find(Result.isFailure)
  for (const each of living) {
    if (Result.isFailure(each)) continue
    for (const address of each.success.links.flatMap(({ addresses }) => addresses)) {
      used.add(Cidr.addressText(address))
    }
  }
  for (const reservation of open) {
    const address = Cidr.parseAddress(reservation.address)
    const isUsed = address !== undefined && used.has(Cidr.addressText(address))
    const own = all.find((each) => each.network === network && each.containerId === reservation.containerId)
    judged.push(
      isUsed
        ? { ...reservation, isGone: false, reason: "a namespace has the address" }
        : blind !== undefined && Result.isFailure(blind)
        ? { ...reservation, isGone: false, reason: `not all namespaces can be seen: ${blind.failure}` }
        : {
          ...reservation,
          isGone: true,
          reason: own === undefined
            ? "no result in the cache, no process of it, and no namespace has the address"
            : `${own.netns === "" ? "no namespace has the address" : `${own.netns} does not exist`}`
        }
    )
  }
  return judged as ReadonlyArray<Store.Judged>
})

/** The store of host-local, its attachments, and the host, in the order in which an ADD that goes on meanwhile counts as alive. */
const collectState = Effect.fnUntraced(function*(
  { cacheDir, selection }: Pick<Question, "cacheDir" | "selection">,
  { chain, network }: Pick<Facts, "chain" | "network">
) {
  const ipam = Roles.ofType(chain, "host-local")
  const name = network?.name ?? ""
  const dataDir = String(ipam?.config["dataDir"] || Store.defaultFolder)
  const isStored = ipam !== undefined && /^[\w][\w.-]*$/.test(name)
  const stored = isStored ? yield* Store.read(dataDir, name) : undefined
  const mentions = stored !== undefined && stored.reservations.length > 0 ? yield* Living.mentions() : ""
  const listed = yield* Attachment.list(cacheDir)
  const [looked, host] = yield* Effect.all([
    Effect.forEach(listed.filter((each) => each.network === name), Attachment.look, { concurrency: 16 }),
    collectHost(chain, listed.filter((each) => each.network === name))
  ], { concurrency: "unbounded" })
  const byFile = new Map(looked.map((each) => [each.file, each]))
  const all = listed.map((each) => byFile.get(each.file) ?? each)
  const store: Store.Store | undefined = stored === undefined
    ? undefined
    : { ...stored, reservations: yield* judge(name, stored.reservations, mentions, all) }
  return {
    host,
    store,
    all,
    attachments: looked.filter((each) => isSelected(selection, each)),
    isOneAsked: Object.values(selection).some((value) => value !== undefined)
  }
})

const everyone: Selection = { netns: undefined, containerId: undefined, pod: undefined, ifname: undefined }

/** What is known of a network without its plugins: its attachments, its addresses, and the host. */
export const state = Effect.fnUntraced(function*(question: Pick<Question, "asked" | "confDir" | "cacheDir">) {
  const { file, files, folder } = yield* choose(question)
  const facts: Facts = { ...ofFile(file, files), folder, asked: question.asked }
  return { ...facts, ...yield* collectState({ ...question, selection: everyone }, facts) } satisfies Facts
})

/** Tries the network in a namespace of its own, where its configuration can be used at all. */
export const withTrial = Effect.fnUntraced(function*(facts: Facts, timeout: number) {
  const path = yield* Path.Path
  const { capabilityArgs, chain, cniPath, file, host, network, store } = facts
  const value = file === undefined ? undefined : ConfigFile.valueOf(file)
  const isUsable = network !== undefined && NetworkConfigList.problems(value, {
        hasPluginsInFolder: (file?.beside.length ?? 0) > 0
      }).length === 0
  if (!isUsable) return facts
  const dataDir = String(Roles.ofType(chain, "host-local")?.config["dataDir"] || Store.defaultFolder)
  const trial = yield* Trial.run(
    { list: network, cniPath, timeout, variables: process.env },
    capabilityArgs,
    {
      bridge: Roles.bridgeOf(chain),
      store: store === undefined ? undefined : path.join(dataDir, network.name),
      tools: host?.tools ?? new Map()
    }
  )
  return { ...facts, trial }
})

/** Reads logs of the network, and keeps what they say of the attachments that are asked about. */
export const withHistory = Effect.fnUntraced(function*(
  facts: Facts,
  logs: ReadonlyArray<string>,
  { containerId, ifname, netns, pod }: Selection
) {
  const read = yield* History.read(logs, facts.network?.name ?? facts.asked ?? "")
  const isOfPod = (past: History.Past) => past.pod.namespace === pod?.namespace && past.pod.name === pod?.name
  const operations = read.operations.filter((past) =>
    (netns === undefined || past.netns === netns) && (ifname === undefined || past.ifname === ifname) &&
    (containerId === undefined || past.containerId.startsWith(containerId)) && (pod === undefined || isOfPod(past))
  )
  return { ...facts, history: { ...read, operations } } satisfies Facts
})

/** Collects all that there is to know. */
export const collect = Effect.fnUntraced(function*(question: Question) {
  const { asked, capabilityArgs, cniPath, timeout } = question
  const { file, files, folder } = yield* choose(question)
  const facts: Facts = { ...ofFile(file, files), folder, asked, capabilityArgs }
  const [withAll, state] = yield* Effect.all([
    withPlugins(facts, cniPath, timeout),
    collectState(question, facts)
  ], { concurrency: "unbounded" })
  return { ...withAll, ...state } satisfies Facts
})
