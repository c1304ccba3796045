/** Asks `ip` for links and their settings, and `bridge` for those of bridges, if there are any. */
import * as ToolJson from "../json/ToolJson.ts"
import * as BridgePort from "./BridgePort.ts"
import { about, type Inquiry } from "./Inquiry.ts"
import { type Item, items } from "./Iproute2.ts"
import { linesOf } from "./Line.ts"
import * as Link from "./Link.ts"
import * as LinkAddress from "./LinkAddress.ts"
import * as Neighbour from "./Neighbour.ts"
import * as PolicyRule from "./PolicyRule.ts"
import * as Route from "./Route.ts"
import type { Finding } from "./Snapshot.ts"
import type { Kind } from "./StateKind.ts"
import * as Sysctl from "./Sysctl.ts"

type List = ReadonlyArray<Item>

/** Asks a tool of iproute2 for a list, and passes it to `take`. */
const inJson = (
  finding: Finding,
  [tool, ...words]: Inquiry["argv"],
  kinds: ReadonlyArray<Kind>,
  take: (list: List) => ReadonlyArray<Inquiry>
): Inquiry => ({
  argv: [tool, "-j", "-d", ...words, "show"],
  kinds,
  take: (answer) => {
    const list = ToolJson.parse(answer.trim() || "[]")
    if (Array.isArray(list)) return take(items(list))
    finding.fail(kinds, `${tool} does not print JSON: iproute2 is too old`)
    return []
  }
})

/** Asks for the forwarding entries or the VLANs of bridges. */
const bridge = (finding: Finding, what: "fdb" | "vlan", factsIn: (list: List) => ReadonlyArray<string>): Inquiry =>
  inJson(finding, ["bridge", what], ["bridge"], (list) => {
    finding.add("bridge", factsIn(list))
    return []
  })

const bridges = (finding: Finding, links: List): ReadonlyArray<Inquiry> => [
  ...(links.some((link) => Link.isOfKind(link, /^(?:bridge|vxlan)$/))
    ? [bridge(finding, "fdb", (list) => BridgePort.forwarding(list, links))]
    : []),
  ...(links.some(Link.filtersVlans) ? [bridge(finding, "vlan", (list) => BridgePort.vlans(list, links))] : [])
]

const sysctls = (finding: Finding, words: ReadonlyArray<string>): Inquiry =>
  about(finding, "sysctls", ["grep", "-rHs", ...words], Sysctl.lines, true) // some are write-only

/**
 * How many of the host's links to read sysctls of: each has 140 files. A host may have thousands of links. Nearly all
 * are of type veth, whose sysctls are not read.
 */
const most = 256

const ofLinks: ReadonlyArray<Kind> = ["links", "addresses", "bridge"]

const links = (finding: Finding, isHost: boolean): Inquiry =>
  inJson(finding, ["ip", "addr"], isHost ? [...ofLinks, "sysctls"] : ofLinks, (links) => {
    finding.add("links", links.map(Link.line))
    finding.add("addresses", LinkAddress.lines(links))
    const own = links.filter((link) => !Link.isOfKind(link, /^veth$/)).slice(0, most).map(Link.nameOf)
    return [
      ...(finding.wants("bridge") ? bridges(finding, links) : []),
      ...(isHost && finding.wants("sysctls") ? [sysctls(finding, Sysctl.ofLinks(own))] : [])
    ]
  })

const onLinks: ReadonlyArray<Kind> = ["routes", "rules", "neighbours"]

/** Attributes that change by themselves, or carry no information. */
const asideOf =
  / (?:\[detached\]|expires \d+sec|error -?\d+|pref medium|nhid \d+|weight 1|linkdown|dead|offload|trap|rt_\w+)(?= |$)/g

/** The lines of a family's rules, neighbours and routes, from the output of `ip -o`, which prints one a line. */
export const routing = (family: string, text: string) => {
  const found = { rules: new Array<string>(), neighbours: new Array<string>(), routes: new Array<string>() }
  for (const printed of linesOf(text)) {
    const line = printed.replace(/[\s\\]+/g, " ").trim().replace(/ extern_learn .*/, " extern_learn").replace(
      asideOf,
      ""
    )
    if (PolicyRule.isRule(printed)) found.rules.push(PolicyRule.line(family, line))
    else if (Route.isSet(line) && !Neighbour.isLearned(line)) {
      if (Neighbour.isSet(line)) found.neighbours.push(line)
      else found.routes.push(Route.line(family, line))
    }
  }
  return found
}

const inquireRouting = (finding: Finding, family: "ip" | "ip6"): Inquiry => ({
  argv: ["ip", "-o", family === "ip" ? "-4" : "-6", "-batch", "-"],
  stdin: "route show table all\nrule show\nneigh show\nneigh show proxy\n",
  kinds: onLinks,
  take: (answer) => {
    const found = routing(family, answer)
    for (const kind of ["rules", "neighbours", "routes"] as const) finding.add(kind, found[kind])
    return []
  }
})

/**
 * Asks for links, addresses, routes, rules, neighbours, forwarding entries of bridges, and sysctls, which each link has
 * too.
 */
export const all = (finding: Finding, isHost: boolean): ReadonlyArray<Inquiry> => [
  ...(finding.wants(...ofLinks) || (isHost && finding.wants("sysctls")) ? [links(finding, isHost)] : []),
  ...(!isHost && finding.wants("sysctls") ? [sysctls(finding, Sysctl.all)] : []),
  ...(finding.wants(...onLinks) ? [inquireRouting(finding, "ip"), inquireRouting(finding, "ip6")] : [])
]
