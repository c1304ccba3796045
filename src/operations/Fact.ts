/** Facts of the state of a network namespace, each one a line such as `veth0 veth up mtu 1500 master cni0`. */

/** Where a fact holds. */
export type Place = "host" | "container"

/** One fact. */
export interface Fact {
  readonly place: Place
  /** As in the record: `links`, `addresses`, … */
  readonly kind: string
  readonly text: string
}

/** The words of a fact. A text in quotes is one word. */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  text.includes("\"") ? text.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [] : text.split(" ")

/** The word after another one. */
export const after = (words: ReadonlyArray<string>, word: string): string | undefined => {
  const index = words.indexOf(word)
  return index === -1 ? undefined : words[index + 1]
}

/** How many words name a thing, where it is as simple as that. */
const names: { readonly [kind: string]: number } = { links: 1, addresses: 2, neighbours: 3, ipam: 2 }

const routeTypes = new Set(["local", "blackhole", "unreachable", "prohibit", "throw"])

/** How many words of a route are its type, if that is told, and its destination. */
export const destinationLength = ([first = ""]: ReadonlyArray<string>): number => routeTypes.has(first) ? 2 : 1

const route = (words: ReadonlyArray<string>): string =>
  [
    ...words.slice(0, destinationLength(words)),
    `table ${after(words, "table") ?? "main"}`,
    `metric ${after(words, "metric") ?? "0"}`
  ].join(" ")

const bridge = (words: ReadonlyArray<string>): string => {
  if (words[0] !== "fdb") return words.slice(0, 4).join(" ")
  const more = ["vlan", "dst"].flatMap((word) => after(words, word) ?? [])
  return [...words.slice(0, 4), ...more].join(" ")
}

const nftables = (words: ReadonlyArray<string>, text: string): string => {
  switch (words[0]) {
    case "rule":
      return text
    case "element":
      return text.split(" : ")[0] ?? text
    case "table":
      return words.slice(0, 3).join(" ")
    case "ct":
      return words.slice(0, 5).join(" ")
    default:
      return words.slice(0, 4).join(" ")
  }
}

const policy = (words: ReadonlyArray<string>, text: string): string =>
  words.at(-3) === "-P" ? words.slice(0, -1).join(" ") : text

/**
 * What a thing is known by, whatever is said about it. Several routes and rules may have the same, and are told apart by
 * what else they have.
 */
export const identityOf = ({ kind, text }: Pick<Fact, "kind" | "text">): string => {
  const words = wordsOf(text)
  const length = names[kind]
  if (length !== undefined) return words.slice(0, length).join(" ")
  switch (kind) {
    case "routes":
      return route(words)
    case "rules":
      return words.slice(0, 2).join(" ")
    case "bridge":
      return bridge(words)
    case "nftables":
      return nftables(words, text)
    case "iptables":
      return policy(words, text)
    case "ipsets":
      return words[0] === "create" ? words.slice(0, 2).join(" ") : words.slice(0, 3).join(" ")
    case "sysctls":
      return text.split(" = ")[0] ?? text
    default:
      return text
  }
}

/** The link that a fact is about, if it is about one. */
export const linkOf = ({ kind, text }: Pick<Fact, "kind" | "text">): string | undefined => {
  const words = wordsOf(text)
  switch (kind) {
    case "links":
    case "addresses":
      return words[0]
    case "routes":
    case "neighbours":
    case "bridge":
      return after(words, "dev")
    case "sysctls":
      return /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\./.exec(text)?.[1]?.replaceAll("/", ".")
    default:
      return undefined
  }
}
