/** Asks for links and what is set on them: `ip`, and `bridge` where there is one. */
import * as ToolJson from "../json/ToolJson.ts"
import { about, type Inquiry } from "./Inquiry.ts"
import * as IpFacts from "./IpFacts.ts"
import type { Finding } from "./Snapshot.ts"
import type { Kind } from "./StateKind.ts"
import * as Sysctls from "./Sysctls.ts"

type List = ReturnType<typeof IpFacts.items>

/** Asks a tool of iproute2 for a list; `take` gets it. */
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
    if (Array.isArray(list)) return take(IpFacts.items(list))
    finding.fail(kinds, `${tool} does not print JSON: iproute2 is too old`)
    return []
  }
})

/** Asks what bridges forward, or which VLANs they let through. */
const bridge = (finding: Finding, what: "fdb" | "vlan", factsIn: (list: List) => ReadonlyArray<string>): Inquiry =>
  inJson(finding, ["bridge", what], ["bridge"], (list) => {
    finding.add("bridge", factsIn(list))
    return []
  })

const bridges = (finding: Finding, links: List): ReadonlyArray<Inquiry> => [
  ...(links.some((link) => IpFacts.isOfKind(link, /^(?:bridge|vxlan)$/))
    ? [bridge(finding, "fdb", (list) => IpFacts.forwarding(list, links))]
    : []),
  ...(links.some(IpFacts.filtersVlans) ? [bridge(finding, "vlan", (list) => IpFacts.vlans(list, links))] : [])
]

const sysctls = (finding: Finding, words: ReadonlyArray<string>): Inquiry =>
  about(finding, "sysctls", ["grep", "-rHs", ...words], Sysctls.facts, true) // some can only be written

/**
 * Of how many links of the host the sysctls are read, which are 140 files for each. It may have thousands of links, nearly
 * all of them of type veth, whose sysctls are not read.
 */
const most = 256

const ofLinks: ReadonlyArray<Kind> = ["links", "addresses", "bridge"]

const links = (finding: Finding, isHost: boolean): Inquiry =>
  inJson(finding, ["ip", "addr"], isHost ? [...ofLinks, "sysctls"] : ofLinks, (links) => {
    finding.add("links", IpFacts.links(links))
    finding.add("addresses", IpFacts.addresses(links))
    const own = links.filter((link) => !IpFacts.isOfKind(link, /^veth$/)).slice(0, most).map(IpFacts.nameOf)
    return [
      ...(finding.wants("bridge") ? bridges(finding, links) : []),
      ...(isHost && finding.wants("sysctls") ? [sysctls(finding, Sysctls.ofLinks(own))] : [])
    ]
  })

const onLinks: ReadonlyArray<Kind> = ["routes", "rules", "neighbours"]

const routing = (finding: Finding, family: "ip" | "ip6"): Inquiry => ({
  argv: ["ip", "-o", family === "ip" ? "-4" : "-6", "-batch", "-"],
  stdin: "route show table all\nrule show\nneigh show\nneigh show proxy\n",
  kinds: onLinks,
  take: (answer) => {
    const facts = IpFacts.routing(family, answer)
    for (const kind of ["rules", "neighbours", "routes"] as const) finding.add(kind, facts[kind])
    return []
  }
})

/** Asks for links, addresses, routes, rules, neighbours, what bridges forward, and sysctls, as links have their own. */
export const all = (finding: Finding, isHost: boolean): ReadonlyArray<Inquiry> => [
  ...(finding.wants(...ofLinks) || (isHost && finding.wants("sysctls")) ? [links(finding, isHost)] : []),
  ...(!isHost && finding.wants("sysctls") ? [sysctls(finding, Sysctls.all)] : []),
  ...(finding.wants(...onLinks) ? [routing(finding, "ip"), routing(finding, "ip6")] : [])
]
