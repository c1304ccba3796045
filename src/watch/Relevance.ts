/** Which facts concern a network: those that mention its attachments or links, and those that concern all traffic. */
import * as Result from "effect/Result"
import type { Facts } from "../doctor/Facts.ts"
import { interfacesOf } from "../doctor/facts/Attachment.ts"
import * as Roles from "../doctor/Roles.ts"
import { anyOf, natChainOf } from "../operations/AttachmentIdentity.ts"
import type { Differences } from "../record/Record.ts"
import type * as PluginRun from "./PluginRun.ts"

/** How many names are remembered. Those of attachments that are gone are needed until their DEL has ended. */
const most = 10_000

/** Facts without a link or an address that decide about all forwarded traffic. */
const ofEverybody =
  /^(?:(?:legacy )?ip6? \S+ -P |chain \S+ \S+ \S+ type |net\.(?:ipv4\.ip_forward|bridge\.|ipv[46]\.conf\.(?:all|default)\.))/

/** The names by which the facts of networks are found. */
const namesOf = (all: ReadonlyArray<Facts>): ReadonlyArray<string> =>
  all.flatMap((facts) => {
    const groups = [facts, ...facts.earlier]
    return groups.flatMap(({ attachments, chain }) => [
      Roles.bridgeOf(chain) ?? "",
      ...attachments.flatMap(({ containerId, network, result }) => [
        containerId,
        `CNI-${natChainOf(network, containerId)}`,
        `CNI-DN-${natChainOf(network, containerId).slice(0, 21)}`,
        ...(Result.isFailure(result) ? [] : [
          ...(result.success.ips ?? []).map((ip) => ip?.address?.split("/")[0] ?? ""),
          ...interfacesOf(result.success).filter(({ sandbox }) => sandbox === "").map(({ name }) => name)
        ])
      ])
    ])
  })

/** Decides what concerns a network; everything does if none is named. */
export class Relevance {
  private readonly network: string | undefined
  private names = new Set<string>()
  private pattern: RegExp | undefined

  constructor(network: string | undefined) {
    this.network = network
  }

  /** Takes the present attachments of the network. */
  learn(all: ReadonlyArray<Facts>): void {
    const before = this.names.size
    for (const name of namesOf(all)) if (name !== "") this.names.add(name)
    if (this.names.size === before) return
    this.names = new Set([...this.names].slice(-most))
    this.pattern = anyOf(this.names)
  }

  /** The lines that concern it. */
  within(differences: Differences): Differences {
    if (this.network === undefined) return differences
    const isRelevant = (line: string) => ofEverybody.test(line) || this.mentions(line)
    const found: { [kind: string]: Differences[string] } = {}
    for (const [kind, { added, removed }] of Object.entries(differences)) {
      const own = { added: added.filter(isRelevant), removed: removed.filter(isRelevant) }
      if (own.added.length + own.removed.length > 0) found[kind] = own
    }
    return found
  }

  /** Whether a text mentions it. */
  mentions(text: string): boolean {
    return this.network === undefined || (this.pattern !== undefined && text.search(this.pattern) !== -1)
  }

  /** Whether a plugin works for it. */
  isOf(run: PluginRun.PluginRun): boolean {
    return this.network === undefined || run.network === this.network ||
      (run.network === undefined && run.containerId !== undefined && this.names.has(run.containerId))
  }
}
