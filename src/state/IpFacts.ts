/** Facts out of what `ip` and `bridge` print. */
import * as Json from "../json/Json.ts"
import { lines } from "./Lines.ts"

/** A link, an address, … as a tool prints it in JSON. */
type Item = Json.JsonObject

/** The objects of a list. */
export const items = (value: unknown): ReadonlyArray<Item> => Array.isArray(value) ? value.filter(Json.isObject) : []

const member = (value: unknown, name: string): unknown => Json.isObject(value) ? value[name] : undefined

const words = (...parts: ReadonlyArray<string | false>): string => parts.filter(Boolean).join(" ")

/** A word and its value; nothing where there is no value, or where it is as usual. */
const pair = (word: string, value: unknown, usual?: unknown): string =>
  value === undefined || value === "" || value === usual ? "" : `${word} ${String(value)}`

/** Several members of an item, each with its name. Nothing is told of those that are 0. */
const pairs = (item: unknown, names: string): string =>
  words(...names.split(" ").map((name) => pair(name, member(item, name), 0)))

/** Those of several words for which something holds. */
const those = (names: string, holds: (name: string) => boolean): string => names.split(" ").filter(holds).join(" ")

const hasFlag = (item: Item) => (flag: string): boolean => {
  const flags = item["flags"]
  return Array.isArray(flags) && flags.includes(flag)
}

const infoOf = (link: Item, name: string): unknown => member(link["linkinfo"], `info_${name}`)

/** Whether a link is of one of these kinds. */
export const isOfKind = (link: Item, kinds: RegExp): boolean => kinds.test(String(infoOf(link, "kind")))

export const nameOf = (link: Item): string => String(link["ifname"])

/** Flags of a bridge's port that are usually off, and those that are usually on. */
const portFlags = { true: "hairpin isolated guard neigh_suppress", false: "learning flood mcast_flood" }

const link = (link: Item): string => {
  const port = infoOf(link, "slave_data")
  const type = String(infoOf(link, "kind") ?? link["link_type"])
  const differing = (value: boolean) => those(portFlags[`${value}`], (name) => member(port, name) === value)
  return words(
    nameOf(link),
    type,
    hasFlag(link)("UP") ? "up" : "down",
    pairs(link, "mtu"),
    pair("qlen", link["txqlen"], 1000),
    type !== "loopback" && pair("mac", link["address"]),
    type !== "veth" && pairs(link, "link"),
    pairs(link, "master"),
    pairs(infoOf(link, "data"), "type mode id local remote group port table vlan_filtering stp_state"),
    differing(true).replace(/\w+/g, "$& on"),
    differing(false).replace(/\w+/g, "$& off"),
    those("NOARP ALLMULTI PROMISC", hasFlag(link)).toLowerCase(),
    // What the kernel gives a link by itself when it comes up.
    pairs(link, "qdisc").replace(/^qdisc (?:noop|noqueue|mq|pfifo_fast|fq_codel|fq)$/, ""),
    pair("alias", link["ifalias"] && JSON.stringify(link["ifalias"]))
  )
}

/** Facts of links. */
export const links = (all: ReadonlyArray<Item>): ReadonlyArray<string> => all.map(link)

/** Link-local addresses that the kernel makes out of a MAC, a secret or a random number. */
const automatic = / fe80::(?:[\w:]*ff:fe[\w:]*|(?:\w+:){3}\w+)\/64 /

const address = (link: Item) => (info: Item): string =>
  words(
    nameOf(link),
    `${String(info["local"])}/${String(info["prefixlen"])}`,
    pair("peer", info["address"]),
    pair("brd", info["broadcast"]),
    pairs(info, "scope").replace(/^scope (?:global|host)$/, ""),
    those(
      "secondary temporary mngtmpaddr home nodad noprefixroute dynamic deprecated dadfailed",
      (flag) => info[flag] === true
    ),
    pair("label", info["label"], nameOf(link)),
    pairs(info, "metric")
  )

/** Facts of the addresses of links. */
export const addresses = (all: ReadonlyArray<Item>): ReadonlyArray<string> =>
  all.flatMap((link) => items(link["addr_info"]).map(address(link))).filter((fact) => !automatic.test(fact))

/** What the kernel routes by itself, and what is about a link that was gone when its name was asked for. */
const ofKernel =
  /^(?:broadcast|multicast|anycast) | table local proto kernel|^fe80::\/64 .*proto kernel| dev if\d+(?: |$)/

/** A neighbour that the kernel learned from traffic, or looks for. */
const learned = /^\S+ dev \S+ (?:.* )?(?:REACHABLE|STALE|DELAY|PROBE|NOARP|INCOMPLETE|FAILED|NONE)(?: |$)/

/** What changes by itself, or tells nothing. */
const asideOf =
  / (?:\[detached\]|expires \d+sec|error -?\d+|pref medium|nhid \d+|weight 1|linkdown|dead|offload|trap|rt_\w+)(?= |$)/g

/** Facts of the rules, neighbours and routes of a family, out of the text of `ip -o`. */
export const routing = (family: string, text: string) => {
  const facts = { rules: new Array<string>(), neighbours: new Array<string>(), routes: new Array<string>() }
  for (const line of lines(text)) {
    const fact = line.replace(/[\s\\]+/g, " ").trim().replace(/ extern_learn .*/, " extern_learn").replace(asideOf, "")
    if (/^\d+:\t/.test(line)) facts.rules.push(`${family} ${fact}`)
    else if (!ofKernel.test(fact) && !learned.test(fact)) {
      if (/ (?:PERMANENT|extern_learn|proxy)$/.test(fact)) facts.neighbours.push(fact)
      else facts.routes.push(family === "ip" ? fact : fact.replace(/^([a-z]+ |)default(?= |$)/, "$1::/0"))
    }
  }
  return facts
}

/** Facts of what bridges forward where. Left out is what comes with links, and what bridges learn. */
export const forwarding = (all: ReadonlyArray<Item>, links: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const addresses = new Set(links.map((link) => link["address"]))
  const names = new Set(links.map(nameOf)) // a link may come between the two questions
  // Entries of a device itself are the addresses that it listens to, unless they lead through a tunnel.
  const isSet = ({ dst, mac, master }: Item) => master === undefined ? dst !== undefined : !addresses.has(mac)
  return all.filter((item) => names.has(nameOf(item)) && isSet(item)).map((item) =>
    words(
      pair("fdb", item["mac"]),
      pair("dev", nameOf(item)),
      pairs(item, "vlan dst port vni via"),
      hasFlag(item)("self") && "self",
      pairs(item, "master"),
      hasFlag(item)("extern_learn") ? "extern_learn" : String(item["state"])
    )
  ).filter((fact) => /^fdb (?!33:33|01:00:5e|01:80:c2).* (?:static|permanent|extern_learn)$/.test(fact))
}

/** Whether a link is a bridge that looks at VLANs. */
export const filtersVlans = (link: Item): boolean => member(infoOf(link, "data"), "vlan_filtering") === 1

/** Facts of the VLANs that bridges let through. */
export const vlans = (all: ReadonlyArray<Item>, links: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const bridges = new Set<unknown>(links.filter(filtersVlans).map(nameOf))
  const ports = new Set(links.filter((link) => bridges.has(link["master"] ?? nameOf(link))).map(nameOf))
  return all.filter((port) => ports.has(nameOf(port))).flatMap((port) =>
    items(port["vlans"]).map((item) =>
      words(
        `${pairs(item, "vlan")}${pair("", item["vlanEnd"]).replace(" ", "-")}`,
        pair("dev", nameOf(port)),
        hasFlag(item)("PVID") && "pvid",
        hasFlag(item)("Egress Untagged") && "untagged"
      )
    )
  )
}
