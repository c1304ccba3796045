/** Facts in a person's words: `host link vetha446 (veth, up, master cni-podman0)`. */
import { destinationLength, type Fact, identityOf, wordsOf } from "./Fact.ts"
import * as RuleFact from "./RuleFact.ts"

/** Words of facts that stand for themselves. All others have a value after them. */
const flags: { readonly [kind: string]: ReadonlySet<string> } = {
  links: new Set(["noarp", "allmulti", "promisc"]),
  addresses: new Set(
    "secondary temporary mngtmpaddr home nodad noprefixroute dynamic deprecated dadfailed".split(" ")
  ),
  routes: new Set(["onlink", "pervasive"]),
  neighbours: new Set(["PERMANENT", "extern_learn", "proxy"]),
  bridge: new Set(["self", "static", "permanent", "extern_learn", "pvid", "untagged"])
}

/** What a fact says of a thing, by name. */
const attributes = (kind: string, words: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const name = words[index] ?? ""
    if (flags[kind]?.has(name) === true) found.set(name, "")
    else if (name === "nexthop") {
      found.set(name, words.slice(index + 1).join(" "))
      break
    } else {
      // The gateway of an IPv4 route may be an IPv6 address: `via inet6 fe80::1`.
      const family = words[index + 1] === "inet6" ? [words[++index]] : []
      found.set(name, [...family, words[++index] ?? ""].join(" "))
    }
  }
  return found
}

/** A thing, and what is said of it. */
interface Described {
  readonly name: string
  readonly says: ReadonlyMap<string, string>
}

/** What is said of a thing, for those kinds of which several things may be said. */
const described = ({ kind, text }: Pick<Fact, "kind" | "text">): Described | undefined => {
  const words = wordsOf(text)
  switch (kind) {
    case "links": {
      const [name = "", type = "", state = "", ...rest] = words
      return { name: `link ${name}`, says: new Map([["type", type], ["state", state], ...attributes(kind, rest)]) }
    }
    case "addresses": {
      const [link, address, ...rest] = words
      return { name: `address ${address} on ${link}`, says: attributes(kind, rest) }
    }
    case "routes": {
      const length = destinationLength(words)
      return { name: `route ${words.slice(0, length).join(" ")}`, says: attributes(kind, words.slice(length)) }
    }
    case "neighbours":
      return { name: `neighbour ${words.slice(0, 3).join(" ")}`, says: attributes(kind, words.slice(3)) }
    case "bridge":
      return { name: `bridge ${words.slice(0, 4).join(" ")}`, says: attributes(kind, words.slice(4)) }
    default:
      return undefined
  }
}

const said = (says: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...says].map(([name, value]) => value === "" ? name : `${name} ${value}`)

/** What every link has, or gets by chance, is not said where one comes or goes. */
const silent = new Set(["mac", "qlen"])

const link = ({ name, says }: Described): string => {
  const { state = "", type = "" } = Object.fromEntries(says)
  const rest = [...says].filter(([name, value]) =>
    !silent.has(name) && !(name === "mtu" && (value === "1500" || value === "65536"))
  )
  const words = said(new Map(rest.slice(2)))
  return `${name} (${[type, state, ...words].filter((word) => word !== "").join(", ")})`
}

const ipset = (text: string): string => {
  const [verb, name, ...rest] = wordsOf(text)
  return verb === "create" ? `ipset ${name} (${rest.join(" ")})` : `ipset ${name}: ${rest.join(" ")}`
}

const reservation = (text: string): string => {
  const [network, address, ...owner] = wordsOf(text)
  return `ipam ${network}: ${address}${owner.length === 0 ? "" : ` for ${owner.join(" ")}`}`
}

/** A fact without its place. */
const sentence = (fact: Pick<Fact, "kind" | "text">): string => {
  const { kind, text } = fact
  switch (kind) {
    case "iptables":
      return RuleFact.iptables(text)
    case "nftables":
      return RuleFact.nftables(text)
    case "ipsets":
      return ipset(text)
    case "ipam":
      return reservation(text)
    case "rules":
      return `rule ${text}`
    case "sysctls":
      return `sysctl ${text}`
    default: {
      const thing = described(fact)
      if (thing === undefined) return `${kind}: ${text}`
      if (kind === "links") return link(thing)
      // Every address and route says by whom it is made and how far it reaches; that stays in the log.
      const words = said(new Map([...thing.says].filter(([name]) => !/^(?:brd|proto|scope|label)$/.test(name))))
      return [thing.name, ...words].join(" ")
    }
  }
}

/** Packet filters, sets and reservations are mostly those of the host, and that is not said. */
const placeless = new Set(["iptables", "nftables", "ipsets", "ipam"])

const placed = ({ kind, place }: Fact, words: string): string =>
  place === "host" && placeless.has(kind) ? words : `${place} ${words}`

/** A fact that came or went. */
export const single = (fact: Fact): string => placed(fact, sentence(fact))

/** What is said of a thing that was said differently before. */
const difference = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string => {
  const words: Array<string> = []
  for (const [name, value] of before) {
    const other = now.get(name)
    if (other === undefined) words.push(`no longer ${said(new Map([[name, value]])).join("")}`)
    else if (other !== value) words.push(name === "state" ? `${value} → ${other}` : `${name} ${value} → ${other}`)
  }
  for (const entry of now) if (!before.has(entry[0])) words.push(`now ${said(new Map([entry])).join("")}`)
  return words.join(", ")
}

/** A fact that took the place of another one of the same identity. */
export const change = (before: Fact, now: Fact): string => {
  const [old, thing] = [described(before), described(now)]
  if (old !== undefined && thing !== undefined) return placed(now, `${old.name}: ${difference(old.says, thing.says)}`)
  const identity = identityOf(now)
  const rest = now.text.startsWith(identity) ? now.text.slice(identity.length).replace(/^ (?:[=:] )?/, "") : now.text
  return placed(now, `${sentence(before)} → ${rest}`)
}
