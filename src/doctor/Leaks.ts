/**
 * What containers that are gone have left behind: reservations, results, links and rules. Something is not a leak if a
 * live network namespace uses it, if a process of a runtime or of a plugin works for its container, or if an unknown
 * container may use it.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Cidr from "../network/Cidr.ts"
import * as Namespace from "../network/Namespace.ts"
import * as ResultCache from "../runtime/ResultCache.ts"
import type { Facts } from "./Facts.ts"
import * as Attachment from "./facts/Attachment.ts"
import * as ContainerProcesses from "./facts/ContainerProcesses.ts"
import type * as HostLocalStore from "./facts/HostLocalStore.ts"
import * as LiveNamespaces from "./facts/LiveNamespaces.ts"
import * as IptablesLines from "./IptablesLines.ts"
import * as Names from "./Names.ts"

type Argv = readonly [string, ...ReadonlyArray<string>]

/** Something that a container left behind. */
export interface Leak extends Remains {
  readonly network: string
  /** The containers that it may have been for. */
  readonly owners: ReadonlyArray<string>
  /** The files of these containers: reservations and results. Each was written while its container existed. */
  readonly files: ReadonlyArray<string>
}

/** The same, as long as only its own kind is looked at. */
interface Remains {
  readonly kind: "reservation" | "result" | "link" | "rule" | "chain"
  readonly text: string
  /** The container that it was for, or its address if nothing else is known. */
  readonly containerId: string
  /**
   * What showed that nothing has that address: the file of its reservation with the holder, which is empty if there is
   * none, and the names of the results that libcni's cache had.
   */
  readonly holder?: { readonly file: string; readonly containerId: string; readonly results: ReadonlySet<string> }
  /** The evidence that it is unused. */
  readonly reason: string
  /** How to remove it. */
  readonly removal:
    | { readonly _tag: "File"; readonly path: string; readonly lock: string | undefined }
    | { readonly _tag: "Commands"; readonly argvs: ReadonlyArray<Argv> }
}

/** What is alive on the host. */
export interface Life {
  /**
   * All addresses in all network namespaces except the host's, without those that every namespace has, such as
   * 127.0.0.1.
   */
  readonly addresses: ReadonlySet<string>
  /** The processes that work for containers. */
  readonly processes: ReadonlyArray<ContainerProcesses.ContainerProcess>
  /** Links of the host whose other end is in another namespace. That namespace is alive, whatever its name. */
  readonly ends: ReadonlySet<string>
  readonly namespaces: ReadonlyArray<LiveNamespaces.Inhabited>
  /** Containers whose namespace exists but cannot be inspected. */
  readonly unread: ReadonlyArray<LiveNamespaces.Unread>
  /** Why more may be alive than we can see, so that nothing is known to be gone; undefined if nothing is hidden. */
  readonly blind: string | undefined
}

/** The addresses in the result of an attachment. */
export const addressesOf = ({ result }: Attachment.AttachmentId): ReadonlyArray<string> =>
  Result.isSuccess(result)
    ? (result.success.ips ?? []).flatMap((ip) => {
      const address = Cidr.parse(ip?.address ?? "")
      return address === undefined ? [] : [Cidr.addressText(address)]
    })
    : []

/** Finds what is alive on the host. The attachments show who owns the namespaces that cannot be inspected. */
export const look = Effect.fnUntraced(function*(attachments: ReadonlyArray<Attachment.AttachmentId>) {
  const processes = yield* ContainerProcesses.list()
  const { blind, networks, unread } = yield* LiveNamespaces.namespaces(attachments)
  const isUnread = ({ containerId }: Attachment.AttachmentId) => unread.some((each) => each.containerId === containerId)
  const addresses = new Set(attachments.filter(isUnread).flatMap(addressesOf))
  for (const address of networks.flatMap(({ links }) => links.flatMap((link) => link.addresses))) {
    if (!Cidr.isLoopback(address)) addresses.add(Cidr.addressText(address))
  }
  const host = yield* Namespace.collect()
  const links = Result.isSuccess(host) ? host.success.links : []
  const ends = links.filter(({ kind, peer }) => kind === "veth" && peer !== undefined)
  return {
    addresses,
    ends: new Set(ends.map(({ name }) => name)),
    namespaces: networks,
    processes,
    unread,
    blind: blind ?? (Result.isFailure(host) ? host.failure : undefined)
  } satisfies Life as Life
})

/** Containers with a link from the host into another namespace, or with a namespace that cannot be inspected. */
const livingOf = ({ all }: Facts, { ends, unread }: Life): ReadonlySet<string> =>
  new Set([
    ...unread.map(({ containerId }) => containerId),
    ...all.filter(({ result }) =>
      Result.isSuccess(result) &&
      Attachment.interfacesOf(result.success).some(({ name, sandbox }) => sandbox === "" && ends.has(name))
    ).map(({ containerId }) => containerId)
  ])

/** Evidence that an attachment is alive although its namespace has no path any more, or undefined if there is none. */
const signOfLife = (
  { addresses, processes }: Life,
  living: ReadonlySet<string>,
  attachment: Attachment.AttachmentId
): string | undefined => {
  const { containerId } = attachment
  if (living.has(containerId)) return "its link on the host leads to a live namespace"
  const process = ContainerProcesses.of(processes, containerId)
  if (process !== undefined) return ContainerProcesses.inWords(process)
  return addressesOf(attachment).some((address) => addresses.has(address)) ? "a namespace has its address" : undefined
}

/** The same for an attachment in a file of the cache. An attachment counts as alive unless it is known to be gone. */
export const lifeOf = (facts: Facts, life: Life, file: string): string | undefined => {
  const attachment = facts.attachments.find((each) => each.file === file)
  if (attachment?.sight._tag !== "Missing") return "it is not known to be gone"
  return signOfLife(life, livingOf(facts, life), attachment)
}

const resultLeaks = ({ attachments }: Facts, life: Life, living: ReadonlySet<string>): ReadonlyArray<Remains> =>
  attachments.filter((each) => each.sight._tag === "Missing" && signOfLife(life, living, each) === undefined).map((
    { containerId, file, ifname, netns }
  ) => ({
    kind: "result",
    text: `${Names.attachment({ containerId, ifname })} in ${file}`,
    containerId,
    reason: `${netns} does not exist`,
    removal: { _tag: "File", path: file, lock: undefined }
  }))

/** Files of the cache that make every DEL fail, unless a process works for the container that they are named after. */
const damagedLeaks = ({ attachments, damaged, network }: Facts, { processes }: Life): ReadonlyArray<Remains> =>
  damaged.flatMap(({ file, reason }) => {
    const name = ResultCache.nameIn(file).slice(`${network?.name ?? ""}-`.length)
    const containerId = name.slice(0, name.lastIndexOf("-"))
    const isAttached = attachments.some((each) => each.containerId === containerId)
    return isAttached || ContainerProcesses.of(processes, containerId) !== undefined ? [] : [{
      kind: "result" as const,
      text: `${Names.attachment({ containerId, ifname: name.slice(containerId.length + 1) })} in ${file}`,
      containerId,
      reason: `${reason}, so each DEL fails`,
      removal: { _tag: "File" as const, path: file, lock: undefined }
    }]
  })

const reservationLeaks = ({ store }: Facts, living: ReadonlySet<string>): ReadonlyArray<Remains> =>
  (store?.reservations ?? []).filter(({ containerId, isGone }) => isGone && !living.has(containerId)).map((
    { address, containerId, file, reason }
  ) => ({
    kind: "reservation",
    text: `${address} in ${file}`,
    containerId,
    reason,
    removal: { _tag: "File", path: file, lock: `${store?.folder}/lock` }
  }))

/** Link pairs that lost their purpose: both ends are on the host now. */
const linkLeaks = ({ attachments, host }: Facts, gone: ReadonlySet<string>): ReadonlyArray<Remains> => {
  const links = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
  return attachments.filter(({ containerId }) => gone.has(containerId)).flatMap(({ containerId, netns, result }) => {
    const interfaces = Result.isSuccess(result) ? Attachment.interfacesOf(result.success) : []
    const isInside = (mac: string | undefined) => interfaces.some((each) => each.sandbox !== "" && each.mac === mac)
    return interfaces.filter(({ sandbox }) => sandbox === "").flatMap(({ mac, name }): ReadonlyArray<Remains> => {
      const link = links.find((each) => each.name === name && each.kind === "veth" && each.mac === mac)
      const other = links.find((each) => each.name === link?.peerHere && each.peerHere === name)
      return isInside(other?.mac)
        ? [{
          kind: "link",
          text: name,
          containerId,
          reason: `${netns} does not exist`,
          removal: { _tag: "Commands", argvs: [["ip", "link", "del", name]] }
        }]
        : []
    })
  })
}

/** Whether a plugin makes this chain for one container. */
const isOfOne = (chain: string): boolean => /^CNI-(?:[A-Z]+-)?[0-9a-f]{16,}$/.test(chain)

const ruleLeaks = (
  facts: Facts,
  { addresses, processes }: Life,
  living: ReadonlySet<string>,
  goneAddresses: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlyArray<Remains> => {
  const { host, network, store } = facts
  if (host === undefined || network === undefined || Result.isFailure(host.rules)) return []
  const lines = IptablesLines.of(host.rules.success)
  const words = (line: IptablesLines.Line) =>
    line.rule.words.map((word) => word.replace(/\/\d+$/, "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"))
  const byChain = Map.groupBy(lines, IptablesLines.chainKey)
  const inside = (chain: IptablesLines.ChainOf) => byChain.get(IptablesLines.chainKey(chain)) ?? []
  const isGone = (containerId: string): boolean =>
    !living.has(containerId) && ContainerProcesses.of(processes, containerId) === undefined &&
    !facts.all.some((each) => each.containerId === containerId && each.sight?._tag !== "Missing") &&
    !(store?.reservations ?? []).some((each) => each.containerId === containerId && !each.isGone)
  const argvOf = (line: IptablesLines.ChainOf, args: ReadonlyArray<string>): Argv => [
    IptablesLines.program(line, host.tools),
    ...args
  ]
  const deletion = (line: IptablesLines.Line): Argv => argvOf(line, IptablesLines.deletion(line))
  const rules: Array<Remains> = []
  const chains = new Map<string, Remains>()
  for (const line of lines) {
    const owner = IptablesLines.ownerOf(line)
    const target = IptablesLines.targetOf(line)
    const own = { ...line, chain: target ?? "" }
    if (owner === undefined || owner.network !== network.name || isOfOne(line.chain) || !isGone(owner.containerId)) {
      continue
    }
    const all = [line, ...isOfOne(own.chain) ? inside(own) : []]
    if (all.some((each) => words(each).some((word) => addresses.has(word)))) continue
    const result = facts.all.find(({ containerId }) => containerId === owner.containerId)
    const reason = result === undefined
      ? "no result and no process of it is there, and no namespace has its address"
      : `${result.netns} does not exist`
    const leak = { containerId: owner.containerId, reason }
    rules.push({
      ...leak,
      kind: "rule",
      text: IptablesLines.text(line),
      removal: { _tag: "Commands", argvs: [deletion(line)] }
    })
    if (isOfOne(own.chain)) {
      chains.set(IptablesLines.chainKey(own), {
        ...leak,
        kind: "chain",
        text: `${own.chain} of ${own.table}, with its rules`,
        // Delete the rules one by one: if the chain has been created again since, its new rules stay, and so does the
        // chain.
        removal: {
          _tag: "Commands",
          argvs: [...inside(own).map(deletion), argvOf(own, ["-t", own.table, "-X", own.chain])]
        }
      })
    }
  }
  const holders = new Map((store?.reservations ?? []).map((each) => [each.address, each.containerId]))
  const results = new Set(facts.all.map(({ file }) => ResultCache.nameIn(file)))
  for (const line of lines.filter(({ chain }) => chain === "CNI-FORWARD")) {
    const address = words(line).find((word) => goneAddresses.has(word))
    if (address === undefined || addresses.has(address)) continue
    rules.push({
      kind: "rule",
      text: IptablesLines.text(line),
      containerId: address,
      ...(store === undefined
        ? {}
        : { holder: { file: `${store.folder}/${address}`, containerId: holders.get(address) ?? "", results } }),
      reason: `no network namespace has ${address} any more`,
      removal: { _tag: "Commands", argvs: [deletion(line)] }
    })
  }
  return [...rules, ...chains.values()]
}

/** What seems to be left of a network. Rules come before what they lead to, and results before addresses. */
const seen = (facts: Facts, life: Life): ReadonlyArray<Leak> => {
  const living = livingOf(facts, life)
  const results = resultLeaks(facts, life, living)
  const reservations = reservationLeaks(facts, living)
  const gone = new Set(results.map(({ containerId }) => containerId))
  const isGone = ({ containerId, isGone }: HostLocalStore.Judged) => isGone && !living.has(containerId)
  const stored = facts.store?.reservations ?? []
  const reserved = new Set(stored.filter((each) => !isGone(each)).map(({ address }) => address))
  const goneAddresses = new Map<string, ReadonlyArray<string>>()
  for (
    const { address, containerId } of [
      ...stored,
      ...facts.attachments.filter(({ containerId }) => gone.has(containerId)).flatMap((attachment) =>
        addressesOf(attachment).map((address) => ({ address, containerId: attachment.containerId }))
      )
    ]
  ) {
    if (!reserved.has(address)) goneAddresses.set(address, [...goneAddresses.get(address) ?? [], containerId])
  }
  const byOwner = Map.groupBy([...facts.all, ...stored], ({ containerId }) => containerId)
  return [
    ...ruleLeaks(facts, life, living, goneAddresses),
    ...linkLeaks(facts, gone),
    ...results,
    ...damagedLeaks(facts, life),
    ...reservations
  ].map((remains) => {
    const owners = goneAddresses.get(remains.containerId) ?? [remains.containerId]
    const files = owners.flatMap((owner) => byOwner.get(owner) ?? [])
    const own = remains.removal._tag === "File" ? [remains.removal.path] : []
    return {
      ...remains,
      network: facts.network?.name ?? "",
      owners,
      files: [...new Set([...own, ...files.map(({ file }) => file)])]
    }
  })
}

/** Everything that is known to be left of a network. */
export const find = (facts: Facts, life: Life): ReadonlyArray<Leak> => life.blind === undefined ? seen(facts, life) : []

/** The same facts, as if the containers of these reservations were gone. */
const asGone = (facts: Facts, isLike: (reservation: HostLocalStore.Judged) => boolean): Facts => {
  const { store } = facts
  if (store === undefined) return facts
  const reservations = store.reservations.map((each) => isLike(each) ? { ...each, isGone: true } : each)
  return { ...facts, store: { ...store, reservations } }
}

/** What may be left of a network, or be in use by containers that we cannot see; empty if nothing is hidden. */
export const possible = (facts: Facts, life: Life): ReadonlyArray<Leak> =>
  life.blind === undefined ? [] : seen(asGone(facts, ({ unknown }) => unknown !== undefined), life)

/** Something that would be a leak if no process worked for its container. */
export interface Kept extends Leak {
  readonly process: ContainerProcesses.ContainerProcess
}

/** What is not a leak only because a process works for its container. */
export const keptBack = (facts: Facts, life: Life): ReadonlyArray<Kept> => {
  const { attachments, store } = facts
  const reservations = store?.reservations ?? []
  const isAnyKept = life.processes.length > 0 || reservations.some(({ process }) => process !== undefined)
  if (!isAnyKept) return []
  const listed = new Set(find(facts, life).map(({ kind, text }) => `${kind} ${text}`))
  const all = find(asGone(facts, ({ process }) => process !== undefined), { ...life, processes: [] })
  /** The process that keeps what belongs to a container, or to an address if nothing else is known. */
  const processOf = (name: string) =>
    ContainerProcesses.of(life.processes, name) ??
      reservations.find((each) => each.process !== undefined && (each.containerId === name || each.address === name))
        ?.process ??
      attachments.filter((each) => addressesOf(each).includes(name))
        .map((each) => ContainerProcesses.of(life.processes, each.containerId)).find((each) => each !== undefined)
  return all.filter(({ kind, text }) => !listed.has(`${kind} ${text}`)).flatMap((leak) => {
    const process = processOf(leak.containerId)
    return process === undefined ? [] : [{ ...leak, reason: ContainerProcesses.inWords(process), process }]
  })
}
