/** What is said at the end, and what is not claimed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HostTools from "../../src/exec/HostTools.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Cidr from "../../src/network/Cidr.ts"
import * as Conclusion from "../../src/trace/Conclusion.ts"
import type { Hop } from "../../src/trace/Journey.ts"
import type { Followed } from "../../src/trace/PacketFollower.ts"
import type { Prepared } from "../../src/trace/Plan.ts"
import type { Place } from "../../src/trace/TracedNamespace.ts"
import * as Command from "../support/command.ts"

const host: Place = {
  id: "4:1",
  name: "host",
  containerId: undefined,
  netns: undefined,
  network: { links: [], routes: [], neighbours: [], answers: [] }
}

const to = { address: "192.0.2.1", port: 80 }

const address = { family: 4 as const, text: "192.0.2.1/24" }
const link = { name: "eth0", addresses: [{ ...address, ...Cidr.parse(address.text) }] }
/** A container with that address. */
const web = { ...host, id: "4:2", name: "web", network: { ...host.network, links: [link] } } as unknown as Place

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

const conclude = (followed: Partial<Followed>, way: Partial<Prepared> = {}, runs = nodeProcessRunner) =>
  Conclusion.conclude(
    { ...prepared, ...way },
    { hops: [sent], answer: undefined, hasLost: false, ...followed },
    { logs: [], size: 10, timeout: 1000 },
    new Map()
  ).pipe(Effect.provideService(ProcessRunner, runs), Effect.provide(Command.host))

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
      assert.deepInclude(outcome, { _tag: "Lost", isRefusedBeyond: true })
    }))
})

/** A host with one rule of iptables-legacy, which resets connections that it forwards. */
const rejecting: typeof nodeProcessRunner = {
  run: ({ argv }) => {
    const line = argv.join(" ")
    const output = line.endsWith("ip_tables_names")
      ? "filter\n"
      : line.endsWith("iptables-legacy-save")
      ? "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset\nCOMMIT\n"
      : ""
    return Effect.succeed({
      argv,
      stdin: "",
      stdout: new TextEncoder().encode(output),
      stderr: new Uint8Array(),
      truncated: false,
      timedOut: false,
      exitCode: 0,
      signal: null,
      durationMs: 1
    })
  }
}

const tools: HostTools.Tools = { find: (name) => `/usr/sbin/${name}`, env: {} }

describe("a reset", () => {
  const reset = hop("back", "prerouting", { source: "192.0.2.1", destination: "192.0.2.2", kind: "rst ack" })
  const outcomeAfter = (last: Hop) =>
    conclude({ hops: [last, reset], answer: { outcome: "refused" } }, {}, rejecting).pipe(
      Effect.provideService(HostTools.HostTools, tools)
    )

  it.effect("is predicted to be of the rule of iptables-legacy that the packet was not seen to pass", () =>
    Effect.gen(function*() {
      const outcome = yield* outcomeAfter(hop("there", "prerouting"))
      assert.deepInclude(outcome, { _tag: "Lost", place: "host", hook: "prerouting" })
    }))

  it.effect("is of nobody known, where such rules may have done it", () =>
    Effect.gen(function*() {
      const outcome = yield* outcomeAfter(hop("there", "prerouting", { destinationPort: 81 }))
      assert.strictEqual(outcome._tag, "Unknown")
    }))

  it.effect("is of the receiver, where the packet was seen past them", () =>
    Effect.gen(function*() {
      const outcome = yield* outcomeAfter(hop("there", "postrouting"))
      assert.deepInclude(outcome, { _tag: "Arrived", proof: "refused" })
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

  it.effect("is the drop of a packet that was not answered", () =>
    Effect.gen(function*() {
      const drop = { ...sent, verdict: "drop" }
      const outcome = yield* conclude({ hops: [sent, drop], answer: { outcome: "silent" } })
      assert.deepStrictEqual(outcome, { _tag: "Dropped", hop: drop, author: undefined })
    }))

  it.effect("is the answer, although a later packet was dropped", () =>
    Effect.gen(function*() {
      const reply = hop("back", "postrouting", { kind: "syn ack" })
      const drop = { ...hop("there", "forward", { id: 7, kind: "fin ack" }), verdict: "drop" }
      const outcomes = [
        yield* conclude({ hops: [sent, drop], answer: { outcome: "answered" } }),
        yield* conclude({ hops: [sent, reply, drop] }, { sender: undefined, to: undefined })
      ]
      for (const outcome of outcomes) {
        assert.deepInclude(outcome, { _tag: "Arrived", proof: "answered", droppedLater: drop })
      }
    }))

  it.effect("is the drop of the answer, where packets are waited for", () =>
    Effect.gen(function*() {
      const reply = hop("back", "forward", { kind: "syn ack" })
      const drop = { ...reply, verdict: "drop" }
      const outcome = yield* conclude({ hops: [sent, reply, drop] }, { sender: undefined, to: undefined })
      assert.deepInclude(outcome, { _tag: "Dropped", hop: drop })
    }))

  for (
    const [where, last, place] of [
      ["in the receiver, where nat led to it", hop("there", "postrouting"), "web"],
      [
        "elsewhere, where nat led to another container",
        hop("there", "postrouting", { destination: "10.9.0.9" }),
        undefined
      ],
      ["in the host, where it was delivered there", hop("there", "input"), "host"]
    ] as const
  ) {
    for (const answer of [{ outcome: "answered" }, { outcome: "refused" }] as const) {
      it.effect(`is ${answer.outcome} ${where}`, () =>
        Effect.gen(function*() {
          const reset = hop("back", "input", { source: "192.0.2.1", destination: "192.0.2.2", kind: "rst ack" })
          const plans = [...prepared.plans, { place: web, selectors: [], devices: [] }]
          const outcome = yield* conclude({ hops: [last, reset], answer }, { plans, receiver: web })
          assert.deepStrictEqual(outcome, { _tag: "Arrived", proof: answer.outcome, place })
        }))
    }
  }

  it.effect("is that the answer was lost, where the host shows it and the sender does not get it", () =>
    Effect.gen(function*() {
      const reply = hop("back", "postrouting", { source: "192.0.2.1", destination: "10.9.0.2", kind: "rst ack" })
      const hops = [hop("there", "postrouting"), reply]
      const outcome = yield* conclude({ hops, answer: { outcome: "silent" } }, { sender: web })
      assert.deepInclude(outcome, { _tag: "Lost", place: "host", hook: "postrouting", isAnswer: true })
    }))

  it.effect("is not known where nat changed the source port, and the receiver did not show the packet", () =>
    Effect.gen(function*() {
      const plans = [...prepared.plans, { place: web, selectors: [], devices: [] }]
      const hops = [hop("there", "output"), hop("there", "postrouting", { sourcePort: 1, outLink: "nowhere0" })]
      const outcome = yield* conclude({ hops, answer: { outcome: "silent" } }, { plans, receiver: web })
      assert.strictEqual(outcome._tag, "Unknown")
    }))

  it.effect("is not arrival where the packet was not seen past all rules of input", () =>
    Effect.gen(function*() {
      const outcome = yield* conclude({ hops: [{ ...sent, isOwn: false }], answer: { outcome: "silent" } })
      assert.deepInclude(outcome, { _tag: "Lost", hook: "input" })
    }))

  it.effect("is that nothing came, where nothing was sent either", () =>
    Effect.gen(function*() {
      const outcome = yield* conclude({ hops: [] }, { sender: undefined, to: undefined })
      assert.deepStrictEqual(outcome, { _tag: "Nothing", waited: 1000 })
    }))
})
