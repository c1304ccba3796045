/** The identifiers of traces and spans. They come from the records, so that the same log has the same ones each time. */
import * as Crypto from "node:crypto"
import * as TraceContext from "../cni/TraceContext.ts"
import type { Operation } from "../operations/Operation.ts"

/** Hexadecimal digits that stand for these texts. */
const derived = (digits: number, ...texts: ReadonlyArray<string | undefined>): string =>
  Crypto.createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, digits)

/** The span of a run: its invocation. Records of other programs may have other invocations. */
export const ofRun = (invocation: string): string =>
  /^(?!0{16})[\da-f]{16}$/.test(invocation) ? invocation : derived(16, "run", invocation)

/** The span of something without a run of its own, which stands beside this run of a trace. */
export const beside = (traceId: string, invocation: string | undefined, what: string): string =>
  derived(16, traceId, invocation, what)

/** The trace of an operation, and the span around it. */
export interface Place {
  readonly traceId: string
  /** The span of the runtime; undefined if the runtime sent none. */
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
}

/** Where an operation belongs: below the span that the runtime sent, or else in a trace of its own. */
export const placeOf = ({ request, steps }: Operation): Place => {
  for (const { traceparent, tracestate } of steps) {
    const context = TraceContext.parse(traceparent ?? "")
    if (context !== undefined) {
      return { traceId: context.traceId, parentSpanId: context.spanId, traceState: tracestate }
    }
  }
  const { command, containerId, ifname, network } = request
  // Operations without a container, such as GC and STATUS, have nothing else that tells one from the next.
  const run = containerId === undefined ? steps[0]?.invocation : undefined
  const traceId = derived(32, "trace", containerId, network, ifname, command, run)
  return { traceId, parentSpanId: undefined, traceState: undefined }
}
