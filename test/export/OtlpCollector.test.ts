/** What is sent to a collector, what its answers mean, and what the environment says about it. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import * as Export from "../../src/export/Export.ts"
import * as OtlpCollector from "../../src/export/OtlpCollector.ts"
import { version } from "../../src/Version.ts"
import { decode } from "../support/otlp.ts"
import { failingIpam, read } from "./records.ts"

const url = "http://127.0.0.1:4318"
const spans = Export.spans(read(failingIpam()))

type Answer = (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Response, HttpClientError.HttpClientError>

/** Sends spans to a collector that answers like this. */
const sending = (answer: Answer, options: Partial<OtlpCollector.Options> = {}) => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) => {
    requests.push(request)
    return Effect.map(answer(request), (response) => HttpClientResponse.fromWeb(request, response))
  })
  const sent = Effect.flatMap(OtlpCollector.make({ url, ...options }), ({ send }) => send(spans)).pipe(
    Effect.provideService(HttpClient.HttpClient, client)
  )
  return { requests, sent }
}

const answering = (status: number, headers: { readonly [name: string]: string } = {}): Answer => () =>
  Effect.succeed(new Response(null, { status, headers }))

/** The only request for these options, and its spans as the published schema decodes them. */
const requestOf = (options: Partial<OtlpCollector.Options>) =>
  Effect.gen(function*() {
    const { requests, sent } = sending(answering(200), options)
    yield* sent
    const [request] = requests
    if (requests.length !== 1 || request?.body._tag !== "Uint8Array") return assert.fail("one request with bytes")
    const { body, contentType } = request.body
    return { request, contentType, spans: decode(Buffer.from(body), contentType) }
  })

describe("a request to a collector", () => {
  const formats = [["protobuf", "application/x-protobuf"], ["json", "application/json"]] as const
  for (const [format, type] of formats) {
    it.effect(`has all spans as ${type}`, () =>
      Effect.gen(function*() {
        const { contentType, spans } = yield* requestOf({ format })
        assert.strictEqual(contentType, type)
        assert.deepStrictEqual(spans.map(({ name }) => name), ["ADD eth0 on podman", "multus", "bridge", "host-local"])
        assert.deepInclude(spans[0]?.resource, { "service.name": "cni-passthrough", "service.version": version })
      }))
  }

  it.effect("is in protobuf if no format is named", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* requestOf({})).contentType, "application/x-protobuf")
    }))

  it.effect("names us, and has the headers that were asked for", () =>
    Effect.gen(function*() {
      const { request } = yield* requestOf({ headers: { "X-Tenant": "a" } })
      assert.strictEqual(request.method, "POST")
      assert.strictEqual(request.headers["user-agent"], `cni-passthrough/${version}`)
      assert.strictEqual(request.headers["x-tenant"], "a")
      assert.notProperty(request.headers, "traceparent")
    }))

  const paths: ReadonlyArray<readonly [url: string, target: string]> = [
    ["http://h:4318", "http://h:4318/v1/traces"],
    ["http://h:4318/", "http://h:4318/v1/traces"],
    ["https://h/otlp/", "https://h/otlp/v1/traces"],
    ["http://h/v1/traces", "http://h/v1/traces"],
    ["http://h/a/b?key=c", "http://h/a/b/v1/traces?key=c"]
  ]
  for (const [url, target] of paths) {
    it.effect(`for ${url} goes to ${target}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* requestOf({ url })).request.url, target)
      }))
  }

  for (const url of ["127.0.0.1:4318", "ftp://h", "http://", "http:///x", "see http://h", "http://h:99999"]) {
    it.effect(`is not made for ${url}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(sending(answering(200), { url }).sent)
        assert.strictEqual(
          error.message,
          `found ${JSON.stringify(url)}, expected the URL of a collector such as http://127.0.0.1:4318`
        )
      }))
  }
})

describe("an answer of a collector", () => {
  const failureOf = (answer: Answer, options?: Partial<OtlpCollector.Options>) =>
    Effect.map(Effect.flip(sending(answer, options).sent), (error) => {
      if (error._tag !== "NotSent") throw error
      const { isTransient, message, retryAfter } = error
      return { message, isTransient, retryAfter }
    })

  it.effect("from 200 to 299 says that all spans were taken", () =>
    Effect.gen(function*() {
      for (const status of [200, 299]) assert.isUndefined(yield* sending(answering(status)).sent)
    }))

  it.effect("may say that some spans were refused, in the format that it names", () =>
    Effect.gen(function*() {
      const text = JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } })
      const answer = (type: string): Answer => () =>
        Effect.succeed(new Response(text, { headers: { "content-type": type } }))
      assert.deepStrictEqual(yield* sending(answer("application/json")).sent, { rejectedSpans: 2, message: "too old" })
      assert.isUndefined(yield* sending(answer("application/x-protobuf")).sent)
    }))

  const statuses = [[300, false], [400, false], [404, false], [429, true], [499, false], [500, true], [
    503,
    true
  ]] as const
  for (const [status, isTransient] of statuses) {
    it.effect(`of ${status} is ${isTransient ? "worth another attempt" : "final"}`, () =>
      Effect.gen(function*() {
        const message = `${url}/v1/traces answers ${status}`
        assert.deepStrictEqual(yield* failureOf(answering(status)), { message, isTransient, retryAfter: undefined })
      }))
  }

  const waits = [["0", 0], ["7", 7000], ["60", 60_000], ["61", 60_000], ["-1", undefined], ["soon", undefined]] as const
  for (const [value, retryAfter] of waits) {
    it.effect(`with Retry-After: ${value} asks for ${retryAfter ?? "no"} milliseconds`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* failureOf(answering(503, { "retry-after": value }))).retryAfter, retryAfter)
      }))
  }

  it.effect("is named without the password, user and key of the URL", () =>
    Effect.gen(function*() {
      const { message } = yield* failureOf(answering(400), { url: "http://me:secret@h/?key=secret" })
      assert.strictEqual(message, "http://h/v1/traces answers 400")
    }))

  it.effect("is missing after ten seconds", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(failureOf(() => Effect.never))
      yield* TestClock.adjust(9_999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const message = `${url}/v1/traces does not answer`
      assert.deepStrictEqual(yield* Fiber.join(fiber), { message, isTransient: true, retryAfter: undefined })
    }))

  const refused = new Error("connect ECONNREFUSED 127.0.0.1:4318")
  const reasons: ReadonlyArray<readonly [what: string, cause: Error, words: string]> = [
    ["of an error", refused, refused.message],
    ["of what an error was caused by", new Error("fetch failed", { cause: refused }), refused.message],
    ["of the first of several errors", new AggregateError([refused, new Error("other")], "all"), refused.message]
  ]
  for (const [what, cause, words] of reasons) {
    it.effect(`that does not come has the reason ${what}`, () =>
      Effect.gen(function*() {
        const found = yield* failureOf((request) =>
          Effect.fail(
            new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
          )
        )
        const message = `${url}/v1/traces cannot be reached: ${words}`
        assert.deepStrictEqual(found, { message, isTransient: true, retryAfter: undefined })
      }))
  }
})

describe("the environment", () => {
  const optionsOf = (env: { readonly [name: string]: string }, named?: string) =>
    OtlpCollector.optionsFromEnvironment(named).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    )
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: url }
  const resourceOf = (env: { readonly [name: string]: string }) =>
    Effect.map(
      optionsOf({ ...endpoint, ...env }),
      (options) =>
        Object.fromEntries(options?.resource?.attributes.map(({ key, value }) => [key, value.stringValue]) ?? [])
    )

  it.effect("names no collector", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* optionsOf({}))
      assert.isUndefined(yield* optionsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }))
    }))

  it.effect("names a collector, which takes protobuf, unless the command line names one", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* optionsOf(endpoint), { url, format: "protobuf", headers: undefined })
      assert.deepInclude(yield* optionsOf(endpoint, "http://other"), { url: "http://other" })
      assert.deepInclude(yield* optionsOf({}, "http://other"), { url: "http://other" })
    }))

  it.effect("chooses a format of two", () =>
    Effect.gen(function*() {
      const protocol = (name: string) => optionsOf({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: name })
      assert.deepInclude(yield* protocol("http/json"), { format: "json" })
      assert.deepInclude(yield* protocol("http/protobuf"), { format: "protobuf" })
      assert.strictEqual(
        (yield* Effect.flip(protocol("grpc"))).message,
        `OTEL_EXPORTER_OTLP_PROTOCOL: found "grpc", expected http/protobuf or http/json`
      )
    }))

  it.effect("has headers, whose parts may be URI-encoded", () =>
    Effect.gen(function*() {
      const headers = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20YQ,b=2" }
      assert.deepInclude(yield* optionsOf({ ...endpoint, ...headers }), {
        headers: { authorization: "Basic YQ", b: "2" }
      })
      const error = yield* Effect.flip(optionsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "a=%" }))
      assert.strictEqual(error._tag, "NotACollector")
      assert.notInclude(error.message, "\n")
    }))

  it.effect("says what the spans are of, and the name of the service wins over the attribute", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* resourceOf({}), { "service.name": "cni-passthrough", "service.version": version })
      const attributes = { OTEL_RESOURCE_ATTRIBUTES: "service.name=a,service.version=2,zone=b" }
      assert.deepInclude(yield* resourceOf(attributes), { "service.name": "a", "service.version": "2", zone: "b" })
      const { resource } = (yield* optionsOf({ ...endpoint, ...attributes })) ?? {}
      const keys = resource?.attributes.map(({ key }) => key) ?? []
      assert.strictEqual(new Set(keys).size, keys.length)
      assert.deepInclude((yield* requestOf({ resource })).spans[0]?.resource, { "service.name": "a", zone: "b" })
      assert.deepInclude(yield* resourceOf({ ...attributes, OTEL_SERVICE_NAME: "c" }), { "service.name": "c" })
    }))
})
