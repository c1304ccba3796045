/** Asks for links and what is set on them: `ip`, and `bridge` where there is one. */
import * as Json from "../json/Json.ts"
import * as FileFacts from "./FileFacts.ts"
import type { Inquiry } from "./Inquiry.ts"
import * as IpFacts from "./IpFacts.ts"
import type { Kind } from "./Kind.ts"
import type { Finding } from "./Snapshot.ts"

type List = ReturnType<typeof IpFacts.items>

/** Asks a tool of iproute2 several things at once; `take` gets a list for each. */
const batch = (
  finding: Finding,
  tool: string,
  commands: ReadonlyArray<string>,
  kinds: ReadonlyArray<Kind>,
  take: (lists: ReadonlyArray<List>) => ReadonlyArray<Inquiry>
): Inquiry => ({
  argv: [tool, "-j", "-d", "-batch", "-"],
  stdin: `${commands.join("\n")}\n`,
  kinds,
  take: (answer) => {
    const lists = answer.split("\n").filter((line) => line.trim() !== "").map(Json.parse)
    if (!lists.includes(undefined)) return take(lists.map(IpFacts.items))
    finding.fail(kinds, `${tool} does not print JSON: iproute2 is too old`)
    return []
  }
})

const bridge = (finding: Finding, links: List): Inquiry => {
  const commands = ["fdb show", ...(links.some(IpFacts.filtersVlans) ? ["vlan show"] : [])]
  return batch(finding, "bridge", commands, ["bridge"], ([forwarding = [], vlans = []]) => {
    finding.add("bridge", [...IpFacts.forwarding(forwarding, links), ...IpFacts.vlans(vlans, links)])
    return []
  })
}

const isBridge = (link: List[number]): boolean => /^(?:bridge|vxlan)$/.test(String(IpFacts.kindOf(link)))

const sysctls = (finding: Finding, links: ReadonlyArray<string>): Inquiry => ({
  argv: ["grep", "-rHs", "--exclude-dir=conf", "--exclude-dir=neigh", "", ...FileFacts.sysctlFolders(links)],
  isLenient: true, // some can only be written
  kinds: ["sysctls"],
  take: (answer) => {
    finding.add("sysctls", FileFacts.sysctls(answer))
    return []
  }
})

const links = (finding: Finding, isHost: boolean): ReadonlyArray<Inquiry> => {
  const kinds: ReadonlyArray<Kind> = ["links", "addresses", "neighbours", "bridge", "sysctls"]
  if (!finding.wants(...kinds)) return []
  const commands = ["addr show", "neigh show", "neigh show proxy"]
  return [batch(finding, "ip", commands, kinds, ([links = [], ...neighbours]) => {
    finding.add("links", IpFacts.links(links))
    finding.add("addresses", IpFacts.addresses(links))
    finding.add("neighbours", IpFacts.neighbours(neighbours.flat()))
    // A host may have thousands of veth links, with 140 files each.
    const read = links.filter((link) => !isHost || IpFacts.kindOf(link) !== "veth").map(IpFacts.nameOf)
    return [
      ...(finding.wants("bridge") && links.some(isBridge) ? [bridge(finding, links)] : []),
      ...(finding.wants("sysctls") ? [sysctls(finding, read)] : [])
    ]
  })]
}

const routing = (finding: Finding, family: "ip" | "ip6"): Inquiry => ({
  argv: ["ip", "-o", family === "ip" ? "-4" : "-6", "-batch", "-"],
  stdin: "route show table all\nrule show\n",
  isLenient: family === "ip6", // a kernel without IPv6 has none
  kinds: ["routes", "rules"],
  take: (answer) => {
    const { routes, rules } = IpFacts.routing(family, answer)
    finding.add("routes", routes)
    finding.add("rules", rules)
    return []
  }
})

/** Asks for links, addresses, routes, rules, neighbours, what bridges forward, and sysctls, as links have their own. */
export const all = (finding: Finding, isHost: boolean): ReadonlyArray<Inquiry> => [
  ...links(finding, isHost),
  ...(finding.wants("routes", "rules") ? [routing(finding, "ip"), routing(finding, "ip6")] : [])
]
