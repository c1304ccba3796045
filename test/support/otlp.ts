/** A collector of OpenTelemetry for tests: takes spans by HTTP, and decodes them with the published schema. */
import * as Http from "node:http"
import { createRequire } from "node:module"
import type * as Net from "node:net"

/** The protocol's messages, as OpenTelemetry generates them. The package has no types for them. */
const { opentelemetry } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer/build/src/generated/root.js"
)
const message = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest

type Values = { readonly [name: string]: unknown }

/** An event as it arrived. */
export interface Event {
  readonly name: string
  readonly time: number
  readonly attributes: Values
}

/** A span as it arrived. Times are in milliseconds since 1970. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Empty if it has none. */
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly attributes: Values
  readonly events: ReadonlyArray<Event>
  readonly status: { readonly code: string; readonly message: string }
  /** The attributes of what it is a span of. */
  readonly resource: Values
}

const milliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000_000n)

const valueOf = (value: { readonly [kind: string]: any }): unknown => {
  const [[kind, content] = ["", undefined]] = Object.entries(value)
  if (kind === "arrayValue") return (content.values ?? []).map(valueOf)
  return kind === "intValue" ? Number(content) : content
}

const valuesOf = (list: ReadonlyArray<{ readonly key: string; readonly value: object }> = []): Values =>
  Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]))

const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex")

/** Decodes a request, which is protobuf, or else JSON. Fails if the schema does not know it so. */
export const decode = (body: Buffer, type: string | undefined): ReadonlyArray<Span> => {
  const isJson = type === "application/json"
  // In OTLP's own JSON, identifiers are hexadecimal, where protobuf's would have base64.
  const identifiers = new Set(["traceId", "spanId", "parentSpanId"])
  const json = isJson
    ? JSON.parse(
      body.toString(),
      (key, value) =>
        identifiers.has(key) && typeof value === "string" ? Buffer.from(value, "hex").toString("base64") : value
    )
    : undefined
  const problem = json === undefined ? null : message.verify(json)
  if (problem !== null && !/traceId|spanId|parentSpanId|Nano|int64/.test(problem)) throw new Error(problem)
  const decoded = json === undefined ? message.decode(body) : message.fromObject(json)
  const { resourceSpans = [] } = message.toObject(decoded, { longs: String, bytes: String, enums: String })
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }: any) =>
    scopeSpans.flatMap(({ spans = [] }: any) =>
      spans.map((span: any): Span => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId ?? ""),
        traceState: span.traceState ?? "",
        name: span.name,
        kind: span.kind,
        start: milliseconds(span.startTimeUnixNano),
        end: milliseconds(span.endTimeUnixNano),
        attributes: valuesOf(span.attributes),
        events: (span.events ?? []).map(({ attributes, name, timeUnixNano }: any) => ({
          name,
          time: milliseconds(timeUnixNano),
          attributes: valuesOf(attributes)
        })),
        status: { code: span.status?.code ?? "STATUS_CODE_UNSET", message: span.status?.message ?? "" },
        resource: valuesOf(resource.attributes)
      }))
    )
  )
}

/** What a collector answers a request with: a status, or nothing at all. */
type Answer = (count: number) => number | "nothing" | "hang up"

/** Starts a collector on loopback. `answer` gets the number of the request, beginning with 0. */
export const collector = async (answer: Answer = () => 200) => {
  const spans: Array<Span> = []
  const requests: Array<Http.IncomingHttpHeaders & { readonly path: string }> = []
  const server = Http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const outcome = answer(requests.length)
      requests.push({ ...request.headers, path: request.url ?? "" })
      if (outcome === "nothing") return
      if (outcome === "hang up") return void request.socket.destroy()
      if (outcome === 200) spans.push(...decode(Buffer.concat(chunks), request.headers["content-type"]))
      response.writeHead(outcome).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as Net.AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    [Symbol.dispose]: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

/** The names of spans, as a tree: each below the one that its parent names. */
export const tree = (spans: ReadonlyArray<Span>, parent = ""): ReadonlyArray<unknown> =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent).map(({ name, spanId, status }) => {
    const inner = tree(spans, spanId)
    const shown = status.code === "STATUS_CODE_ERROR" ? `✗ ${name}` : name
    return inner.length === 0 ? shown : [shown, ...inner]
  })
