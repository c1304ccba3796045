/**
 * Reads the trace context in TRACEPARENT, and makes that of child programs. Source: W3C Trace Context, section 3.2,
 * "Traceparent Header".
 */
import { traceVariable } from "./Environment.ts"

const pattern = /^((?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-)((?!0{16})[\da-f]{16})(-[\da-f]{2})$/

/** Extracts the trace and the span that a request belongs to. Undefined if the text names none. */
export const parse = (traceparent: string): { readonly traceId: string; readonly spanId: string } | undefined => {
  const [, , traceId, spanId] = pattern.exec(traceparent) ?? []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

/** Replaces the span of a trace context. A text that is none stays as it is. */
export const withSpan = (traceparent: string, spanId: string): string =>
  traceparent.replace(pattern, (_, trace, __, ___, flags) => `${trace}${spanId}${flags}`)

/** The variables of a program whose spans are to hang below this one. There are none outside of a trace. */
export const below = (traceparent: string, spanId: string): { readonly [name: string]: string } =>
  traceparent === "" ? {} : { [traceVariable]: withSpan(traceparent, spanId) }
