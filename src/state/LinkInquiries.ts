/** Asks for links and what is set on them: `ip`, and `bridge` where there is one. */
import * as Json from "../json/Json.ts"
import * as FileFacts from "./FileFacts.ts"
import { about, type Inquiry } from "./Inquiry.ts"
import * as IpFacts from "./IpFacts.ts"
import type { Kind } from "./Kind.ts"
import { lines } from "./Lines.ts"
import type { Finding } from "./Snapshot.ts"

type List = ReturnType<typeof IpFacts.items>

/** Asks a tool of iproute2 for lists; `take` gets them. */
const inJson = (
  finding: Finding,
  tool: string,
  stdin: string,
  kinds: ReadonlyArray<Kind>,
  take: (first: List, second: List) => ReadonlyArray<Inquiry>
): Inquiry => ({
  argv: [tool, "-j", "-d", "-batch", "-"],
  stdin,
  kinds,
  take: (answer) => {
    const [first, second = []] = lines(answer).map(Json.parse)
    if (Array.isArray(first)) return take(IpFacts.items(first), IpFacts.items(second))
    finding.fail(kinds, `${tool} does not print JSON: iproute2 is too old`)
    return []
  }
})

const bridge = (finding: Finding, links: List): Inquiry =>
  inJson(
    finding,
    "bridge",
    `fdb show\n${links.some(IpFacts.filtersVlans) ? "vlan show\n" : ""}`,
    ["bridge"],
    (forwarding, vlans) => {
      finding.add("bridge", [...IpFacts.forwarding(forwarding, links), ...IpFacts.vlans(vlans, links)])
      return []
    }
  )

const sysctls = (finding: Finding, links: ReadonlyArray<string>): Inquiry =>
  about(
    finding,
    "sysctls",
    ["grep", "-rHs", "--exclude-dir=conf", "--exclude-dir=neigh", "", ...FileFacts.sysctlFolders(links)],
    FileFacts.sysctls,
    true // some can only be written
  )

const ofLinks: ReadonlyArray<Kind> = ["links", "addresses", "bridge", "sysctls"]

const links = (finding: Finding, isHost: boolean): Inquiry =>
  inJson(finding, "ip", "addr show\n", ofLinks, (links) => {
    finding.add("links", IpFacts.links(links))
    finding.add("addresses", IpFacts.addresses(links))
    // A host may have thousands of veth links, with 140 files each.
    const read = links.filter((link) => !isHost || !IpFacts.isOfKind(link, /^veth$/)).map(IpFacts.nameOf)
    const forwards = links.some((link) => IpFacts.isOfKind(link, /^(?:bridge|vxlan)$/))
    return [
      ...(finding.wants("bridge") && forwards ? [bridge(finding, links)] : []),
      ...(finding.wants("sysctls") ? [sysctls(finding, read)] : [])
    ]
  })

const onLinks: ReadonlyArray<Kind> = ["routes", "rules", "neighbours"]

const routing = (finding: Finding, family: "ip" | "ip6"): Inquiry => ({
  argv: ["ip", "-o", family === "ip" ? "-4" : "-6", "-batch", "-"],
  stdin: "route show table all\nrule show\nneigh show\nneigh show proxy\n",
  isLenient: family === "ip6", // a kernel without IPv6 has none
  kinds: onLinks,
  take: (answer) => {
    const facts = IpFacts.routing(family, answer)
    for (const kind of ["rules", "neighbours", "routes"] as const) finding.add(kind, facts[kind])
    return []
  }
})

/** Asks for links, addresses, routes, rules, neighbours, what bridges forward, and sysctls, as links have their own. */
export const all = (finding: Finding, isHost: boolean): ReadonlyArray<Inquiry> => [
  ...(finding.wants(...ofLinks) ? [links(finding, isHost)] : []),
  ...(finding.wants(...onLinks) ? [routing(finding, "ip"), routing(finding, "ip6")] : [])
]
