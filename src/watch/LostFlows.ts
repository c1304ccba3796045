/** The traffic of living attachments that stops to arrive or arrives again, as doctor judges it. */
import * as Arr from "effect/Array"
import * as Result from "effect/Result"
import * as Check from "../doctor/Check.ts"
import * as Checks from "../doctor/Checks.ts"
import type { Facts } from "../doctor/Facts.ts"
import type { Attachment } from "../doctor/facts/Attachment.ts"
import type { Flow, Kind } from "../doctor/flow/Flow.ts"
import * as Flows from "../doctor/flow/Flows.ts"
import type * as Event from "./Event.ts"

/** Flows by what identifies them: their attachment, their name, and their peer. */
export type Judged = ReadonlyMap<string, Flow>

/** Facts do not show that these arrive. They count as arriving unless something is known to drop them. */
const unproved: ReadonlySet<Kind> = new Set<Kind>(["gateway", "world-large"])

const suffixOf = ({ family }: Flow): string => family === 6 ? " (IPv6)" : ""

/** The name of a flow, which stays the same when its traffic takes another way. */
const nameOf = (flow: Flow): string => {
  switch (flow.kind) {
    case "world":
      return `the world${suffixOf(flow)}`
    case "peer":
    case "routed-peer":
      return `other containers${suffixOf(flow)}`
    case "port-world":
      return `port ${flow.port}/${flow.protocol}${suffixOf(flow)}`
    default:
      return flow.words
  }
}

const attachmentKeyOf = ({ containerId, ifname, network }: Attachment): string =>
  JSON.stringify([network, containerId, ifname])

const keyOf = (flow: Flow): string =>
  JSON.stringify([attachmentKeyOf(flow.attachment), nameOf(flow), flow.peer === undefined ? "" : flow.peer.file])

const weights = { arrives: 0, unknown: 1, dropped: 2 } as const

/** Of flows that have one name, such as those to a port at two addresses, the worst. */
const worst = (left: Flow, right: Flow): Flow => weights[right.status] > weights[left.status] ? right : left

const livingOf = <A extends Pick<Facts, "attachments">>(facts: A): A => ({
  ...facts,
  attachments: facts.attachments.filter(({ sight }) => sight._tag === "There")
})

const ofNetwork = (network: Facts): ReadonlyArray<Flow> => {
  const facts = { ...livingOf(network), earlier: network.earlier.map(livingOf) }
  if ([facts, ...facts.earlier].every(({ attachments }) => attachments.length === 0)) return []
  const isReadable = facts.host !== undefined && Result.isSuccess(facts.host.network) &&
    Result.isSuccess(facts.host.rules)
  return Flows.of(Checks.live, facts, Check.examine(Checks.live, facts)).map((flow) =>
    flow.status === "unknown" && unproved.has(flow.kind) && isReadable ? { ...flow, status: "arrives" } : flow
  )
}

/**
 * The flows of the attachments that are alive. Others are left out, as peers too: watch does not report containers that
 * come and go.
 */
export const of = (networks: ReadonlyArray<Facts>): Judged =>
  new Map(
    Object.entries(Arr.groupBy(networks.flatMap(ofNetwork), keyOf)).map(([key, same]) => [key, same.reduce(worst)])
  )

/** The flows that arrived before and are dropped now. */
export const cuts = (before: Judged, after: Judged): ReadonlyArray<string> =>
  [...after].flatMap(([key, { status }]) => status === "dropped" && before.get(key)?.status === "arrives" ? [key] : [])

/** The flows that are dropped. */
export const dropped = (judged: Judged): ReadonlyArray<string> =>
  [...judged].flatMap(([key, { status }]) => status === "dropped" ? [key] : [])

/** What is known now: of a flow that cannot be judged any more, what was known before. */
export const known = (before: Judged, after: Judged): Judged =>
  new Map([...after].map(([key, flow]) => [key, flow.status === "unknown" ? before.get(key) ?? flow : flow]))

/** The large packets are no news where the small ones share their fate. */
const isNews = (all: ReadonlyArray<Flow>) => ({ family, kind }: Flow): boolean =>
  kind !== "world-large" || !all.some((each) => each.kind === "world" && each.family === family)

const eventOf = (flow: Flow, name: string): Event.Flow => {
  const { attachment: { containerId, ifname, network, pod }, check, reason } = flow
  return {
    network,
    containerId,
    ifname,
    ...(pod === undefined ? {} : { pod }),
    flow: name,
    ...(check === undefined ? {} : { check, reason })
  }
}

/** The display names of some of these flows. `shares` says which others have their fate. */
export const described = (
  judged: Judged,
  keys: ReadonlyArray<string>,
  shares: (key: string, flow: Flow) => boolean
): ReadonlyArray<Event.Flow> => {
  const byAttachment = Object.values(
    Arr.groupBy([...judged].map(([key, flow]) => ({ key, flow })), ({ flow }) => attachmentKeyOf(flow.attachment))
  )
  const asked = new Set(keys)
  return byAttachment.flatMap((all) => {
    const own = all.filter(({ key }) => asked.has(key)).map(({ flow }) => flow)
    const [first] = own
    if (first === undefined) return []
    const sharing = all.filter(({ flow, key }) => shares(key, flow)).map(({ flow }) => flow)
    return sharing.length === all.length
      ? [eventOf(first, "all traffic")]
      : own.filter(isNews(sharing)).map((flow) => eventOf(flow, nameOf(flow)))
  })
}
