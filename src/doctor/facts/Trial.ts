/**
 * Attaches and checks a throwaway namespace, sends packets between it, another one and the host, detaches both, records
 * what happens, and restores the host.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as CniVersion from "../../cni/CniVersion.ts"
import * as ToolOutput from "../../exec/ToolOutput.ts"
import * as SmallFile from "../../host/SmallFile.ts"
import { isObject, parse } from "../../json/Json.ts"
import type * as Link from "../../network/Link.ts"
import * as Namespace from "../../network/Namespace.ts"
import * as PacketFilter from "../../network/PacketFilter.ts"
import * as Reservation from "../../network/Reservation.ts"
import type { Attachment } from "../../runtime/Attachments.ts"
import * as Chain from "../../runtime/Chain.ts"
import * as Netns from "../../runtime/Netns.ts"
import type { Finding } from "../Finding.ts"
import type { Flow } from "../flow/Flow.ts"
import * as IptablesLines from "../IptablesLines.ts"
import { type AttachmentId, ofResult } from "./Attachment.ts"

/** The prefix of the container IDs of trials. */
export const prefix = "cni-doctor-"

/** Something that a DEL left behind. */
export interface Left {
  readonly kind: "link" | "rule" | "reservation"
  readonly text: string
}

/** A trial, as far as it went. */
export interface Trial {
  /** The calls of ADD, CHECK and DEL, in their order. */
  readonly calls: ReadonlyArray<Chain.Call>
  /** The type of the plugin that failed first inside a call, by the invocation of that call. */
  readonly innermost: ReadonlyMap<string, string>
  /** What exists after the trial and did not exist before. */
  readonly left: ReadonlyArray<Left>
  readonly sent: Sent
}

/** What packets showed. */
export interface Sent {
  /** The flows of the throwaway namespaces. Those over which packets were sent are verified. */
  readonly flows: ReadonlyArray<Flow>
  /** The problems that the checks find with the throwaway namespaces, which explain lost flows. */
  readonly findings: ReadonlyArray<Finding>
  /** Why packets were not sent, or not over all flows; undefined if they were. */
  readonly problem: string | undefined
}

/** Sends packets over the flows of attachments. */
export type Send<R> = (attachments: ReadonlyArray<AttachmentId>) => Effect.Effect<Sent, never, R>

/** What a trial may change. */
interface Snapshot {
  readonly links: ReadonlyArray<Link.Link>
  readonly rules: PacketFilter.Rules
  readonly sysctls: ReadonlyMap<string, string>
  /** The files of host-local's store, with their contents. */
  readonly files: ReadonlyMap<string, string>
  /** Whether the store existed. */
  readonly hasStore: boolean
}

/** Values that plugins set for the whole host. */
const sysctls = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"]

const noRules: PacketFilter.Rules = { rulesets: [], nft: [] }

const snapshot = Effect.fnUntraced(function*(store: string | undefined, tools: ReadonlyMap<string, string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const textsOf = Effect.fnUntraced(function*<R>(
    paths: ReadonlyArray<string>,
    read: (path: string) => Effect.Effect<string | undefined, never, R>
  ) {
    const texts = yield* Effect.forEach(paths, read)
    return new Map(paths.flatMap((each, index) => {
      const text = texts[index]
      return text === undefined ? [] : [[each, text] as const]
    }))
  })
  const [network, rules] = yield* Effect.all([Namespace.collect(), PacketFilter.collect(tools)], { concurrency: 2 })
  const names = store === undefined ? [] : yield* Effect.orElseSucceed(fs.readDirectory(store), () => [])
  return {
    links: Result.isSuccess(network) ? network.success.links : [],
    rules: Result.getOrElse(rules, () => noRules),
    sysctls: yield* textsOf(sysctls, (each) => Effect.orElseSucceed(fs.readFileString(each), () => undefined)),
    files: yield* textsOf(
      store === undefined ? [] : names.map((name) => path.join(store, name)),
      (each) => SmallFile.read(each, Reservation.longest)
    ),
    hasStore: store !== undefined && (yield* Effect.orElseSucceed(fs.exists(store), () => false))
  } satisfies Snapshot
})

/** What identifies the changes of a trial. */
interface Traces {
  /** Its container IDs. */
  readonly ids: ReadonlyArray<string>
  /** The addresses and the links that its plugins named. */
  readonly addresses: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
}

/** The rules, chains and links that the trial made: those with its name or its address, and those that these need. */
const madeBy = (before: Snapshot, after: Snapshot, { addresses, ids, names }: Traces) => {
  const oldRules = new Set(IptablesLines.of(before.rules).map(IptablesLines.key))
  const oldChains = new Set(IptablesLines.chainsOf(before.rules).map(IptablesLines.chainKey))
  const oldLinks = new Set(before.links.map(({ name }) => name))
  const rules = IptablesLines.of(after.rules).filter((line) => !oldRules.has(IptablesLines.key(line)))
  const chains = IptablesLines.chainsOf(after.rules).filter((chain) => !oldChains.has(IptablesLines.chainKey(chain)))
  const isOwn = (line: IptablesLines.Line) =>
    ids.includes(IptablesLines.ownerOf(line)?.containerId ?? "") ||
    addresses.some((address) => IptablesLines.isAbout(line, address))
  return {
    rules,
    chains,
    links: after.links.filter(({ name }) => !oldLinks.has(name) && names.includes(name)),
    own: rules.filter(isOwn),
    /** Whether other programs made rules during the trial. */
    isShared: rules.some((line) => {
      const owner = IptablesLines.ownerOf(line)
      return owner !== undefined && !ids.includes(owner.containerId)
    })
  }
}

/** Restores the host. Touches only what is new, and keeps what others have started to use. */
const restore = Effect.fnUntraced(function*(
  before: Snapshot,
  after: Snapshot,
  traces: Traces,
  { bridge, store, tools }: Ground
) {
  const fs = yield* FileSystem.FileSystem
  const { chains, isShared, links, own, rules } = madeBy(before, after, traces)
  const newChains = new Set(chains.map(IptablesLines.chainKey))
  const isLeadingToNew = (line: IptablesLines.Line) =>
    newChains.has(IptablesLines.chainKey({ ...line, chain: IptablesLines.targetOf(line) ?? "" }))
  const gone = isShared ? own : [...own, ...rules.filter((line) => isLeadingToNew(line) && !own.includes(line))]
  for (const line of gone) {
    yield* ToolOutput.of([IptablesLines.program(line, tools), ...IptablesLines.deletion(line)])
  }
  for (const option of isShared ? [] : ["-F", "-X"]) {
    for (const chain of chains) {
      yield* ToolOutput.of([IptablesLines.program(chain, tools), "-t", chain.table, option, chain.chain])
    }
  }
  if (!isShared && tools.has("nft")) {
    const tableKeys = (each: Snapshot) =>
      each.rules.rulesets.filter(({ backend }) => backend === "nf_tables")
        .flatMap(({ family, tables }) => [...tables.keys()].map((table) => `${family === 4 ? "ip" : "ip6"} ${table}`))
    const old = new Set(tableKeys(before))
    const current = yield* PacketFilter.collect(tools)
    const busy = new Set(
      Result.isFailure(current)
        ? tableKeys(after)
        : IptablesLines.of(current.success).map(({ family, table }) => `${family === 4 ? "ip" : "ip6"} ${table}`)
    )
    for (const table of tableKeys(after).filter((each) => !old.has(each) && !busy.has(each))) {
      const [family = "", name = ""] = table.split(" ")
      yield* ToolOutput.of(["nft", "delete", "table", family, name])
    }
  }
  // The host would send what is for the next container with this address to a MAC that is gone.
  for (const address of new Set(traces.addresses)) yield* ToolOutput.of(["ip", "neigh", "flush", "to", address])
  for (const { name } of links.filter(({ kind }) => kind === "veth")) {
    yield* ToolOutput.of(["ip", "link", "del", name])
  }
  const isNew = bridge !== undefined && !before.links.some(({ name }) => name === bridge)
  const isUsed = after.links.some(({ master }) => master === bridge)
  if (isNew && !isUsed && after.links.some(({ kind, name }) => name === bridge && kind === "bridge")) {
    yield* ToolOutput.of(["ip", "link", "del", bridge])
  }
  if (isShared) return
  for (const [path, value] of before.sysctls) {
    if (after.sysctls.get(path) !== value) yield* Effect.ignore(fs.writeFileString(path, value))
  }
  for (const path of after.files.keys()) {
    const was = before.files.get(path)
    const isOurs = traces.ids.some((id) => after.files.get(path)?.startsWith(id) === true)
    const isBookkeeping = /\/(?:last_reserved_ip\.[^/]*|lock)$/.test(path)
    if (was === undefined && (isOurs || isBookkeeping)) yield* Effect.ignore(fs.remove(path))
    else if (was !== undefined && isBookkeeping && was !== after.files.get(path)) {
      yield* Effect.ignore(fs.writeFileString(path, was))
    }
  }
  // `rmdir` keeps a folder that is not empty.
  if (store !== undefined && !before.hasStore) yield* ToolOutput.of(["rmdir", store])
})

/** What a trial depends on. */
interface Ground {
  /** The bridge of the network; undefined if it has none. */
  readonly bridge: string | undefined
  /** host-local's folder for the network; undefined if it has none. */
  readonly store: string | undefined
  readonly tools: ReadonlyMap<string, string>
}

const addressesIn = (result: string | undefined): ReadonlyArray<string> =>
  [...(result ?? "").matchAll(/"(?:address|ip)"\s*:\s*"([^"/]+)\/\d+"/g)].map(([, address = ""]) => address)

/** The links of the host that a result names. */
const namesIn = (result: string | undefined): ReadonlyArray<string> => {
  const value = parse(result ?? "")
  const interfaces = isObject(value) && Array.isArray(value["interfaces"]) ? value["interfaces"].filter(isObject) : []
  return interfaces.filter(({ sandbox }) => !sandbox).map(({ name }) => String(name))
}

const leftOf = (before: Snapshot, after: Snapshot, traces: Traces): ReadonlyArray<Left> => {
  const { links, own } = madeBy(before, after, traces)
  return [
    ...links.filter(({ kind }) => kind !== "bridge").map(({ name }) => ({ kind: "link", text: name }) as const),
    ...own.map((line) => ({ kind: "rule", text: IptablesLines.text(line) }) as const),
    ...[...after.files]
      .filter(([path, text]) => !before.files.has(path) && traces.ids.some((id) => text.startsWith(id)))
      .map(([path]) => ({ kind: "reservation", text: path }) as const)
  ]
}

/** What a trial does. */
export interface Plan<R> {
  readonly chain: Chain.Chain
  /** The capability arguments of the first namespace. The second one gets none, because ports are published once. */
  readonly capabilityArgs: Attachment["capabilityArgs"]
  /** Whether the network takes a second namespace: not one whose addresses are fixed. */
  readonly hasSecond: boolean
  readonly ground: Ground
  readonly send: Send<R>
}

/** The attachment of a new throwaway namespace. */
const newAttachment = Effect.fnUntraced(function*(network: string, capabilityArgs: Attachment["capabilityArgs"]) {
  const random = yield* Random.nextIntBetween(0, 2 ** 32, { halfOpen: true })
  const containerId = `${prefix}${random.toString(16).padStart(8, "0")}`
  return {
    network,
    containerId,
    ifname: "eth0",
    netns: yield* Netns.pathOf(containerId),
    args: [],
    capabilityArgs
  } satisfies Attachment
})

/** Attaches a throwaway namespace to a network, checks it, sends packets, and always detaches it; then cleans up. */
export const run = Effect.fnUntraced(function*<R>(
  { capabilityArgs, chain, ground, hasSecond, send }: Plan<R>
) {
  const { store, tools } = ground
  const first = yield* newAttachment(chain.list.name, capabilityArgs)
  const second = yield* newAttachment(chain.list.name, {})
  const before = yield* snapshot(store, tools)
  yield* Netns.add(first.containerId)
  const traces = {
    ids: [first.containerId, second.containerId],
    addresses: [] as Array<string>,
    names: [] as Array<string>
  }
  const innermost = new Map<string, string>()
  /** A nested plugin ends before the plugin around it, so the first failure is the innermost. */
  const lookInside = Effect.fnUntraced(function*({ invocation }: Chain.Call) {
    const records = chain.nested === undefined ? [] : yield* chain.nested.records(invocation)
    const ended = new Set(records.filter(({ event }) => event === "result").map((each) => each.invocation))
    // A nested plugin that was killed together with the plugin around it has no end.
    const failed = records.find(({ event }) => event === "error") ??
      records.findLast((each) => each.event === "request" && !ended.has(each.invocation))
    if (failed?.label !== undefined) innermost.set(invocation, failed.label)
  })
  const collect = (calls: Chain.Calls) => Stream.runCollect(Stream.tap(calls, lookInside))
  const add = Effect.fnUntraced(function*(attachment: Attachment) {
    const added = yield* collect(Chain.add(chain, attachment))
    for (const each of added.map(Chain.resultOf)) {
      traces.addresses.push(...addressesIn(each))
      traces.names.push(...namesIn(each))
    }
    const last = added.at(-1)
    return { calls: added, result: last === undefined ? undefined : Chain.resultOf(last) }
  })
  let result: string | undefined
  let sent: Sent = { flows: [], findings: [], problem: "no namespace was attached" }
  const attach = Effect.gen(function*() {
    const added = yield* add(first)
    result = added.result
    const { cniVersion, disableCheck } = chain.list
    const hasCheck = result !== undefined && !disableCheck && CniVersion.isAtLeast(cniVersion, "0.4.0")
    const checked = hasCheck ? yield* collect(Chain.check(chain, first, result ?? "")) : []
    return [...added.calls, ...checked]
  })
  /** Sends packets between both namespaces, or from the first one alone if the second one cannot be attached. */
  const sendAll = Effect.gen(function*() {
    if (result === undefined) return
    const own = ofResult(first, result)
    if (!hasSecond) return void (sent = yield* send([own]))
    let other: string | undefined
    yield* Effect.onExit(
      Effect.gen(function*() {
        yield* Netns.add(second.containerId)
        other = (yield* add(second)).result
        sent = yield* send([own, ...(other === undefined ? [] : [ofResult(second, other)])])
      }),
      () =>
        Effect.andThen(
          Stream.runDrain(Chain.del(chain, second, other)),
          Effect.ignore(Netns.remove(second.containerId))
        )
    )
  })
  const detach = Effect.gen(function*() {
    const calls = yield* collect(Chain.del(chain, first, result))
    yield* Effect.ignore(Netns.remove(first.containerId))
    const after = yield* snapshot(store, tools)
    const left = leftOf(before, after, traces)
    yield* restore(before, after, traces, ground)
    return { calls, left }
  })
  let detached: { readonly calls: ReadonlyArray<Chain.Call>; readonly left: ReadonlyArray<Left> } | undefined
  const calls = yield* Effect.onExit(
    Effect.tap(attach, sendAll),
    () => Effect.map(detach, (outcome) => void (detached = outcome))
  )
  return {
    calls: [...calls, ...detached?.calls ?? []],
    innermost,
    left: detached?.left ?? [],
    sent
  } satisfies Trial
})

/** The prevResult that a plugin received, as a value. */
export const prevResultOf = ({ stdin }: Chain.Call): unknown => {
  const config = parse(stdin)
  return typeof config === "object" && config !== null ? Reflect.get(config, "prevResult") : undefined
}
