/** Links, addresses, routes, neighbours and policy rules of a network namespace, as `ip` reports them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ToolOutput from "../exec/ToolOutput.ts"
import * as ToolJson from "../json/ToolJson.ts"
import * as Cidr from "./Cidr.ts"
import { items } from "./Iproute2.ts"
import * as Link from "./Link.ts"
import type { LinkAddress } from "./LinkAddress.ts"
import type * as NamespaceTools from "./NamespaceTools.ts"
import * as Neighbour from "./Neighbour.ts"
import * as PolicyRule from "./PolicyRule.ts"
import * as Route from "./Route.ts"

/** A network namespace. */
export interface Namespace {
  readonly links: ReadonlyArray<Link.Link>
  readonly routes: ReadonlyArray<Route.Route>
  readonly neighbours: ReadonlyArray<Neighbour.Neighbour>
  /** The routes that the kernel chose for the packets in question. */
  readonly answers: ReadonlyArray<Route.Answer>
}

/**
 * Reads what `ip -j -d -batch` prints for `addr show`, `route show table all`, `neigh show` and any number of `route
 * get`: one list a line, and nothing for a command that failed.
 */
export const parse = (output: string): Result.Result<Namespace, string> => {
  const lists = output.split("\n").filter((line) => line.trim() !== "").map(ToolJson.parse)
  const [links] = lists
  if (!Array.isArray(links)) return Result.fail("ip does not print JSON: it is too old, or not the one of iproute2")
  return Result.succeed({
    links: items(links).map(Link.parse),
    routes: items(lists[1]).flatMap(Route.parse),
    neighbours: items(lists[2]).map(Neighbour.parse),
    answers: lists.slice(3).flatMap(items).map(Route.parseAnswer)
  })
}

const batch = (netns: string | undefined, lines: ReadonlyArray<string>, isLenient: boolean) =>
  ToolOutput.of(["ip", "-j", "-d", ...(isLenient ? ["-force"] : []), "-batch", "-"], {
    stdin: lines.map((line) => `${line}\n`).join(""),
    isLenient,
    netns
  })

const everything = ["addr show", "route show table all", "neigh show"]

/** Reads the namespace at a path, or that of this process if no path is given. */
export const collect = Effect.fnUntraced(function*(netns?: string) {
  return Result.flatMap(yield* batch(netns, everything, false), parse)
})

/** A packet to ask the kernel's route for. Both addresses must be of one family. */
export interface RouteQuestion {
  readonly to: string
  readonly from: string
}

/** The question for everything in a namespace, and for the routes that the kernel chooses for these packets. */
export const question = (packets: ReadonlyArray<RouteQuestion>): NamespaceTools.Question => ({
  argv: ["ip", "-j", "-d", "-force", "-batch", "-"],
  stdin: [...everything, ...packets.map(({ from, to }) => `route get ${to} from ${from}`)]
    .map((line) => `${line}\n`).join(""),
  isLenient: true
})

/** Reads only the links of a namespace and their addresses, because it may have any number of routes. */
export const collectLinks = Effect.fnUntraced(function*(netns: string) {
  return Result.flatMap(yield* batch(netns, ["addr show"], false), parse)
})

/** A gateway to probe from inside. */
export interface Gateway {
  readonly address: string
  readonly device: string
}

/** A gateway, and whether it answered; undefined if unknown. */
export interface Probe extends Gateway {
  readonly hasAnswered: boolean | undefined
}

/** How long to wait before each check for answers, in milliseconds. On a bridge, an answer takes less than one. */
const waits = [15, 60, 250, 900]

/** Further waits if an earlier query is still unanswered: the kernel starts a new one only after that has ended. */
const patience = [250, 250, 250, 250]

const isLearnt = (states: ReadonlyArray<string>): boolean =>
  states.some((state) => ["REACHABLE", "PERMANENT", "NOARP"].includes(state))

/**
 * Probes gateways from inside a namespace as a first packet to them would: by ARP or neighbour discovery. No firewall
 * rule of iptables stops these, and the host needs no `ping`.
 */
export const probe = Effect.fnUntraced(function*(netns: string, gateways: ReadonlyArray<Gateway>, before: Namespace) {
  if (gateways.length === 0) return [] as ReadonlyArray<Probe>
  const stateOf = ({ address, device }: Gateway, neighbours: ReadonlyArray<Neighbour.Neighbour>) =>
    neighbours.find((each) => each.address === address && each.device === device)?.states ?? []
  const wasIn = (gateway: Gateway, states: ReadonlyArray<string>) =>
    stateOf(gateway, before.neighbours).some((state) => states.includes(state))
  const ask = ({ address, device }: Gateway) => `neigh replace ${address} dev ${device} use`
  const askAgain = ({ address, device }: Gateway) => `neigh change ${address} dev ${device} nud probe`
  const lines = gateways.map((each) => wasIn(each, ["STALE", "DELAY", "REACHABLE"]) ? askAgain(each) : ask(each))
  // The answer of a gateway on this host is there as soon as the question was sent.
  const first = yield* batch(netns, [...lines, "neigh show"], true)
  const told = Result.isSuccess(first) ? items(ToolJson.parse(first.success.trim())).map(Neighbour.parse) : []
  if (gateways.every((gateway) => isLearnt(stateOf(gateway, told)))) {
    return gateways.map((gateway): Probe => ({ ...gateway, hasAnswered: true })) as ReadonlyArray<Probe>
  }
  const isAsked = gateways.some((gateway) => wasIn(gateway, ["INCOMPLETE", "PROBE"]))
  let neighbours: ReadonlyArray<Neighbour.Neighbour> | undefined
  for (const wait of isAsked ? [...waits, ...patience] : waits) {
    yield* Effect.sleep(wait)
    const output = yield* batch(netns, ["neigh show"], false)
    if (Result.isFailure(output)) break
    neighbours = items(ToolJson.parse(output.success.trim())).map(Neighbour.parse)
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

/** Whether a link of a namespace has an address. */
export const hasAddress = ({ links }: Pick<Namespace, "links">, address: Cidr.Cidr): boolean =>
  links.some(({ addresses }) => addresses.some((each) => Cidr.isSameAddress(each, address)))

/** The first address of a family that a link has. */
export const addressOn = ({ links }: Namespace, device: string, family: 4 | 6): LinkAddress | undefined =>
  links.find(({ name }) => name === device)?.addresses.find((each) => each.family === family)

/** The route that an address takes: the longest prefix of the local table, or else of the main table. */
export const routeTo = ({ routes }: Namespace, address: Cidr.Cidr): Route.Route | undefined => {
  const leading = (name: string) =>
    routes.filter(({ table, to }) => table === name && Cidr.contains(to, Cidr.single(address)))
      .toSorted((left, right) => right.to.length - left.to.length || left.metric - right.metric)[0]
  return leading("local") ?? leading("main")
}

/** All policy rules of the host, in order within each family; none if `ip` fails. */
export const collectPolicyRules = Effect.fnUntraced(function*() {
  const [v4, v6] = yield* Effect.all([
    ToolOutput.of(["ip", "-j", "rule", "show"]),
    ToolOutput.of(["ip", "-j", "-6", "rule", "show"])
  ], { concurrency: "unbounded" })
  return [
    ...PolicyRule.parse(Result.getOrElse(v4, () => ""), 4),
    ...PolicyRule.parse(Result.getOrElse(v6, () => ""), 6)
  ]
})
