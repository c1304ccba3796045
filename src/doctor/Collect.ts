/** Collects all facts once and concurrently, each with its own limit. Changes nothing on the host. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as ConfFolder from "../conf/ConfFolder.ts"
import type { JsonObject } from "../json/Json.ts"
import * as Namespace from "../network/Namespace.ts"
import * as Reservation from "../network/Reservation.ts"
import * as Pod from "../operations/Pod.ts"
import * as Attachments from "../runtime/Attachments.ts"
import * as Netns from "../runtime/Netns.ts"
import * as ResultCache from "../runtime/ResultCache.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { Facts } from "./Facts.ts"
import * as Attachment from "./facts/Attachment.ts"
import * as BuiltIn from "./facts/BuiltIn.ts"
import * as ContainerProcesses from "./facts/ContainerProcesses.ts"
import * as Files from "./facts/Files.ts"
import * as History from "./facts/History.ts"
import * as Host from "./facts/Host.ts"
import * as HostLocalStore from "./facts/HostLocalStore.ts"
import * as LiveNamespaces from "./facts/LiveNamespaces.ts"
import type { PluginFact } from "./facts/Plugins.ts"
import * as Plugins from "./facts/Plugins.ts"
import * as PolicyRefusals from "./facts/PolicyRefusals.ts"
import * as StaleReservations from "./facts/StaleReservations.ts"
import * as Roles from "./Roles.ts"

/** Which attachments to look at: those that match every given field. */
export interface Selection {
  readonly netns: string | undefined
  /** An identifier, or its beginning. */
  readonly containerId: string | undefined
  /** NAME or NAMESPACE/NAME */
  readonly pod: string | undefined
  readonly ifname: string | undefined
}

/** What to look at. */
export interface Question {
  /** The name of a network, or a file; undefined for the network that a runtime would choose. */
  readonly asked: string | undefined
  readonly confDir: string
  readonly cniPath: ReadonlyArray<string>
  readonly cacheDir: string
  readonly capabilityArgs: JsonObject
  readonly selection: Selection
  /** How many milliseconds a plugin may take to answer. */
  readonly timeout: number
  /** Whether runtimes were found on this host, and none of them calls plugins. */
  readonly isWithoutPlugins: boolean
}

/** The facts before anything but files was read. */
const none: Omit<Facts, "file" | "network" | "chain" | "delegates"> = {
  folder: undefined,
  files: [],
  unloaded: [],
  asked: undefined,
  cniPath: [],
  cacheDir: undefined,
  plugins: new Map(),
  forbidden: [],
  known: [],
  capabilityArgs: {},
  isWithoutPlugins: false,
  host: undefined,
  store: undefined,
  damaged: [],
  attachments: [],
  earlier: [],
  all: [],
  selected: undefined,
  linksThere: undefined,
  elsewhere: [],
  trial: undefined,
  history: undefined,
  unseen: []
}

/** The facts in the text of a file. */
export const ofFile = (
  file: ConfigFile.ConfigFile | undefined,
  files: ReadonlyArray<ConfigFile.ConfigFile>
): Facts => ({
  ...none,
  file,
  files,
  network: file === undefined ? undefined : ConfigFile.listOf(file),
  chain: file === undefined ? [] : ConfigFile.pluginsOf(file),
  delegates: file === undefined ? [] : ConfigFile.delegatesOf(file)
})

/** Adds the plugins on this host. Each plugin is asked for its versions once. */
export const withPlugins = Effect.fnUntraced(function*(
  networks: ReadonlyArray<Facts>,
  cniPath: ReadonlyArray<string>,
  timeout: number
) {
  const versionOf = ({ network }: Facts) => network?.cniVersion ?? ""
  const [asked, known] = yield* Effect.all([
    Effect.forEach(Object.entries(Arr.groupBy(networks, versionOf)), ([version, facts]) =>
      Effect.map(
        Plugins.collect(
          facts.flatMap(({ chain, delegates }) => [...chain, ...delegates].map(({ type }) => type)),
          cniPath,
          version,
          timeout
        ),
        (plugins) => [version, plugins] as const
      )),
    Plugins.namesIn(cniPath)
  ], { concurrency: "unbounded" })
  const byVersion = new Map(asked)
  return yield* Effect.forEach(
    networks,
    Effect.fnUntraced(function*(facts) {
      const plugins = byVersion.get(versionOf(facts)) ?? new Map<string, PluginFact>()
      const forbidden = yield* PolicyRefusals.find(facts.chain, plugins)
      return { ...facts, cniPath, plugins, forbidden, known } satisfies Facts
    })
  )
})

const choose = Effect.fnUntraced(
  function*({ asked, cacheDir, confDir }: Pick<Question, "asked" | "confDir" | "cacheDir">) {
    const path = yield* Path.Path
    if (asked !== undefined && (asked.includes("/") || ConfFolder.isLoadedName(asked))) {
      const absolute = path.resolve(asked)
      const file = yield* Files.read(absolute)
      const isInFolder = path.dirname(absolute) === path.resolve(confDir)
      const files = isInFolder ? yield* Effect.orElseSucceed(Files.readFolder(confDir), () => []) : []
      return { file, files, folder: isInFolder ? confDir : undefined, unread: [], unloaded: [] }
    }
    const { files, unread } = yield* Files.readAll(confDir)
    const file = asked === undefined ? Files.firstOf(files) : Files.named(files, asked)
    const isBuiltIn = file === undefined && (asked ?? BuiltIn.name) === BuiltIn.name
    const unloaded = file === undefined ? yield* ConfFolder.unloaded(confDir, asked) : []
    return { file: isBuiltIn ? yield* BuiltIn.read(cacheDir) : file, files, folder: confDir, unread, unloaded }
  }
)

/** What identifies attachments and logged operations. */
type Known = Pick<Attachment.AttachmentId, "netns" | "containerId" | "ifname" | "pod">

const isSelected = ({ containerId, ifname, netns, pod }: Selection) => (one: Known): boolean =>
  (netns === undefined || Netns.isSamePath(one.netns, netns)) &&
  (containerId === undefined || one.containerId.startsWith(containerId)) &&
  (ifname === undefined || one.ifname === ifname) && (pod === undefined || Pod.is(one.pod, pod))

const selectedBy = ({ containerId, ifname, netns, pod }: Selection): Facts["selected"] => {
  const named = [["the pod", pod], ["the container", containerId], ["the namespace", netns], ["the interface", ifname]]
  const asked = named.flatMap(([what, value]) => value === undefined ? [] : [{ words: `${what} ${value}`, value }])
  return asked[0] && { words: asked.map(({ words }) => words).join(", "), value: asked[0].value }
}

/** host-local's store for a network; undefined if the network has none. */
const storeOf = Effect.fnUntraced(function*({ chain, network }: Pick<Facts, "chain" | "network">) {
  const ipam = Roles.ofType(chain, "host-local")
  const name = network?.name ?? ""
  const dataDir = String(ipam?.config["dataDir"] || Reservation.defaultFolder)
  return ipam !== undefined && /^[\w][\w.-]*$/.test(name) ? yield* HostLocalStore.read(dataDir, name) : undefined
})

/** The attachments of containers to networks, without their loopback links. */
const listOwn = (cacheDir: string) =>
  Effect.map(Attachment.list(cacheDir), (listed) => listed.filter((each) => !Attachments.isLoopback(each)))

/**
 * Collects host-local's stores, the attachments and the host, in an order that makes a concurrent ADD count as alive.
 */
const collectState = Effect.fnUntraced(function*(
  cacheDir: string,
  listed: ReturnType<typeof Attachment.list>,
  selection: Selection,
  networks: ReadonlyArray<Facts>
) {
  const path = yield* Path.Path
  const stores = yield* Effect.forEach(networks, storeOf)
  const isAnyReserved = stores.some((store) => store !== undefined && store.reservations.length > 0)
  const processes = isAnyReserved ? yield* ContainerProcesses.list() : []
  const ids = yield* listed
  const damaged = yield* Effect.orElseSucceed(ResultCache.damaged(cacheDir), () => [])
  const names = new Set(networks.map(({ network }) => network?.name ?? ""))
  const own = ids.filter((each) => names.has(each.network))
  const [looked, others, host] = yield* Effect.all([
    Effect.forEach(own, Attachment.look, { concurrency: 16 }),
    Effect.forEach(ids.filter((each) => !names.has(each.network)), Attachment.glance, { concurrency: 16 }),
    Host.collect(networks.flatMap(({ chain, delegates }) => [...chain, ...delegates]), own)
  ], { concurrency: "unbounded" })
  const byFile = new Map([...others, ...looked].map((each) => [each.file, each]))
  const all = ids.map((each) => byFile.get(each.file) ?? each)
  const living = yield* Effect.cached(LiveNamespaces.namespaces(ids))
  return yield* Effect.forEach(
    networks,
    Effect.fnUntraced(function*(facts, index) {
      const name = facts.network?.name ?? ""
      const stored = stores[index]
      return {
        ...facts,
        cacheDir,
        host,
        store: stored === undefined
          ? undefined
          : {
            ...stored,
            reservations: yield* StaleReservations.all(name, stored.reservations, processes, all, living)
          },
        all,
        damaged: damaged.filter(({ file }) => path.basename(file).startsWith(`${name}-`)),
        attachments: looked.filter((each) => each.network === name).filter(isSelected(selection)),
        selected: selectedBy(selection),
        linksThere: selection.netns !== undefined && !looked.some(isSelected(selection))
          ? Result.map(
            yield* Namespace.collectLinks(selection.netns),
            ({ links }) => links.map((link) => link.name)
          )
          : undefined,
        elsewhere: [...new Set(ids.filter(isSelected(selection)).map((each) => each.network))].filter((each) =>
          each !== name
        )
      } satisfies Facts
    })
  )
})

const everyone: Selection = { netns: undefined, containerId: undefined, pod: undefined, ifname: undefined }

type Place = Pick<Question, "asked" | "confDir" | "cacheDir">

const statesWith = Effect.fnUntraced(function*(question: Place, list: typeof Attachment.list) {
  const { asked, cacheDir, confDir } = question
  const chosen = asked === undefined ? undefined : yield* choose(question)
  const files = chosen?.files ?? (yield* Files.readFolder(confDir))
  // The file of a network may be gone while its containers remain.
  const cached = yield* BuiltIn.readAll(cacheDir)
  const named = files.map((file) => [ConfigFile.nameOf(file), file] as const).filter(([name]) => name !== undefined)
  // Runtimes take the first of several files with the same name.
  const networks = chosen === undefined
    ? [...new Map<string | undefined, ConfigFile.ConfigFile>([...cached, ...named.toReversed()]).values()].toReversed()
    : [chosen.file ?? cached.get(asked ?? "")]
  const facts = networks.map((file): Facts => ({ ...ofFile(file, files), folder: chosen?.folder ?? confDir, asked }))
  return yield* collectState(cacheDir, list(cacheDir), everyone, facts)
})

/**
 * What is known of a network, or of every network in the folder or in libcni's cache, without asking plugins:
 * attachments, addresses, and the host. The results of loopback links are among the attachments, because they are left
 * behind like others. Fails if the attachments cannot be determined.
 */
export const states = (question: Place) => statesWith(question, Attachment.list)

/** Reads logs of the network, and keeps the operations of the selected attachments. */
export const withHistory = Effect.fnUntraced(function*(
  facts: Facts,
  logs: ReadonlyArray<string>,
  selection: Selection
) {
  const read = yield* History.read(logs, facts.network?.name ?? facts.asked ?? "")
  return { ...facts, history: { ...read, operations: read.operations.filter(isSelected(selection)) } } satisfies Facts
})

/**
 * The networks that a question is about: the one that it names; or those that the selected containers are attached to;
 * or the one of their last operation in these logs; or else all of the folder. Undefined stands for the network that a
 * runtime would choose.
 */
export const networksOf = Effect.fnUntraced(
  function*({ asked, cacheDir, confDir, selection }: Question, logs: ReadonlyArray<string>) {
    const { containerId, netns, pod } = selection
    if (asked !== undefined) return [asked]
    if ((containerId ?? netns ?? pod) === undefined) {
      const files = yield* Effect.orElseSucceed(Files.readFolder(confDir), () => [])
      const all = new Set(Files.inOrder(files).map((file) => ConfigFile.nameOf(file) ?? file.path))
      return all.size === 0 ? [undefined] : [...all]
    }
    const attached = yield* Effect.orElseSucceed(listOwn(cacheDir), () => [])
    const networks = new Set(attached.filter(isSelected(selection)).map(({ network }) => network))
    if (networks.size > 0) return [...networks]
    const past = logs.length === 0 ? [] : (yield* History.read(logs, undefined)).operations
    return [past.findLast((each) => isSelected(selection)(each) && !Attachments.isLoopback(each))?.network]
  }
)

/** The names of the networks in a folder, and of those in libcni's cache. What cannot be read has none. */
export const networkNames = Effect.fnUntraced(function*({ cacheDir, confDir }: Pick<Question, "cacheDir" | "confDir">) {
  const files = yield* Effect.orElseSucceed(Files.readFolder(confDir), () => [])
  const attached = yield* Effect.orElseSucceed(listOwn(cacheDir), () => [])
  return [
    ...new Set([
      ...Files.inOrder(files).flatMap((file) => ConfigFile.nameOf(file) ?? []),
      ...attached.map(({ network }) => network)
    ])
  ]
})

/** Separates the attachments that were made with an earlier configuration of their network. */
const byConfiguration = (facts: Facts): Facts => {
  const { attachments, file } = facts
  if (file === undefined) return facts
  const isEarlier = ({ config }: Attachment.Attachment) => config !== undefined && !ConfigFile.hasPlugins(file, config)
  const groups = Object.entries(Arr.groupBy(attachments.filter(isEarlier), ({ config = "" }) => config))
  return {
    ...facts,
    attachments: attachments.filter((each) => !isEarlier(each)),
    earlier: groups.map(([config, own]) => {
      const { chain, delegates, file, network } = ofFile(ConfigFile.cached(own[0].file, config), [])
      return { attachments: own, chain, delegates, file, network }
    })
  }
}

/** Collects the facts about these networks. Inspects the host only once. */
export const collect = Effect.fnUntraced(function*(question: Question, networks: ReadonlyArray<Question["asked"]>) {
  const { cacheDir, capabilityArgs, cniPath, isWithoutPlugins, selection, timeout } = question
  const chosen = yield* Effect.forEach(
    networks,
    (asked) => Effect.map(choose({ ...question, asked }), (choice) => ({ ...choice, asked }))
  )
  const all = chosen.map(({ asked, file, files, folder, unloaded }): Facts => ({
    ...ofFile(file, files),
    folder,
    unloaded,
    asked,
    capabilityArgs,
    isWithoutPlugins
  }))
  const unseen: Array<string> = []
  const listed = listOwn(cacheDir).pipe(
    Effect.catchTag("CacheUnreadable", ({ message }) => {
      unseen.push(message)
      return Effect.succeed<ReadonlyArray<Attachment.AttachmentId>>([])
    })
  )
  const [withAll, states] = yield* Effect.all([
    withPlugins(all, cniPath, timeout),
    collectState(cacheDir, listed, selection, all)
  ], { concurrency: "unbounded" })
  return all.map((facts, index): Facts => {
    const { forbidden = [], known = [], plugins = new Map<string, PluginFact>() } = withAll[index] ?? {}
    const unread = chosen[index]?.unread ?? []
    return byConfiguration({
      ...facts,
      ...states[index],
      cniPath,
      plugins,
      forbidden,
      known,
      unseen: [...unread, ...unseen]
    })
  })
})

/**
 * The state of networks without their plugins, as {@link states}, with attachments judged by the configuration that
 * they were made with, and without loopback links.
 */
export const living = (question: Place) => Effect.map(statesWith(question, listOwn), (all) => all.map(byConfiguration))
