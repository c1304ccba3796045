/** Forwarding entries and VLANs of bridges: reads `bridge -j`, and writes and reads their lines. */
import { hasFlag, type Item, items, pair, pairs, words } from "./Iproute2.ts"
import { after, attributesOf, type Described, firstWords, type Reader, sentence, wordsOf } from "./Line.ts"
import { filtersVlans, nameOf } from "./Link.ts"

/** The lines of forwarding entries. Entries that come with links, and entries that bridges learn, are left out. */
export const forwarding = (all: ReadonlyArray<Item>, links: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const addresses = new Set(links.map((link) => link["address"]))
  const names = new Set(links.map(nameOf)) // a link may appear between the two questions
  // Without a master, entries are the addresses that a device listens to, unless they lead through a tunnel.
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
  ).filter((line) => /^fdb (?!33:33|01:00:5e|01:80:c2).* (?:static|permanent|extern_learn)$/.test(line))
}

/** The lines of the VLANs that bridges allow. */
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

const describe = (line: string): Described => ({
  name: `bridge ${firstWords(line, 4)}`,
  says: attributesOf(wordsOf(line).slice(4), "self static permanent extern_learn pvid untagged")
})

export const reader: Reader = {
  identity: (line) => {
    const words = wordsOf(line)
    const more = words[0] === "fdb" ? ["vlan", "dst"].flatMap((word) => after(words, word) ?? []) : []
    return [...words.slice(0, 4), ...more].join(" ")
  },
  link: (line) => after(wordsOf(line), "dev"),
  describe,
  words: (line) => sentence(describe(line))
}
