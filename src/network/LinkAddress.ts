/**
 * Addresses of links: reads `ip -j -d addr`, and writes and reads lines such as `eth0 10.88.0.2/16 brd 10.88.255.255`.
 */
import * as Cidr from "./Cidr.ts"
import { type Item, items, pair, pairs, text, those, words } from "./Iproute2.ts"
import { attributesOf, type Described, firstWords, type Reader, sentence, wordsOf } from "./Line.ts"

/** An address of a link. */
export interface LinkAddress extends Cidr.Cidr {
  readonly text: string
  /** Whether it is unused because another host has it too, according to the duplicate address detection of IPv6. */
  readonly isDuplicate: boolean
  /** Whether it is not used yet, because that detection is still running. */
  readonly isTentative: boolean
}

/** Reads the addresses of a link. */
export const parse = (link: Item): ReadonlyArray<LinkAddress> =>
  items(link["addr_info"]).flatMap((info) => {
    const cidr = Cidr.parse(`${text(info["local"])}/${Number(info["prefixlen"])}`)
    return cidr === undefined ? [] : [{
      ...cidr,
      text: `${text(info["local"])}/${cidr.length}`,
      isDuplicate: info["dadfailed"] === true,
      isTentative: info["tentative"] === true
    }]
  })

const flags = "secondary temporary mngtmpaddr home nodad noprefixroute dynamic deprecated dadfailed"

/** Link-local addresses that the kernel derives from a MAC, a secret or a random number. */
const automatic = / fe80::(?:[\w:]*ff:fe[\w:]*|(?:\w+:){3}\w+)\/64 /

const line = (link: Item) => (info: Item): string =>
  words(
    String(link["ifname"]),
    `${String(info["local"])}/${String(info["prefixlen"])}`,
    pair("peer", info["address"]),
    pair("brd", info["broadcast"]),
    pairs(info, "scope").replace(/^scope (?:global|host)$/, ""),
    those(flags, (flag) => info[flag] === true),
    pair("label", info["label"], String(link["ifname"])),
    pairs(info, "metric")
  )

/** The lines of the addresses of links. */
export const lines = (links: ReadonlyArray<Item>): ReadonlyArray<string> =>
  links.flatMap((link) => items(link["addr_info"]).map(line(link))).filter((line) => !automatic.test(line))

const describe = (line: string): Described => {
  const [link, address, ...rest] = wordsOf(line)
  return { name: `address ${address} on ${link}`, says: attributesOf(rest, flags) }
}

export const reader: Reader = {
  identity: (line) => firstWords(line, 2),
  link: (line) => wordsOf(line)[0],
  describe,
  words: (line) => sentence(describe(line))
}
