/** Facts out of what `ip` and `bridge` print. */
import * as Json from "../json/Json.ts"

/** A link, an address, … as a tool prints it in JSON. */
type Item = Json.JsonObject

/** Those of a list, of however many lists it is made. */
export const items = (value: unknown): ReadonlyArray<Item> => Array.isArray(value) ? value.filter(Json.isObject) : []

const member = (value: unknown, name: string): unknown => Json.isObject(value) ? value[name] : undefined

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const words = (...parts: ReadonlyArray<unknown>): string =>
  parts.filter((part) => part !== undefined && part !== "" && part !== false).join(" ")

/** A word and its value; nothing where there is no value, or where it is as usual. */
const pair = (word: string, value: unknown, usual?: unknown) =>
  value === undefined || value === "" || value === usual ? "" : `${word} ${String(value)}`

/** What links of a kind have beside what all links have, and what need not be told of it. */
const details: { readonly [name: string]: unknown } = {
  type: undefined,
  mode: undefined,
  id: undefined,
  local: undefined,
  remote: undefined,
  group: undefined,
  port: undefined,
  table: undefined,
  vlan_filtering: 0,
  stp_state: 0,
  vlan_default_pvid: 1
}

/** What a bridge does with a port, unless it is told otherwise. */
const portDetails = {
  hairpin: false,
  isolated: false,
  guard: false,
  learning: true,
  flood: true,
  mcast_flood: true,
  neigh_suppress: false
}

/** What the kernel gives a link by itself when it comes up. */
const usualQdiscs = /^(?:noop|noqueue|mq|pfifo_fast|fq_codel|fq)$/

const linkFlags = { NOARP: "noarp", PROMISC: "promisc", ALLMULTI: "allmulticast" }

export const kindOf = (link: Item) => member(link["linkinfo"], "info_kind")

export const nameOf = (link: Item): string => String(link["ifname"])

const link = (link: Item): string => {
  const flags = list(link["flags"])
  const data = member(link["linkinfo"], "info_data")
  const port = member(link["linkinfo"], "info_slave_data")
  const kind = kindOf(link) ?? link["link_type"]
  const qdisc = link["qdisc"]
  return words(
    nameOf(link),
    kind,
    flags.includes("UP") ? "up" : "down",
    pair("mtu", link["mtu"]),
    pair("qlen", link["txqlen"], 1000),
    kind !== "loopback" && pair("mac", link["address"]),
    kind !== "veth" && pair("link", link["link"]),
    pair("master", link["master"]),
    ...Object.entries(details).map(([name, usual]) => pair(name, member(data, name), usual)),
    ...Object.entries(portDetails).map(([name, usual]) => {
      const value = member(port, name)
      return typeof value === "boolean" && value !== usual && `${name} ${value ? "on" : "off"}`
    }),
    ...Object.entries(linkFlags).map(([flag, word]) => flags.includes(flag) && word),
    !usualQdiscs.test(String(qdisc)) && pair("qdisc", qdisc),
    pair("alias", link["ifalias"] && JSON.stringify(link["ifalias"]))
  )
}

/** Facts of links. */
export const links = (all: ReadonlyArray<Item>): ReadonlyArray<string> => all.map(link)

/** An address that the kernel gives a link by itself, out of its MAC, a secret or a random number. */
const isAutomatic = ({ local, prefixlen }: Item): boolean =>
  prefixlen === 64 && /^fe80::(?:.*ff:fe|(?:\w+:){3}\w+$)/.test(String(local))

const addressFlags = [
  "secondary",
  "temporary",
  "mngtmpaddr",
  "home",
  "nodad",
  "noprefixroute",
  "dynamic",
  "deprecated",
  "dadfailed"
]

const address = (link: Item) => (info: Item): string =>
  words(
    nameOf(link),
    `${String(info["local"])}/${String(info["prefixlen"])}`,
    pair("peer", info["address"]),
    pair("brd", info["broadcast"]),
    pair("scope", info["scope"] === "host" ? "global" : info["scope"], "global"),
    ...addressFlags.filter((flag) => info[flag] === true),
    pair("label", info["label"], nameOf(link)),
    pair("metric", info["metric"])
  )

/** Facts of the addresses of links. */
export const addresses = (all: ReadonlyArray<Item>): ReadonlyArray<string> =>
  all.flatMap((link) => items(link["addr_info"]).filter((info) => !isAutomatic(info)).map(address(link)))

/** Facts of neighbours that somebody set: others come and go with the traffic. */
export const neighbours = (all: ReadonlyArray<Item>): ReadonlyArray<string> =>
  all.flatMap((item) => {
    const how = ["proxy", "extern_learn"].find((flag) => flag in item) ??
      (list(item["state"]).includes("PERMANENT") ? "PERMANENT" : undefined)
    return how === undefined
      ? []
      : [words(item["dst"], pair("dev", item["dev"]), pair("lladdr", item["lladdr"]), how)]
  })

const isOfKernel = /^(?:broadcast|multicast|anycast) | table local proto kernel|^fe80::\/64 .*proto kernel/

/** What changes by itself, or tells nothing. */
const asideOf =
  / (?:expires \d+sec|error -?\d+|pref medium|nhid \d+|weight 1|linkdown|dead|offload|trap|rt_\w+)(?= |$)/g

/** Routes and rules of a family, each a fact, out of the text of `ip -o`. */
export const routing = (family: "ip" | "ip6", text: string) => {
  const routes: Array<string> = []
  const rules: Array<string> = []
  for (const line of text.split("\n")) {
    const isRule = /^\d+:\t/.test(line)
    const fact = line.replace(/[\s\\]+/g, " ").trim()
    if (isRule) rules.push(`${family} ${fact.replace(" [detached]", "")}`)
    else if (fact !== "" && !isOfKernel.test(fact)) {
      const route = fact.replace(asideOf, "")
      routes.push(family === "ip" ? route : route.replace(/^((?:[a-z]+ )?)default(?= |$)/, "$1::/0"))
    }
  }
  return { routes, rules }
}

/** Facts of what bridges forward where. Left out is what comes with links, and what bridges learn. */
export const forwarding = (all: ReadonlyArray<Item>, links: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const addresses = new Set(links.map((link) => link["address"]))
  const names = new Set(links.map(nameOf)) // a link may come between the two questions
  return all.flatMap((item) => {
    const { mac, master, state } = item
    const flags = list(item["flags"])
    const how = flags.includes("extern_learn") ? "extern_learn" : state
    const isOwn = /^(?:33:33|01:00:5e|01:80:c2):/.test(String(mac)) || (master !== undefined && addresses.has(mac))
    return !names.has(nameOf(item)) || isOwn || !/^(?:static|permanent|extern_learn)$/.test(String(how)) ? [] : words(
      pair("fdb", mac),
      pair("dev", item["ifname"]),
      ...["vlan", "dst", "port", "vni", "via"].map((name) => pair(name, item[name])),
      flags.includes("self") && "self",
      pair("master", master),
      how
    )
  })
}

/** Facts of the VLANs that bridges let through. */
export const vlans = (all: ReadonlyArray<Item>, links: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const filtering = new Set(links.filter(filtersVlans).map(nameOf))
  const ports = new Map(links.map((link) => [nameOf(link), String(link["master"] ?? nameOf(link))]))
  return all.flatMap((port) => {
    const name = nameOf(port)
    return !filtering.has(ports.get(name) ?? "") ? [] : items(port["vlans"]).map((item) => {
      const flags = list(item["flags"])
      const end = item["vlanEnd"]
      return words(
        `vlan ${String(item["vlan"])}${end === undefined ? "" : `-${String(end)}`}`,
        pair("dev", name),
        flags.includes("PVID") && "pvid",
        flags.includes("Egress Untagged") && "untagged"
      )
    })
  })
}

/** Whether a link is a bridge that looks at VLANs. */
export const filtersVlans = (link: Item): boolean =>
  member(member(link["linkinfo"], "info_data"), "vlan_filtering") === 1
