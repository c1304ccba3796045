/** How a trace ends. */
import type { Cause } from "./Explanation.ts"
import type { Hop } from "./Journey.ts"
import type { Author } from "./RuleAuthors.ts"

/** How the way of a packet ended. */
export type Outcome =
  /** The receiver answered, or its namespace passed the packet to its sockets. */
  | {
    readonly _tag: "Arrived"
    readonly proof: "answered" | "refused" | "delivered"
    readonly place: string | undefined
    /** What dropped another packet after the answer, if anything did. */
    readonly droppedLater?: Hop
  }
  /** It left what we can see by a link. Nothing came back in time. */
  | { readonly _tag: "Left"; readonly link: string; readonly place: string }
  /** A rule dropped it, or its answer. */
  | { readonly _tag: "Dropped"; readonly hop: Hop; readonly author: Author | undefined }
  /** It ended in a namespace without any rule that was traced. The cause is predicted. */
  | {
    readonly _tag: "Lost"
    readonly place: string
    /** The last hook that it passed; empty if it came to none. */
    readonly hook: string
    readonly cause: Cause | undefined
    /** The packet arrived, and it was the answer that was lost. */
    readonly isAnswer?: true
    /** A router beyond this host refused it. */
    readonly isRefusedBeyond?: true
  }
  /** No packet of the flow came. */
  | { readonly _tag: "Nothing"; readonly waited: number }
  /** Events were lost, so that the end is not known. */
  | { readonly _tag: "Unknown"; readonly reason: string }

/** The exit status of the command. */
export const statusOf = ({ _tag }: Outcome): 0 | 1 | 2 =>
  _tag === "Arrived" || _tag === "Left" ? 0 : _tag === "Dropped" || _tag === "Lost" ? 1 : 2
