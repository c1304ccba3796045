/** Facts about a network namespace, as in a record and in words: a line of some kind, on the host or in a container. */
import * as BridgePort from "./BridgePort.ts"
import * as Ipset from "./Ipset.ts"
import * as IptablesRule from "./IptablesRule.ts"
import { type Reader, said } from "./Line.ts"
import * as Link from "./Link.ts"
import * as LinkAddress from "./LinkAddress.ts"
import * as Neighbour from "./Neighbour.ts"
import * as NftablesRuleset from "./NftablesRuleset.ts"
import * as PolicyRule from "./PolicyRule.ts"
import * as Reservation from "./Reservation.ts"
import * as Route from "./Route.ts"
import type { Kind } from "./StateKind.ts"
import * as Sysctl from "./Sysctl.ts"

/** Where a fact holds. */
export type Place = "host" | "container"

/** One fact. */
export interface Fact {
  readonly place: Place
  /** As in the record: `links`, `addresses`, … */
  readonly kind: string
  /** Its line. */
  readonly text: string
}

const readers: { readonly [kind in Kind]: Reader } = {
  links: Link.reader,
  addresses: LinkAddress.reader,
  routes: Route.reader,
  rules: PolicyRule.reader,
  neighbours: Neighbour.reader,
  bridge: BridgePort.reader,
  nftables: NftablesRuleset.reader,
  iptables: IptablesRule.reader,
  ipsets: Ipset.reader,
  sysctls: Sysctl.reader,
  ipam: Reservation.reader
}

/** The reader for lines of a kind. A log may contain unknown kinds. */
const readerOf = (kind: string): Reader =>
  Object.hasOwn(readers, kind)
    ? readers[kind as Kind]
    : { identity: (line) => line, words: (line) => `${kind}: ${line}` }

/**
 * The identity of a thing, independent of its attributes. Several routes and rules may share one, and differ only in
 * their attributes.
 */
export const identityOf = ({ kind, text }: Pick<Fact, "kind" | "text">): string => readerOf(kind).identity(text)

/** The link that a fact is about, if it is about one. */
export const linkOf = ({ kind, text }: Pick<Fact, "kind" | "text">): string | undefined => readerOf(kind).link?.(text)

const ofIptables = ({ kind, text }: Fact): IptablesRule.Parts | undefined =>
  kind === "iptables" ? IptablesRule.partsOf(text) : undefined

/** The policy in a fact. No fact has the policy ACCEPT. */
export const policyOf = (fact: Fact): string | undefined => {
  const parts = ofIptables(fact)
  return parts?.sort === "policy" ? parts.rest : undefined
}

/** The family of an iptables fact, with its backend if that is the legacy one: `ip6`, `legacy ip`. */
export const familyOf = (fact: Fact): string | undefined => ofIptables(fact)?.family

/** The chain that a fact of a packet filter is about. */
export const chainOf = (fact: Fact): NftablesRuleset.Chain | undefined => {
  const parts = ofIptables(fact)
  if (parts !== undefined && parts.sort !== "policy") {
    return { name: `${parts.family} ${parts.table} ${parts.chain}`, isRule: parts.sort === "rule" }
  }
  return fact.kind === "nftables" ? NftablesRuleset.chainOf(fact.text) : undefined
}

/** Packet filters, sets and reservations are mostly the host's, so the words about those omit the host. */
const placeless = new Set(["iptables", "nftables", "ipsets", "ipam"])

const placed = ({ kind, place }: Fact, words: string): string =>
  place === "host" && placeless.has(kind) ? words : `${place} ${words}`

/** A fact that came or went, in words: `host link vetha446 (veth, up, master cni-podman0)`. */
export const single = (fact: Fact): string => placed(fact, readerOf(fact.kind).words(fact.text))

/** The changed attributes of a thing, in words. */
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

/** A fact that replaced another one of the same identity, in words. */
export const change = (before: Fact, now: Fact): string => {
  const reader = readerOf(now.kind)
  if (reader.describe !== undefined) {
    const [old, thing] = [reader.describe(before.text), reader.describe(now.text)]
    return placed(now, `${old.name}: ${difference(old.says, thing.says)}`)
  }
  const identity = reader.identity(now.text)
  const rest = now.text.startsWith(identity) ? now.text.slice(identity.length).replace(/^ (?:[=:] )?/, "") : now.text
  return placed(now, `${reader.words(before.text)} → ${rest}`)
}
