/** A collector of OpenTelemetry, as an endpoint that takes spans by HTTP. */
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as OtlpResource from "effect/observability/OtlpResource"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as Schema from "effect/Schema"
import { version } from "../Version.ts"
import * as PartialSuccess from "./PartialSuccess.ts"
import type { Span } from "./Spans.ts"

/** The name that these spans have in a trace, unless the environment sets another one. */
export const serviceName = "cni-passthrough"

/** How long a collector may take to answer, in milliseconds. */
const timeout = 10_000

/** A URL or a variable of the environment is of no use. */
export class NotACollector extends Data.TaggedError("NotACollector")<{ readonly message: string }> {}

/** A collector did not take spans. */
export class NotSent extends Data.TaggedError("NotSent")<{
  readonly url: string
  readonly reason: string
  /** Whether the same spans may be taken later. */
  readonly isTransient: boolean
  /** How long the collector asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined
}> {
  override readonly message = `${this.url} ${this.reason}`
}

/** Where to send spans, and how. */
export interface Options {
  /** The collector, such as `http://127.0.0.1:4318`, or the path that takes traces: `…/v1/traces`. */
  readonly url: string
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly format?: "protobuf" | "json" | undefined
  /** What the spans are of. Default: a service `cni-passthrough`. */
  readonly resource?: OtlpResource.Resource | undefined
}

const isUrl = (text: string): boolean => /^https?:\/\/[^/]/.test(text) && URL.canParse(text)

/** The path that takes traces. Source: OpenTelemetry, "OTLP Exporter", "Endpoint URLs for OTLP/HTTP". */
const tracesUrl = (text: string): string => {
  const url = new URL(text)
  if (!url.pathname.endsWith("/v1/traces")) url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/traces`
  return url.toString()
}

/** The URL without a password. */
const shownUrl = (text: string): string => {
  const url = new URL(text)
  url.username = ""
  url.password = ""
  url.search = ""
  return url.toString()
}

/** The innermost reason of an error, such as `connect ECONNREFUSED 127.0.0.1:4318`. */
const innermost = (error: Error): string => {
  const cause = error.cause ?? (error as { readonly errors?: ReadonlyArray<unknown> }).errors?.[0]
  return cause instanceof Error ? innermost(cause) : error.message
}

const retryAfterOf = (value: string | undefined): number | undefined => {
  const seconds = Number(value)
  return value === undefined || !(seconds >= 0) ? undefined : Math.min(seconds, 60) * 1000
}

/** Makes a collector. `send` sends spans once, and returns what the collector refused of them. */
export const make = Effect.fnUntraced(function*(options: Options) {
  if (!isUrl(options.url)) {
    return yield* new NotACollector({
      message: `found ${JSON.stringify(options.url)}, expected the URL of a collector such as http://127.0.0.1:4318`
    })
  }
  const client = HttpClient.transformResponse(
    yield* HttpClient.HttpClient,
    // No span of ours is around the request itself.
    Effect.provideService(HttpClient.TracerPropagationEnabled, false)
  )
  const layer = options.format === "json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf
  const serialization = yield* Effect.provide(OtlpSerialization.OtlpSerialization, layer)
  const target = tracesUrl(options.url)
  const url = shownUrl(target)
  const resource = options.resource ?? OtlpResource.make({ serviceName, serviceVersion: version })
  const headers = Headers.setAll(
    Headers.fromInput({ "user-agent": `${serviceName}/${version}` }),
    options.headers ?? {}
  )
  const request = HttpClientRequest.post(target, { headers })
  const failed = (reason: string, isTransient: boolean, retryAfter?: string) =>
    new NotSent({ url, reason, isTransient, retryAfter: retryAfterOf(retryAfter) })

  const post = Effect.fnUntraced(function*(spans: ReadonlyArray<Span>) {
    const scopeSpans = [{ scope: { name: serviceName, version }, spans: [...spans] }]
    const body = serialization.traces({ resourceSpans: [{ resource, scopeSpans }] })
    const response = yield* client.execute(HttpClientRequest.setBody(request, body))
    const answer = yield* Effect.orElseSucceed(response.arrayBuffer, () => new ArrayBuffer(0))
    return { headers: response.headers, status: response.status, answer: new Uint8Array(answer) }
  })

  return {
    url,
    send: (spans: ReadonlyArray<Span>): Effect.Effect<PartialSuccess.PartialSuccess | undefined, NotSent> =>
      post(spans).pipe(
        Effect.timeout(timeout),
        Effect.withTracerEnabled(false),
        Effect.matchEffect({
          onFailure: (error: HttpClientError.HttpClientError | { readonly _tag: "TimeoutError" }) =>
            Effect.fail(
              error._tag === "TimeoutError"
                ? failed("does not answer", true)
                : failed(`cannot be reached: ${innermost(error)}`, true)
            ),
          onSuccess: ({ answer, headers, status }) =>
            status >= 200 && status < 300
              ? Effect.succeed(PartialSuccess.read(answer, headers["content-type"] ?? ""))
              // Source: OTLP, "Failures", "Retryable Response Codes". Proxies also answer with other codes from 500.
              : Effect.fail(failed(`answers ${status}`, status === 429 || status >= 500, headers["retry-after"]))
        })
      )
  }
})

export type OtlpCollector = Effect.Success<ReturnType<typeof make>>

/** Pairs such as `a=1,b=2`, whose parts may be URI-encoded. */
const pairs = (name: string) =>
  Config.option(Config.Record(Schema.StringFromUriComponent, Schema.StringFromUriComponent, name))

/** What the environment says, by the variables of OpenTelemetry. Source: "OpenTelemetry Protocol Exporter". */
const variables = Config.all({
  url: Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT")),
  protocol: Config.option(Config.String("OTEL_EXPORTER_OTLP_PROTOCOL")),
  headers: pairs("OTEL_EXPORTER_OTLP_HEADERS"),
  resource: pairs("OTEL_RESOURCE_ATTRIBUTES"),
  name: Config.option(Config.String("OTEL_SERVICE_NAME"))
})

const formats: { readonly [protocol: string]: Options["format"] } = { "http/protobuf": "protobuf", "http/json": "json" }

/** The collector that `url` or the environment names; undefined if none is named. */
export const optionsFromEnvironment = Effect.fnUntraced(function*(url: string | undefined) {
  const found = yield* Effect.mapError(
    variables,
    ({ message }) => new NotACollector({ message: message.replaceAll(/\s+/g, " ") })
  )
  const chosen = url ?? (found.url._tag === "Some" && found.url.value !== "" ? found.url.value : undefined)
  if (chosen === undefined) return undefined
  const protocol = found.protocol._tag === "Some" ? found.protocol.value : "http/protobuf"
  const format = formats[protocol]
  if (format === undefined) {
    return yield* new NotACollector({
      message: `OTEL_EXPORTER_OTLP_PROTOCOL: found ${JSON.stringify(protocol)}, expected ${
        Object.keys(formats).join(" or ")
      }`
    })
  }
  const attributes = found.resource._tag === "Some" ? { ...found.resource.value } : {}
  const name = found.name._tag === "Some" ? found.name.value : attributes["service.name"]
  const ownVersion = attributes["service.version"]
  delete attributes["service.name"]
  delete attributes["service.version"]
  return {
    url: chosen,
    headers: found.headers._tag === "Some" ? found.headers.value : undefined,
    format,
    resource: OtlpResource.make({
      serviceName: name ?? serviceName,
      serviceVersion: ownVersion ?? version,
      attributes
    })
  } satisfies Options as Options
})
