/** Links, addresses, routes and neighbours of a network namespace, as `ip` tells them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Json from "../../json/Json.ts"
import * as ToolJson from "../../json/ToolJson.ts"
import * as Cidr from "../Cidr.ts"
import * as Tool from "./Tool.ts"

/** An address of a link. */
export interface LinkAddress extends Cidr.Cidr {
  readonly text: string
  /** Whether another host has it too, so that it is not used: duplicate address detection of IPv6. */
  readonly isDuplicate: boolean
  /** Whether it is not used yet, because that detection has not ended. */
  readonly isTentative: boolean
}

/** How a bridge treats one of its ports. */
export interface BridgePort {
  /** Whether frames may leave by the port that they came in by. */
  readonly isHairpin: boolean
  /** Whether it exchanges no frames with other isolated ports. */
  readonly isIsolated: boolean
  /** Whether it takes only frames of MAC addresses that the bridge knows there. */
  readonly isLocked: boolean
}

/** A link. */
export interface Link {
  readonly index: number
  /** The index of the other end of a pair, or of the link that it stands on, where that is in another namespace: in that. */
  readonly peer: number | undefined
  /** The name of the other end of a pair, or of the link that it stands on, where that is in the same namespace. */
  readonly peerHere: string | undefined
  readonly name: string
  readonly isUp: boolean
  /** Whether it asks for addresses of neighbours and answers them, by ARP or neighbour discovery. */
  readonly hasArp: boolean
  /** Whether it has a carrier: the other end is up too. */
  readonly hasCarrier: boolean
  readonly state: string
  readonly mtu: number
  readonly mac: string
  /** The bridge that it is a port of. */
  readonly master: string | undefined
  /** `veth`, `bridge`, `macvlan`, …; empty for a device. */
  readonly kind: string
  /** Where a tunnel (VXLAN, Geneve) receives: its UDP port, family and link below; undefined for other links. */
  readonly tunnel: { readonly port: number; readonly family: 4 | 6; readonly below: string | undefined } | undefined
  /** What a bridge does with it as a port: `forwarding`, `disabled`, …. */
  readonly portState: string | undefined
  /** What a bridge does with it as a port, apart from its state; undefined if it is no port. */
  readonly port: BridgePort | undefined
  /** Whether a bridge shows its frames to iptables and ip6tables, whatever the sysctls of the host say. */
  readonly filters: { readonly 4: boolean; readonly 6: boolean }
  /** The queueing discipline at its root, such as `noqueue` or `tbf`. */
  readonly queue: string
  readonly addresses: ReadonlyArray<LinkAddress>
}

/** A route. */
export interface Route {
  readonly to: Cidr.Cidr
  readonly gateway: string | undefined
  readonly device: string | undefined
  readonly table: string
  /** `unicast`, `local`, `blackhole`, …. */
  readonly type: string
  /** `kernel` for those of its own addresses. */
  readonly protocol: string
  readonly metric: number
  /** Whether its link has no carrier. */
  readonly isLinkDown: boolean
}

/** A route that the kernel itself chose for a packet. */
export interface Answer {
  readonly to: string
  readonly from: string
  readonly device: string | undefined
  readonly table: string
}

/** What is known of how to reach a neighbour. */
export interface Neighbour {
  readonly address: string
  readonly device: string
  /** Its MAC address; empty while that is not known. */
  readonly mac: string
  /** `REACHABLE`, `FAILED`, …. */
  readonly states: ReadonlyArray<string>
}

/** A network namespace. */
export interface Namespace {
  readonly links: ReadonlyArray<Link>
  readonly routes: ReadonlyArray<Route>
  readonly neighbours: ReadonlyArray<Neighbour>
  /** The kernel's own choices for packets that somebody asked about. */
  readonly answers: ReadonlyArray<Answer>
}

const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : []
const text = (value: unknown): string => typeof value === "string" ? value : ""
const optional = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
const objects = (value: unknown): ReadonlyArray<Json.JsonObject> =>
  Array.isArray(value) ? value.filter(Json.isObject) : []
const member = (value: unknown, name: string): unknown => Json.isObject(value) ? value[name] : undefined

const addressOf = (info: Json.JsonObject): ReadonlyArray<LinkAddress> => {
  const cidr = Cidr.parse(`${text(info["local"])}/${Number(info["prefixlen"])}`)
  return cidr === undefined ? [] : [{
    ...cidr,
    text: `${text(info["local"])}/${cidr.length}`,
    isDuplicate: info["dadfailed"] === true,
    isTentative: info["tentative"] === true
  }]
}

const tunnelOf = (info: unknown): Link["tunnel"] => {
  const data = member(info, "info_data")
  const { link, port, ...others } = Json.isObject(data) ? data : {}
  const family = ["local6", "remote6", "group6"].some((name) => name in others) ? 6 : 4
  const kind = member(info, "info_kind")
  return (kind === "vxlan" || kind === "geneve") && typeof port === "number" && port > 0
    ? { port, family, below: optional(link) }
    : undefined
}

const portOf = (info: unknown): BridgePort | undefined =>
  member(info, "info_slave_kind") === "bridge"
    ? {
      isHairpin: member(member(info, "info_slave_data"), "hairpin") === true,
      isIsolated: member(member(info, "info_slave_data"), "isolated") === true,
      isLocked: member(member(info, "info_slave_data"), "locked") === true
    }
    : undefined

const linkOf = (link: Json.JsonObject): Link => {
  const flags = texts(link["flags"])
  const info = link["linkinfo"]
  return {
    index: Number(link["ifindex"]),
    peer: typeof link["link_index"] === "number" ? link["link_index"] : undefined,
    peerHere: optional(link["link"]),
    name: text(link["ifname"]),
    isUp: flags.includes("UP"),
    hasArp: !flags.includes("NOARP"),
    hasCarrier: flags.includes("LOWER_UP"),
    state: text(link["operstate"]),
    mtu: Number(link["mtu"]),
    mac: text(link["address"]),
    master: optional(link["master"]),
    kind: text(member(info, "info_kind")),
    tunnel: tunnelOf(info),
    portState: optional(member(member(info, "info_slave_data"), "state")),
    port: portOf(info),
    filters: {
      4: member(member(info, "info_data"), "nf_call_iptables") === 1,
      6: member(member(info, "info_data"), "nf_call_ip6tables") === 1
    },
    queue: text(link["qdisc"]),
    addresses: objects(link["addr_info"]).flatMap(addressOf)
  }
}

const routesOf = (route: Json.JsonObject): ReadonlyArray<Route> => {
  const destination = text(route["dst"])
  const isV6 = destination.includes(":") || "pref" in route
  const everywhere = isV6 ? "::/0" : "0.0.0.0/0"
  const single = destination.includes("/") ? destination : `${destination}/${isV6 ? 128 : 32}`
  const to = Cidr.parse(destination === "default" ? everywhere : single)
  if (to === undefined) return []
  const hops = objects(route["nexthops"])
  return (hops.length === 0 ? [route] : hops).map((hop) => ({
    to,
    gateway: optional(hop["gateway"]) ?? optional(member(hop["via"], "host")),
    device: optional(hop["dev"]),
    table: text(route["table"]) || "main",
    type: text(route["type"]) || "unicast",
    protocol: text(route["protocol"]),
    metric: Number(route["metric"] ?? 0),
    isLinkDown: [...texts(route["flags"]), ...texts(hop["flags"])].includes("linkdown")
  }))
}

const neighbourOf = (neighbour: Json.JsonObject): Neighbour => ({
  address: text(neighbour["dst"]),
  device: text(neighbour["dev"]),
  mac: text(neighbour["lladdr"]),
  states: texts(neighbour["state"])
})

const answerOf = (answer: Json.JsonObject): Answer => ({
  to: text(answer["dst"]),
  from: text(answer["from"]),
  device: optional(answer["dev"]),
  table: text(answer["table"]) || "main"
})

/**
 * Reads what `ip -j -d -batch` prints for `addr show`, `route show table all`, `neigh show` and any number of
 * `route get`: a list a line, and nothing for what failed.
 */
export const parse = (output: string): Result.Result<Namespace, string> => {
  const lists = output.split("\n").filter((line) => line.trim() !== "").map(ToolJson.parse)
  const [links] = lists
  if (!Array.isArray(links)) return Result.fail("ip does not print JSON: it is too old, or not the one of iproute2")
  return Result.succeed({
    links: objects(links).map(linkOf),
    routes: objects(lists[1]).flatMap(routesOf),
    neighbours: objects(lists[2]).map(neighbourOf),
    answers: lists.slice(3).flatMap(objects).map(answerOf)
  })
}

const batch = (netns: string | undefined, lines: ReadonlyArray<string>, isLenient: boolean) =>
  Tool.output(["ip", "-j", "-d", ...(isLenient ? ["-force"] : []), "-batch", "-"], {
    stdin: lines.map((line) => `${line}\n`).join(""),
    isLenient,
    netns
  })

const everything = ["addr show", "route show table all", "neigh show"]

/** Looks at the namespace of a path; at the one of this process where there is none. */
export const collect = Effect.fnUntraced(function*(netns?: string) {
  return Result.flatMap(yield* batch(netns, everything, false), parse)
})

/** A packet whose route the kernel is asked for. Both have to be addresses of one family. */
export interface RouteQuestion {
  readonly to: string
  readonly from: string
}

/** The same, with the kernel's choices for these packets, in one process. */
export const collectWith = Effect.fnUntraced(function*(netns: string, questions: ReadonlyArray<RouteQuestion>) {
  const asked = questions.map(({ from, to }) => `route get ${to} from ${from}`)
  const output = yield* batch(netns, [...everything, ...asked], true)
  const known = Result.flatMap(output, parse)
  // With -force a failure to enter the namespace is no failure: the reason is in the answer to a strict question.
  return Result.isSuccess(known) || questions.length === 0 ? known : yield* collect(netns)
})

/** Reads only the links of a namespace and their addresses, because it may have any number of routes. */
export const collectLinks = Effect.fnUntraced(function*(netns: string) {
  return Result.flatMap(yield* batch(netns, ["addr show"], false), parse)
})

/** A gateway that is asked for from inside. */
export interface Gateway {
  readonly address: string
  readonly device: string
}

/** Whether a gateway answered; undefined where that cannot be told. */
export interface Probe extends Gateway {
  readonly hasAnswered: boolean | undefined
}

/** How long to wait before each look for answers, in milliseconds. They take less than one on a bridge. */
const waits = [15, 60, 250, 900]

/** How much longer where somebody has asked in vain just before: the kernel asks anew only when that has ended. */
const patience = [250, 250, 250, 250]

const isLearnt = (states: ReadonlyArray<string>): boolean =>
  states.some((state) => ["REACHABLE", "PERMANENT", "NOARP"].includes(state))

/**
 * Asks for gateways from inside a namespace, as its first packet to them would: by ARP or neighbour discovery, which
 * no firewall rule of iptables stops, and which needs no `ping` on the host.
 */
export const probe = Effect.fnUntraced(function*(netns: string, gateways: ReadonlyArray<Gateway>, before: Namespace) {
  if (gateways.length === 0) return [] as ReadonlyArray<Probe>
  const stateOf = ({ address, device }: Gateway, neighbours: ReadonlyArray<Neighbour>) =>
    neighbours.find((each) => each.address === address && each.device === device)?.states ?? []
  const wasIn = (gateway: Gateway, states: ReadonlyArray<string>) =>
    stateOf(gateway, before.neighbours).some((state) => states.includes(state))
  const ask = ({ address, device }: Gateway) => `neigh replace ${address} dev ${device} use`
  const askAgain = ({ address, device }: Gateway) => `neigh change ${address} dev ${device} nud probe`
  const lines = gateways.map((each) => wasIn(each, ["STALE", "DELAY", "REACHABLE"]) ? askAgain(each) : ask(each))
  yield* batch(netns, lines, true)
  const isAsked = gateways.some((gateway) => wasIn(gateway, ["INCOMPLETE", "PROBE"]))
  let neighbours: ReadonlyArray<Neighbour> | undefined
  for (const wait of isAsked ? [...waits, ...patience] : waits) {
    yield* Effect.sleep(wait)
    const output = yield* batch(netns, ["neigh show"], false)
    if (Result.isFailure(output)) break
    neighbours = objects(ToolJson.parse(output.success.trim())).map(neighbourOf)
    const now = neighbours
    if (gateways.every((gateway) => isLearnt(stateOf(gateway, now)))) break
    const ended = gateways.filter((gateway) => stateOf(gateway, now).includes("FAILED"))
    if (ended.length > 0) yield* batch(netns, ended.map(ask), true)
  }
  return gateways.map((gateway): Probe => ({
    ...gateway,
    hasAnswered: neighbours === undefined ? undefined : isLearnt(stateOf(gateway, neighbours))
  })) as ReadonlyArray<Probe>
})

/** The route that an address takes: the longest prefix of the main table. */
export const routeTo = ({ routes }: Namespace, address: Cidr.Cidr): Route | undefined =>
  routes.filter(({ table, to }) => (table === "main" || table === "local") && Cidr.contains(to, Cidr.single(address)))
    .toSorted((left, right) => right.to.length - left.to.length)[0]
