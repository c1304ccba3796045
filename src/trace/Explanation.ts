/**
 * Why a packet went no further, where no rule that was traced dropped it: the counters of the kernel, its answers about
 * routes and neighbours, and its settings. All of this is predicted: it was asked after the packet was gone.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Iptables from "../doctor/Iptables.ts"
import * as ToolOutput from "../exec/ToolOutput.ts"
import * as ToolJson from "../json/ToolJson.ts"
import * as Cidr from "../network/Cidr.ts"
import { items, optional, texts } from "../network/Iproute2.ts"
import * as IptablesRule from "../network/IptablesRule.ts"
import type { Counters } from "./Counters.ts"
import { hasAddress, type Place } from "./TracedNamespace.ts"
import type { Packet } from "./TraceOutput.ts"

/** A cause and its evidence. */
export interface Cause {
  readonly text: string
  readonly evidence: ReadonlyArray<string>
}

/** The route that the kernel chooses, or its error: `Network is unreachable`. */
const routeOf = Effect.fnUntraced(function*({ netns }: Place, to: string, ...more: ReadonlyArray<string>) {
  const family = to.includes(":") ? ["-6"] : []
  const output = yield* ToolOutput.of(["ip", ...family, "-j", "route", "get", to, ...more], { netns })
  return Result.match(output, {
    onSuccess: (text) => {
      const [route = {}] = items(ToolJson.parse(text))
      return Result.succeed({ device: optional(route["dev"]), gateway: optional(route["gateway"]) })
    },
    onFailure: (message) => Result.fail(message.replace(/^.*RTNETLINK answers: /, "").replace(/^ip -?\S+: /, ""))
  })
})

/** A sysctl; empty if there is none. */
const sysctl = Effect.fnUntraced(function*({ netns }: Place, name: string) {
  const output = yield* ToolOutput.of(["cat", `/proc/sys/net/${name}`], { netns })
  return Result.getOrElse(output, () => "").trim()
})

const counted = ({ name }: Place, risen: Counters, ...names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.flatMap((counter) =>
    risen.has(counter) ? [`the counter ${counter} of ${name} rose by ${risen.get(counter)}`] : []
  )

/** The meaning of the kernel's errors for a route. */
const refusals: { readonly [error: string]: string } = {
  "Network is unreachable": "has no route to",
  "No route to host": "has an unreachable route to",
  "Permission denied": "prohibits traffic to",
  "Invalid argument": "has a blackhole route to"
}

const settings = (inLink: string, ...names: ReadonlyArray<string>) =>
  names.flatMap((name) => ["all", inLink].map((link) => `ipv4/conf/${link}/${name}`))

/** The filter by the reverse path, if it refuses a packet that arrives on this link. */
export const reversePath = Effect.fnUntraced(
  function*(place: Place, packet: Pick<Packet, "source" | "destination">, inLink: string, risen: Counters) {
    const { destination, source } = packet
    if (source.includes(":")) return undefined
    const values = yield* Effect.forEach(settings(inLink, "rp_filter"), (name) => sysctl(place, name))
    const mode = Math.max(...values.map(Number))
    if (!(mode > 0)) return undefined
    const back = yield* routeOf(place, source)
    const arriving = yield* routeOf(place, destination, "from", source, "iif", inLink)
    const isRefused = Result.isFailure(arriving) && /^Invalid (?:argument|cross-device)/.test(arriving.failure)
    const evidence = counted(place, risen, "TcpExtIPReversePathFilter")
    if (!isRefused && evidence.length === 0) return undefined
    const way = Result.isSuccess(back) && back.success.device !== undefined
      ? `its route back to ${source} leads by ${back.success.device}`
      : `it has no route back to ${source}`
    return {
      text: `rp_filter of ${inLink} in ${place.name} refuses it: ${way}, not by ${inLink}`,
      evidence: [...evidence, `net.ipv4.conf.{all,${inLink}}.rp_filter = ${values.join(", ")}`]
    } satisfies Cause
  }
)

/** Why a packet that arrived on a link was neither forwarded nor delivered. */
export const routing = Effect.fnUntraced(function*(place: Place, packet: Packet, inLink: string, risen: Counters) {
  const { destination, source } = packet
  const filtered = yield* reversePath(place, packet, inLink, risen)
  if (filtered !== undefined) return filtered
  const isV6 = destination.includes(":")
  const version = isV6 ? "ipv6" : "ipv4"
  const forwarding = yield* sysctl(place, `${version}/conf/${isV6 ? "all" : inLink}/forwarding`)
  if (forwarding === "0" && !hasAddress(place, destination)) {
    return {
      text: `${place.name} does not forward what arrives on ${inLink}`,
      evidence: [
        ...counted(place, risen, "IpInAddrErrors", "Ip6InAddrErrors"),
        `net.${version}.conf.${isV6 ? "all" : inLink}.forwarding = 0`
      ]
    } satisfies Cause
  }
  const route = yield* routeOf(place, destination, "from", source, "iif", inLink)
  if (Result.isFailure(route)) {
    return {
      text: `${place.name} ${refusals[route.failure] ?? "cannot route to"} ${destination}`,
      evidence: [
        ...counted(place, risen, "IpExtInNoRoutes", "Ip6InNoRoutes", "IcmpOutDestUnreachs", "Icmp6OutDestUnreachs"),
        `ip route get ${destination} from ${source} iif ${inLink}: ${route.failure}`
      ]
    } satisfies Cause
  }
  const others = [
    ["IpInHdrErrors", "its time to live is over"],
    ["IpFragFails", "it is larger than the next link takes, and must not be fragmented"],
    ["Ip6InTooBigErrors", "it is larger than the next link takes"]
  ] as const
  const other = others.find(([name]) => risen.has(name))
  return other === undefined
    ? undefined
    : { text: `${place.name} dropped it: ${other[1]}`, evidence: counted(place, risen, other[0]) } satisfies Cause
})

/** Why a packet that was routed to a link did not reach the next host: its neighbour does not answer. */
export const neighbour = Effect.fnUntraced(function*(place: Place, { destination }: Packet, outLink: string) {
  const route = yield* routeOf(place, destination, "oif", outLink)
  const next = Result.isSuccess(route) ? route.success.gateway ?? destination : destination
  const output = yield* ToolOutput.of(["ip", "-j", "neigh", "show", "to", next, "dev", outLink, "nud", "all"], {
    netns: place.netns
  })
  const states = items(ToolJson.parse(Result.getOrElse(output, () => ""))).flatMap(({ state }) => texts(state))
  if (!states.some((state) => state === "FAILED" || state === "INCOMPLETE")) return undefined
  return {
    text: `the neighbour ${next} on ${outLink} does not answer ${place.name}`,
    evidence: [`ip neigh show to ${next} dev ${outLink}: ${states.join(", ")}`]
  } satisfies Cause
})

/** Why the sender could not send at all. */
export const sending = Effect.fnUntraced(function*(place: Place, to: string, code: string) {
  const route = yield* routeOf(place, to)
  if (Result.isFailure(route)) {
    return {
      text: `${place.name} ${refusals[route.failure] ?? "cannot route to"} ${to}`,
      evidence: [`ip route get ${to}: ${route.failure}`]
    } satisfies Cause
  }
  return { text: `the kernel refused to send it: ${code}`, evidence: [] } satisfies Cause
})

/** The chains of iptables that a packet may still have met after a hook, in their order. */
const chainsAfter: { readonly [hook: string]: ReadonlyArray<readonly [table: string, chain: string]> } = {
  "": [["raw", "PREROUTING"], ["mangle", "PREROUTING"], ["raw", "OUTPUT"], ["mangle", "OUTPUT"], ["filter", "OUTPUT"]],
  ingress: [["raw", "PREROUTING"], ["mangle", "PREROUTING"], ["mangle", "FORWARD"], ["filter", "FORWARD"], [
    "filter",
    "INPUT"
  ]],
  prerouting: [["mangle", "PREROUTING"], ["mangle", "FORWARD"], ["filter", "FORWARD"], ["filter", "INPUT"]],
  forward: [["mangle", "FORWARD"], ["filter", "FORWARD"], ["mangle", "POSTROUTING"]],
  input: [["mangle", "INPUT"], ["filter", "INPUT"]],
  output: [["mangle", "OUTPUT"], ["filter", "OUTPUT"], ["mangle", "POSTROUTING"]]
}

/** The rules of iptables-legacy in a namespace, which no trace shows; undefined if there are none. */
export const legacyRules = Effect.fnUntraced(function*({ netns }: Place, family: 4 | 6) {
  const base = family === 4 ? "iptables" : "ip6tables"
  // The tool would create tables where there are none.
  const names = yield* ToolOutput.of(["cat", `/proc/self/net/${family === 4 ? "ip" : "ip6"}_tables_names`], { netns })
  if (Result.getOrElse(names, () => "").trim() === "") return undefined
  const saved = yield* ToolOutput.of([`${base}-legacy-save`], { netns })
  const tables = IptablesRule.parse(Result.getOrElse(saved, () => ""))
  const chains = [...tables.values()].flatMap((table) => [...table.values()])
  if (chains.every(({ policy, rules }) => rules.length === 0 && policy !== "DROP")) return undefined
  return { backend: "legacy", family, tables } satisfies IptablesRule.Ruleset
})

/** The rule of iptables-legacy that drops a packet after a hook, as far as we can evaluate these rules. */
export const legacy = (
  rules: IptablesRule.Ruleset,
  place: Place,
  hook: string,
  packet: Packet,
  outLink: string | undefined
): Cause | undefined => {
  const [source, destination] = [Cidr.parseAddress(packet.source), Cidr.parseAddress(packet.destination)]
  const isForHost = hasAddress(place, packet.destination)
  for (const [table, chain] of chainsAfter[hook] ?? []) {
    if ((chain === "INPUT") !== isForHost && (chain === "INPUT" || chain === "FORWARD")) continue
    const verdict = Iptables.follow(rules, table, chain, {
      family: rules.family,
      ...(source === undefined ? {} : { source }),
      ...(destination === undefined ? {} : { destination }),
      isForHost,
      ...(packet.inLink === undefined ? {} : { inLink: packet.inLink }),
      ...(outLink === undefined ? {} : { outLink }),
      protocol: packet.protocol,
      ...(packet.destinationPort === undefined ? {} : { port: packet.destinationPort }),
      state: "NEW"
    })
    if (verdict?.end !== "drop") continue
    return {
      text: `iptables-legacy drops it in the table ${table} of ${place.name}: ${verdict.rule}`,
      evidence: ["rules of iptables-legacy are not traced"]
    }
  }
  return undefined
}

/** The link that a packet would leave by. */
export const outLinkOf = (place: Place, { destination, inLink, source }: Packet) =>
  Effect.map(
    routeOf(place, destination, ...(inLink === undefined ? [] : ["from", source, "iif", inLink])),
    (route) => Result.isSuccess(route) ? route.success.device : undefined
  )

/** The address and the link that the kernel chooses for what a namespace sends itself. */
export const sourceFor = Effect.fnUntraced(function*({ netns }: Place, to: string) {
  const output = yield* ToolOutput.of(["ip", ...(to.includes(":") ? ["-6"] : []), "-j", "route", "get", to], { netns })
  const [route] = Result.isSuccess(output) ? items(ToolJson.parse(output.success)) : []
  return route === undefined ? undefined : optional(route["prefsrc"])
})
