/** What to trace, and the steps that are reported. */
import type * as Attachment from "../doctor/facts/Attachment.ts"
import type * as Journey from "./Journey.ts"
import type { Outcome } from "./Outcome.ts"
import type { Subject } from "./Subject.ts"

/** An address with a port. */
export interface Target {
  readonly address: string
  readonly port: number
}

/** What to trace. */
export interface Request {
  readonly subject: Subject | undefined
  /** Where to send to; undefined to wait for packets. */
  readonly to: Target | undefined
  /** The port to wait for packets to, of the container or published for it. */
  readonly port: number
  readonly protocol: "tcp" | "udp"
  /** Whether the host sends. */
  readonly fromHost: boolean
  /** The address to send from, or whose packets to wait for. */
  readonly from: string | undefined
  /** How many bytes to send. */
  readonly size: number
  /** How many packets or connections to send or to wait for, one after the other. */
  readonly count: number
  /** How long to wait for each, in milliseconds. */
  readonly timeout: number
  /** Logs with changes of plugins: files or patterns. */
  readonly logs: ReadonlyArray<string>
  /** The attachments of all containers. */
  readonly attachments: ReadonlyArray<Attachment.AttachmentId>
  /** Our own executable, to send from another namespace. */
  readonly executable: readonly [program: string, ...args: ReadonlyArray<string>]
}

/** What happens, as it happens. */
export type Step =
  | { readonly _tag: "Tables"; readonly table: string; readonly places: ReadonlyArray<string> }
  | { readonly _tag: "Note"; readonly text: string }
  | { readonly _tag: "Sending"; readonly place: string; readonly from: Target; readonly to: Target }
  | {
    readonly _tag: "Waiting"
    readonly place: string
    readonly port: number
    /** The port of the host that is published for it. */
    readonly published: number | undefined
    readonly timeout: number
  }
  | { readonly _tag: "Hops"; readonly hops: ReadonlyArray<Journey.Hop> }
  | { readonly _tag: "End"; readonly outcome: Outcome }
