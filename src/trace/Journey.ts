/**
 * Joins the events of a trace to the way of one packet and of its answer. The identifier of the kernel is no key: it
 * changes on the way, and packets share it. Addresses, ports and the identification of IP are.
 */
import * as Ruleset from "./Ruleset.ts"
import type { Chain, Event, Packet } from "./TraceOutput.ts"

/** From the sender to the receiver, or back. */
export type Direction = "there" | "back"

/** What one rule, or the policy of a chain, did with a packet. */
export interface Hop {
  /** The network namespace, as it is called in messages. */
  readonly place: string
  readonly direction: Direction
  readonly hook: string
  readonly chain: Chain
  /** Whether the chain is one of ours, which only shows the packet. */
  readonly isOwn: boolean
  /** Undefined for the policy of the chain. */
  readonly rule: Ruleset.Rule | undefined
  readonly verdict: string
  readonly packet: Packet
}

/** An address and a port. */
const endOf = (address: string, port: number | undefined): string => `${address} ${port ?? ""}`

/** Identifies a packet by fields that nat does not change. */
export const keyOf = ({ id, kind, length, protocol }: Packet): string =>
  [protocol, id ?? "", length ?? "", kind].join(" ")

/** The flow to follow. Without the sender, the first packet to the receiver shows it. */
export interface Flow {
  readonly protocol: string
  readonly sender: { readonly address: string; readonly port: number } | undefined
  readonly receivers: ReadonlyArray<{ readonly address: string; readonly port: number }>
  /** The namespace where packets of others to the receiver are marked too; undefined if there is none. */
  readonly mixed: string | undefined
}

/** Whether a hop is the end of a packet. */
export const isDrop = ({ verdict }: Pick<Hop, "verdict">): boolean => verdict === "drop"

interface Open {
  readonly packet: Packet
  readonly hook: string
  readonly direction: Direction
}

/** Follows the first packet of a flow and the first answer, and others only where they are dropped. */
export class Journey {
  private readonly protocol: string
  private readonly mixed: string | undefined
  private readonly senders = new Set<string>()
  private readonly receivers: Set<string>
  private readonly keys = new Map<Direction, string>()
  private readonly open = new Map<string, Open>()
  /** The packets on their way there, by their identification. */
  private readonly sent = new Set<string>()
  private readonly seen = new Set<string>()

  constructor({ mixed, protocol, receivers, sender }: Flow) {
    this.mixed = mixed
    this.protocol = protocol
    this.receivers = new Set(receivers.map(({ address, port }) => endOf(address, port)))
    if (sender !== undefined) this.senders.add(endOf(sender.address, sender.port))
  }

  /** Whether a packet came that belongs to the flow. */
  get hasBegun(): boolean {
    return this.keys.has("there")
  }

  /** Whether a packet from another end is one that was sent, which nat changed. */
  private isTranslated(place: string, packet: Packet): boolean {
    if (!this.sent.has(keyOf(packet))) return false
    if (place !== this.mixed || (packet.id !== undefined && packet.id !== 0)) return true
    // Without an identification, a packet of others may look the same.
    return [...this.senders].some((each) => each.endsWith(` ${packet.sourcePort}`))
  }

  /** The direction of a packet; undefined if it is not of this flow. Learns what nat makes of the addresses. */
  private directionOf(place: string, packet: Packet): Direction | undefined {
    if (packet.protocol.startsWith("icmp")) {
      const isForSender = [...this.senders].some((each) => each.startsWith(`${packet.destination} `))
      return isForSender ? "back" : undefined
    }
    if (packet.protocol !== this.protocol) return undefined
    const from = endOf(packet.source, packet.sourcePort)
    const to = endOf(packet.destination, packet.destinationPort)
    if (this.senders.has(from)) {
      this.receivers.add(to)
      return "there"
    }
    if (this.senders.has(to) && (this.receivers.has(from) || this.hasBegun)) {
      this.receivers.add(from)
      return "back"
    }
    if (this.receivers.has(to) && (this.senders.size === 0 || this.isTranslated(place, packet))) {
      this.senders.add(from)
      return "there"
    }
    return undefined
  }

  /** Whether this was seen before: packets of IPv6 have no identification, so one that is sent again looks the same. */
  private isRepeated(place: string, event: Event, { direction, packet: { inLink, outLink } }: Open): boolean {
    const rule = event._tag === "Rule" ? event.handle : event._tag
    const key = [place, direction, Ruleset.keyOf(event.chain), rule, inLink, outLink].join(" ")
    const isKnown = this.seen.has(key)
    this.seen.add(key)
    return isKnown
  }

  /** Takes an event. Returns the hop that it shows of the packets to follow. */
  take(place: string, event: Event, ruleset: Ruleset.Ruleset, ownTable: string): Hop | undefined {
    const at = `${place} ${event.traceId}`
    if (event._tag === "Packet") {
      const direction = this.directionOf(place, event.packet)
      if (direction === undefined) {
        this.open.delete(at)
        return undefined
      }
      const key = keyOf(event.packet)
      if (direction === "there") this.sent.add(key)
      if (!this.keys.has(direction)) this.keys.set(direction, key)
      const hook = ruleset.chains.get(Ruleset.keyOf(event.chain))?.hook ?? ""
      this.open.set(at, { packet: event.packet, hook, direction })
      return undefined
    }
    const open = this.open.get(at)
    if (open === undefined) return undefined
    const { direction, hook, packet } = open
    const { chain, verdict } = event
    const isFirst = this.keys.get(direction) === keyOf(packet)
    if (!isFirst && !isDrop({ verdict })) return undefined
    if (packet.id === undefined && this.isRepeated(place, event, open)) return undefined
    return {
      place,
      direction,
      hook,
      chain,
      isOwn: chain.table === ownTable,
      rule: event._tag === "Policy" ? undefined : Ruleset.ruleOf(ruleset, chain, event.handle) ??
        { handle: event.handle, text: event.text, iptables: undefined },
      verdict,
      packet
    }
  }
}
