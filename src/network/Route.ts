/**
 * Routes: reads `ip -j route`, and writes and reads lines such as `10.88.0.0/16 dev cni0 proto kernel src 10.88.0.1`.
 */
import * as Cidr from "./Cidr.ts"
import { type Item, items, member, optional, text, texts } from "./Iproute2.ts"
import { after, attributesOf, type Described, type Reader, sentence, wordsOf } from "./Line.ts"

/** A route. */
export interface Route {
  readonly to: Cidr.Cidr
  readonly gateway: string | undefined
  readonly device: string | undefined
  readonly table: string
  /** `unicast`, `local`, `blackhole`, …. */
  readonly type: string
  /** `kernel` for the routes that come with its own addresses. */
  readonly protocol: string
  readonly metric: number
  /** Whether its link has no carrier. */
  readonly isLinkDown: boolean
}

/** The route that the kernel chose for a packet. */
export interface Answer {
  readonly to: string
  readonly from: string
  readonly device: string | undefined
  readonly table: string
}

/** Reads a route, as one route for each of its next hops; empty if the destination cannot be read. */
export const parse = (route: Item): ReadonlyArray<Route> => {
  const destination = text(route["dst"])
  const isV6 = destination.includes(":") || "pref" in route
  const everywhere = isV6 ? "::/0" : "0.0.0.0/0"
  const single = destination.includes("/") ? destination : `${destination}/${isV6 ? 128 : 32}`
  const to = Cidr.parse(destination === "default" ? everywhere : single)
  if (to === undefined) return []
  const hops = items(route["nexthops"])
  return (hops.length === 0 ? [route] : hops).map((hop) => ({
    to,
    gateway: optional(hop["gateway"]) ?? optional(member(hop["via"], "host")),
    device: optional(hop["dev"]),
    table: text(route["table"]) || "main",
    type: text(route["type"]) || "unicast",
    protocol: text(route["protocol"]),
    metric: Number(route["metric"] ?? 0),
    isLinkDown: [...texts(route["flags"]), ...texts(hop["flags"])].includes("linkdown")
  }))
}

/** Reads what `ip route get` chose. */
export const parseAnswer = (answer: Item): Answer => ({
  to: text(answer["dst"]),
  from: text(answer["from"]),
  device: optional(answer["dev"]),
  table: text(answer["table"]) || "main"
})

/** Routes that the kernel makes by itself, and routes of a link that was gone before its name was read. */
const ofKernel =
  /^(?:broadcast|multicast|anycast) | table local proto kernel|^fe80::\/64 .*proto kernel| dev if\d+(?: |$)/

/** Whether a line is a route that a program or a person set. */
export const isSet = (line: string): boolean => !ofKernel.test(line)

/** The line of a route of a family. The default route of IPv6 is written `::/0`. */
export const line = (family: string, text: string): string =>
  family === "ip" ? text : text.replace(/^([a-z]+ |)default(?= |$)/, "$1::/0")

const types = new Set(["local", "blackhole", "unreachable", "prohibit", "throw"])

/** How many words of a line are the type, if present, and the destination. */
const destinationLength = ([first = ""]: ReadonlyArray<string>): number => types.has(first) ? 2 : 1

const describe = (line: string): Described => {
  const words = wordsOf(line)
  const length = destinationLength(words)
  return {
    name: `route ${words.slice(0, length).join(" ")}`,
    says: attributesOf(words.slice(length), "onlink pervasive")
  }
}

export const reader: Reader = {
  identity: (line) => {
    const words = wordsOf(line)
    return [
      ...words.slice(0, destinationLength(words)),
      `table ${after(words, "table") ?? "main"}`,
      `metric ${after(words, "metric") ?? "0"}`
    ].join(" ")
  },
  link: (line) => after(wordsOf(line), "dev"),
  describe,
  words: (line) => sentence(describe(line))
}
