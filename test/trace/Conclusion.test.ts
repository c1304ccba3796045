/** What is said at the end, and what is not claimed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Conclusion from "../../src/trace/Conclusion.ts"
import type { Followed } from "../../src/trace/Follow.ts"
import type { Hop } from "../../src/trace/Journey.ts"
import type { Place } from "../../src/trace/Place.ts"
import type { Prepared } from "../../src/trace/Plan.ts"
import * as Command from "../support/command.ts"

const host: Place = {
  name: "host",
  netns: undefined,
  network: { links: [], routes: [], neighbours: [], answers: [] }
}

const to = { address: "192.0.2.1", port: 80 }

const prepared: Prepared = {
  plans: [{ place: host, selectors: [], devices: [] }],
  host,
  sender: host,
  receiver: undefined,
  flow: { source: "192.0.2.2", receivers: [to] },
  sourcePorts: undefined,
  to,
  protocol: "tcp"
}

const hop = (direction: Hop["direction"], hook: string, fields: Partial<Hop["packet"]> = {}): Hop => ({
  place: "host",
  direction,
  hook,
  chain: { family: "inet", table: "own", name: hook },
  isOwn: true,
  rule: undefined,
  verdict: "accept",
  packet: {
    inLink: undefined,
    outLink: undefined,
    source: "192.0.2.2",
    destination: "192.0.2.1",
    protocol: "tcp",
    sourcePort: 40_000,
    destinationPort: 80,
    id: 1,
    length: 60,
    kind: "syn",
    ...fields
  }
})

const sent = hop("there", "input")

const conclude = (followed: Partial<Followed>, way: Partial<Prepared> = {}) =>
  Conclusion.conclude(
    { ...prepared, ...way },
    { hops: [sent], answer: undefined, hasLost: false, ...followed },
    { logs: [], size: 10, timeout: 1000 },
    new Map()
  ).pipe(Effect.provide(Command.host))

describe("a connection that the sender calls refused", () => {
  it.effect("was, where the receiver reset it", () =>
    Effect.gen(function*() {
      const reset = hop("back", "input", { source: "192.0.2.1", destination: "192.0.2.2", kind: "rst ack" })
      const outcome = yield* conclude({ hops: [hop("there", "postrouting"), reset], answer: { outcome: "refused" } })
      assert.deepStrictEqual(outcome, { _tag: "Arrived", proof: "refused", place: undefined })
    }))

  it.effect("was not, where only a router reported it", () =>
    Effect.gen(function*() {
      const report = hop("back", "input", {
        source: "198.51.100.1",
        destination: "192.0.2.2",
        protocol: "icmp",
        kind: "destination-unreachable port-unreachable"
      })
      const hops = [hop("there", "postrouting", { outLink: "nowhere0" }), report]
      const outcome = yield* conclude({ hops, answer: { outcome: "refused", code: "ECONNREFUSED" } })
      assert.strictEqual(outcome._tag, "Lost")
    }))
})

describe("the end", () => {
  it.effect("is arrival where input was passed, with or without an answer", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* conclude({ answer: { outcome: "silent" } }), {
        _tag: "Arrived",
        proof: "delivered",
        place: "host"
      })
    }))

  it.effect("is not known where events were lost, or what was sent over a connection is not answered", () =>
    Effect.gen(function*() {
      const outcomes = [yield* conclude({ hasLost: true }), yield* conclude({ answer: { outcome: "stalled" } })]
      assert.deepStrictEqual(outcomes.map(({ _tag }) => _tag), ["Unknown", "Unknown"])
    }))

  it.effect("is the drop before anything else", () =>
    Effect.gen(function*() {
      const drop = { ...sent, verdict: "drop" }
      const outcome = yield* conclude({ hops: [sent, drop], answer: { outcome: "answered" } })
      assert.deepStrictEqual(outcome, { _tag: "Dropped", hop: drop, author: undefined })
    }))

  it.effect("is that nothing came, where nothing was sent either", () =>
    Effect.gen(function*() {
      const outcome = yield* conclude({ hops: [] }, { sender: undefined, to: undefined })
      assert.deepStrictEqual(outcome, { _tag: "Nothing", waited: 1000 })
    }))
})
