/** Where metrics of Prometheus go: a file that an exporter reads, or a port that Prometheus asks. */
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Metrics } from "../export/Metrics.ts"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as HostRoot from "../host/HostRoot.ts"
import * as OnHost from "./OnHost.ts"

/** A port of this host, or the path of a file. */
export type Target =
  | { readonly _tag: "Port"; readonly host: string; readonly port: number }
  | { readonly _tag: "File"; readonly path: string }

const loopback = "127.0.0.1"

const expected = "expected a file, :PORT or ADDRESS:PORT"

/** Reads `:9090`, `ADDRESS:9090`, `[IPv6]:9090`, or else the path of a file. Throws if it looks like a port but is not one. */
export const parse = (text: string): Target => {
  const [, bracketed, host, port] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]*)):(\d+)$/.exec(text) ?? []
  if (port !== undefined) {
    if (Number(port) > 65_535) throw new Error(`found ${JSON.stringify(text)}, expected a port up to 65535`)
    return { _tag: "Port", host: bracketed ?? (host || loopback), port: Number(port) }
  }
  if (text === "") throw new Error(expected)
  if (/^\d+$|^[^/]*:[^/]*$/.test(text)) {
    throw new Error(`found ${JSON.stringify(text)}, ${expected}; for a file, give ./${text}`)
  }
  return { _tag: "File", path: text }
}

export const flag = Flag.String("prometheus").pipe(
  Flag.withDescription(
    "Give metrics to Prometheus: :PORT listens on loopback, and ADDRESS:PORT there; a FILE is replaced as a whole, as " +
      "node_exporter's textfile collector expects"
  ),
  Flag.withMetavar("file|:port"),
  Flag.mapTryCatch(parse, (error) => error instanceof Error ? error.message : String(error)),
  Flag.optional
)

/** The port is in use, or the address is not one of this host. */
export class NotListening extends Data.TaggedError("NotListening")<{ readonly message: string }> {}

/** Metrics at a place where others read them. */
export interface Place {
  /** Where that is, in words. */
  readonly name: string
  /** Whether they are read only while this process lives. */
  readonly needsUs: boolean
  /** Writes their present values, if they do not read them here. */
  readonly publish: Effect.Effect<void, AtomicFile.NotWritten>
}

/** The version of the text format. */
const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** How many connections are open at once. Prometheus needs one. */
const mostConnections = 16

const answer = (metrics: Metrics): Http.RequestListener => (request, response) => {
  request.resume()
  const { pathname } = new URL(request.url ?? "/", "http://localhost")
  const isRead = request.method === "GET" || request.method === "HEAD"
  if (pathname !== "/metrics" || !isRead) {
    response.writeHead(isRead ? 404 : 405, { "content-type": "text/plain" }).end("the metrics are at /metrics\n")
    return
  }
  response.writeHead(200, { "content-type": contentType }).end(request.method === "HEAD" ? "" : metrics.text())
}

const nameOf = ({ address, family, port }: Net.AddressInfo): string =>
  `http://${family === "IPv6" ? `[${address}]` : address}:${port}/metrics`

const listen = ({ host, port }: Extract<Target, { readonly _tag: "Port" }>, metrics: Metrics) =>
  Effect.acquireRelease(
    Effect.callback<Http.Server, NotListening>((resume) => {
      const server = Http.createServer(answer(metrics))
      server.maxConnections = mostConnections
      server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "the port is in use" : error.message
        resume(new NotListening({ message: `cannot listen on ${host}:${port}: ${reason}` }))
      })
      server.listen(port, host, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

/** Begins to give these metrics, until the scope closes. */
export const open = Effect.fnUntraced(function*(target: Target, metrics: Metrics, asked: OnHost.Asked) {
  if (target._tag === "Port") {
    const server = yield* listen(target, metrics)
    const name = nameOf(server.address() as Net.AddressInfo)
    return { name, needsUs: true, publish: Effect.void } satisfies Place as Place
  }
  const path = OnHost.seenFile(asked, HostRoot.resolved(target.path))
  yield* AtomicFile.checkOwner(path)
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof AtomicFile.replaceText>>>()
  const publish = Effect.suspend(() => AtomicFile.replaceText(path, metrics.text())).pipe(
    Effect.catchTag("ContentChanged", () => Effect.void),
    Effect.provideContext(context)
  )
  return { name: path, needsUs: false, publish } satisfies Place as Place
})
