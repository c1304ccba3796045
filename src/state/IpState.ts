/** Looks at links and what is set on them: with `ip`, and with `bridge` where there is one. */
import * as Effect from "effect/Effect"
import * as Json from "../json/Json.ts"
import * as FileFacts from "./FileFacts.ts"
import * as IpFacts from "./IpFacts.ts"
import type { Finding } from "./Snapshot.ts"
import { type Ask, NoAnswer } from "./Tool.ts"

/** What each of the commands of a batch printed, a line for each; a problem where that is not JSON. */
const batch = Effect.fnUntraced(function*(ask: Ask, tool: string, commands: ReadonlyArray<string>) {
  const answer = yield* ask([tool, "-j", "-d", "-batch", "-"], { stdin: `${commands.join("\n")}\n` })
  if (answer instanceof NoAnswer) return answer
  const lists = answer.split("\n").filter((line) => line.trim() !== "").map(Json.parse)
  return lists.includes(undefined) || lists.length > commands.length
    ? new NoAnswer(`${tool} did not print JSON: iproute2 is too old`)
    : lists.map(IpFacts.items)
})

const bridge = Effect.fnUntraced(function*(ask: Ask, finding: Finding, links: Links) {
  const hasVlans = links.some(IpFacts.filtersVlans)
  const lists = yield* batch(ask, "bridge", ["fdb show", ...(hasVlans ? ["vlan show"] : [])])
  if (lists instanceof NoAnswer) return finding.fail(["bridge"], lists.problem)
  const [forwarding = [], vlans = []] = lists
  finding.add("bridge", [...IpFacts.forwarding(forwarding, links), ...IpFacts.vlans(vlans, links)])
})

type Links = ReturnType<typeof IpFacts.items>

const sysctls = Effect.fnUntraced(function*(ask: Ask, finding: Finding, links: Links, isHost: boolean) {
  // A host may have thousands of veth links, with 140 files each.
  const names = links.filter((link) => !isHost || IpFacts.kindOf(link) !== "veth").map(IpFacts.nameOf)
  const answer = yield* ask(
    ["grep", "-rHsZ", "--exclude-dir=conf", "--exclude-dir=neigh", "", ...FileFacts.sysctlFolders(names)],
    { isLenient: true } // some can only be written
  )
  if (answer instanceof NoAnswer) finding.fail(["sysctls"], answer.problem)
  else finding.add("sysctls", FileFacts.sysctls(answer))
})

const links = Effect.fnUntraced(function*(ask: Ask, finding: Finding, isHost: boolean) {
  if (!finding.wants("links", "addresses", "neighbours", "bridge", "sysctls")) return
  const lists = yield* batch(ask, "ip", ["addr show", "neigh show", "neigh show proxy"])
  if (lists instanceof NoAnswer) {
    return finding.fail(["links", "addresses", "neighbours", "bridge", "sysctls"], lists.problem)
  }
  const [links = [], ...neighbours] = lists
  finding.add("links", IpFacts.links(links))
  finding.add("addresses", IpFacts.addresses(links))
  finding.add("neighbours", IpFacts.neighbours(neighbours.flat()))
  const forwards = links.some((link) => /^(?:bridge|vxlan)$/.test(String(IpFacts.kindOf(link))))
  yield* Effect.all([
    finding.wants("bridge") && forwards ? bridge(ask, finding, links) : Effect.void,
    finding.wants("sysctls") ? sysctls(ask, finding, links, isHost) : Effect.void
  ], { concurrency: "unbounded" })
})

const routing = Effect.fnUntraced(function*(ask: Ask, finding: Finding, family: "ip" | "ip6") {
  if (!finding.wants("routes", "rules")) return
  const option = family === "ip" ? "-4" : "-6"
  const answer = yield* ask(["ip", "-o", option, "-batch", "-"], {
    stdin: "route show table all\nrule show\n",
    isLenient: family === "ip6" // a kernel without IPv6 has none
  })
  if (answer instanceof NoAnswer) return finding.fail(["routes", "rules"], answer.problem)
  const { routes, rules } = IpFacts.routing(family, answer)
  finding.add("routes", routes)
  finding.add("rules", rules)
})

/** Finds links, addresses, routes, rules, neighbours, what bridges forward, and sysctls, as those of links depend on them. */
export const look = (ask: Ask, finding: Finding, isHost: boolean) =>
  Effect.all([links(ask, finding, isHost), routing(ask, finding, "ip"), routing(ask, finding, "ip6")], {
    concurrency: "unbounded"
  })
