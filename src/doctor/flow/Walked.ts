/** The flows that doctor walks for an attachment, in words: what "no problems" covers. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Facts } from "../Facts.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"
import * as Destinations from "./Destinations.ts"

/** The flows of an attachment. */
export interface Walked {
  /** Such as `eth0 of web`. */
  readonly title: string
  /** Such as `the world by eth0 (IPv4, IPv6)`. */
  readonly flows: ReadonlyArray<string>
}

/** The ways to the world, each with its families. */
const world = (facts: Facts, routed: ReadonlyArray<Routed.Routed>): ReadonlyArray<string> => {
  const uplinks = new Map<string, Set<string>>()
  for (const one of routed) {
    if (Routed.uplinksOf(facts, one.address.family).length === 0) continue
    const uplink = Destinations.uplinkOf(facts, one)
    uplinks.set(uplink, (uplinks.get(uplink) ?? new Set()).add(`IPv${one.address.family}`))
  }
  return [...uplinks].map(([uplink, families]) => `the world by ${uplink} (${[...families].toSorted().join(", ")})`)
}

/** The flows of all attachments whose namespaces could be inspected. */
export const of = (facts: Facts): ReadonlyArray<Walked> => {
  const all = AttachedContainer.of(facts).filter(({ link }) => link !== undefined)
  const routed = Routed.of(facts)
  const isBridge = Roles.bridgeOf(facts.chain) !== undefined
  const hasPortmap = Roles.ofType(facts.chain, "portmap") !== undefined
  return all.map((seen, index) => {
    const { attachment: { netns, portMappings, probes }, maker, result, title } = seen
    const answered = probes.filter(({ hasAnswered }) => hasAnswered === true)
    const next = all[(index + 1) % all.length]
    const peers = next === undefined || next.attachment.netns === netns ? [] : AttachedContainer.addressesOf(next)
    const mapped = hasPortmap && seen.hostEnd !== undefined
      ? portMappings.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`)
      : []
    return {
      title,
      flows: [
        ...answered.map(({ address }) => `its gateway ${address}`),
        ...world(facts, routed.filter((one) => one.seen.attachment === seen.attachment)),
        ...(isBridge || maker === "ptp"
          ? peers.map((peer) => `${Cidr.addressText(peer)} ${isBridge ? "on the same bridge" : "through the host"}`)
          : []),
        ...(mapped.length === 0 ? [] : [
          `published port${mapped.length === 1 ? "" : "s"} ${
            mapped.join(", ")
          } from the world, from the host and from containers`
        ]),
        ...[...new Set(result.dns?.nameservers ?? [])].map((server) => `a route to the name server ${server}`)
      ]
    }
  })
}

/** What inspection cannot show, and links whose programs were not judged. */
export const unknown = ({ host }: Facts): ReadonlyArray<string> => {
  const links = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
  const programmed = links.filter(({ hasXdp }) => hasXdp).map(({ name }) => name)
  return [
    "whether programs answer",
    ...(programmed.length === 0 ? [] : [`what the eBPF program of ${programmed.join(", ")} (XDP) does`]),
    "what filters of tc and other eBPF programs do",
    "what is beyond the links of the host"
  ]
}
