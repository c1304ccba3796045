/** A flow: traffic that an attachment should carry according to its configuration and its result. */
import type { Attachment } from "../facts/Attachment.ts"

/**
 * What a flow connects. The host routes a `routed-peer`, and a bridge switches a `peer`. A `host-name-server` is a name
 * server that is the host itself. Flows to a published port are named after where they come from.
 */
export const kinds = [
  "gateway",
  "peer",
  "routed-peer",
  "world",
  "world-large",
  "name-server",
  "host-name-server",
  "port-world",
  "port-host",
  "port-loopback",
  "port-container",
  "port-itself"
] as const

export type Kind = typeof kinds[number]

/** The flows to a published port. */
export const ports: ReadonlyArray<Kind> = [
  "port-world",
  "port-host",
  "port-loopback",
  "port-container",
  "port-itself"
]

/** The flows that leave for the world. */
export const outgoing: ReadonlyArray<Kind> = ["world", "world-large", "name-server"]

/** The flows that the host forwards. */
export const forwarded: ReadonlyArray<Kind> = [
  ...outgoing,
  "routed-peer",
  "port-world",
  "port-container",
  "port-itself"
]

/** The flows that pass the IP layer of the host. */
export const routed: ReadonlyArray<Kind> = kinds.filter((kind) => kind !== "peer")

/** A flow of an attachment. */
export interface Promised {
  readonly kind: Kind
  readonly attachment: Attachment
  /** The other attachment of a flow between containers. */
  readonly peer?: Attachment
  /** Display name, such as `the world, by up0`. */
  readonly words: string
  /** An address, `world` or `host`. */
  readonly from: string
  readonly to: string
  readonly family: 4 | 6
  readonly protocol: string
  /** The destination port; undefined for ICMP. */
  readonly port: number | undefined
  /** The size of its packets in bytes, with the IP header. */
  readonly size: number
  /** The links that it passes, in order. */
  readonly path: ReadonlyArray<string>
}

/** A flow, and whether it arrives as far as the facts show. */
export interface Flow extends Promised {
  readonly status: "arrives" | "dropped" | "unknown"
  /** Why it is dropped or unknown. If it arrives, empty, or what packets did not show. */
  readonly reason: string
  /** The check that found why it is dropped. */
  readonly check?: string
  /** Whether packets were sent over it. Otherwise, the status is predicted. */
  readonly verified: boolean
}
