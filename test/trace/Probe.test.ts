/** What the sender reports. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dgram from "node:dgram"
import type { AddressInfo } from "node:net"
import * as Net from "node:net"
import * as Probe from "../../src/trace/Probe.ts"

const question = (fields: Partial<Probe.Question>): Probe.Question => ({
  protocol: "tcp",
  sourcePort: 0,
  to: "127.0.0.1",
  port: 1,
  size: 0,
  timeout: 20_000,
  ...fields
})

const server = (onConnection: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer(onConnection).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  )

const receiver = Effect.acquireRelease(
  Effect.callback<Dgram.Socket>((resume) => {
    const socket = Dgram.createSocket("udp4").bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
  }),
  (socket) => Effect.sync(() => void socket.close())
)

const portOf = (server: Net.Server): number => (server.address() as AddressInfo).port

describe("a connection", () => {
  it.live("that is accepted is answered", () =>
    Effect.gen(function*() {
      const port = portOf(yield* server((socket) => void socket.on("error", () => {}).end()))
      assert.deepStrictEqual(yield* Probe.ask(question({ port })), { outcome: "answered" })
    }).pipe(Effect.scoped))

  it.live("that is accepted, and over which nothing comes back, stalls", () =>
    Effect.gen(function*() {
      const port = portOf(yield* server((socket) => void socket.on("error", () => {}).pause()))
      assert.deepStrictEqual(yield* Probe.ask(question({ port, size: 10, timeout: 500 })), { outcome: "stalled" })
    }).pipe(Effect.scoped))

  it.live("to a port where nothing listens is refused", () =>
    Effect.gen(function*() {
      const answer = yield* Probe.ask(question({ port: 1 }))
      assert.deepStrictEqual(answer, { outcome: "refused", code: "ECONNREFUSED" })
    }))

  it.live("from a port that is in use fails", () =>
    Effect.gen(function*() {
      const used = portOf(yield* server(() => {}))
      const other = portOf(yield* server(() => {}))
      const answer = yield* Probe.ask(question({ port: other, sourcePort: used, from: "127.0.0.1" }))
      assert.deepStrictEqual(answer, { outcome: "failed", code: "EADDRINUSE" })
    }).pipe(Effect.scoped))
})

describe("a datagram", () => {
  it.live("that is answered is reported as answered", () =>
    Effect.gen(function*() {
      const socket = yield* receiver
      socket.on("message", (_, { address, port }) => socket.send("x", port, address))
      const answer = yield* Probe.ask(question({ protocol: "udp", port: socket.address().port, size: 17 }))
      assert.deepStrictEqual(answer, { outcome: "answered" })
    }).pipe(Effect.scoped))

  it.live("that is not answered is silent, and has the requested size", () =>
    Effect.gen(function*() {
      const socket = yield* receiver
      const sizes: Array<number> = []
      socket.on("message", ({ length }) => void sizes.push(length))
      const answer = yield* Probe.ask(
        question({ protocol: "udp", port: socket.address().port, size: 900, timeout: 500 })
      )
      assert.deepStrictEqual([answer, sizes], [{ outcome: "silent" }, [900]])
    }).pipe(Effect.scoped))
})
