/** Why a packet went no further, from what tools say about the namespace where it was last seen. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Cidr from "../../src/network/Cidr.ts"
import * as Explanation from "../../src/trace/Explanation.ts"
import type { Place } from "../../src/trace/TracedNamespace.ts"
import type { Packet } from "../../src/trace/TraceOutput.ts"

const address = { family: 4 as const, text: "10.88.0.1/16" }
const web: Place = {
  id: "4:2",
  name: "web",
  containerId: "web",
  netns: undefined,
  network: {
    links: [{ name: "eth0", addresses: [{ ...address, ...Cidr.parse(address.text) }] }],
    routes: [],
    neighbours: [],
    answers: []
  } as never
}

const packet: Packet = {
  inLink: "eth0",
  outLink: undefined,
  source: "10.88.0.2",
  destination: "192.0.2.1",
  protocol: "tcp",
  sourcePort: 40_000,
  destinationPort: 80,
  id: 1,
  length: 60,
  kind: "syn"
}
const packet6 = { ...packet, source: "fd00::2", destination: "fd00:1::1" }

/** What tools print by the ends of their command lines; a text that begins with ! is an error. */
type Outputs = { readonly [command: string]: string }

const withTools = <A, E>(outputs: Outputs, effect: Effect.Effect<A, E, ProcessRunner>) =>
  effect.pipe(
    Effect.provideService(
      ProcessRunner,
      ProcessRunner.of({
        run: ({ argv }) => {
          const line = argv.join(" ")
          const [, output = ""] = Object.entries(outputs).find(([command]) => line.endsWith(command)) ?? []
          const hasFailed = output.startsWith("!")
          return Effect.succeed({
            argv,
            stdin: "",
            stdout: new TextEncoder().encode(hasFailed ? "" : output),
            stderr: new TextEncoder().encode(hasFailed ? output.slice(1) : ""),
            truncated: false,
            timedOut: false,
            exitCode: hasFailed ? 2 : 0,
            signal: null,
            durationMs: 1
          })
        }
      })
    ),
    Effect.provideService(HostTools.HostTools, { find: (name) => `/usr/sbin/${name}`, env: {} })
  )

const unreachable = "!RTNETLINK answers: Network is unreachable\n"
const dev = (name: string, gateway?: string) => JSON.stringify([{ dev: name, gateway }])

describe("the filter by the reverse path", () => {
  const of = (outputs: Outputs, counters: ReadonlyArray<readonly [string, number]> = [], of: Packet = packet) =>
    withTools(outputs, Explanation.reversePath(web, of, "eth0", new Map(counters)))
  const strict = { "ipv4/conf/all/rp_filter": "0\n", "ipv4/conf/eth0/rp_filter": "1\n" }
  const arriving = "route get 192.0.2.1 from 10.88.0.2 iif eth0"

  it.effect("refuses what would not go back by the same link", () =>
    Effect.gen(function*() {
      for (const error of ["Invalid cross-device link", "Invalid argument"]) {
        const outputs = { ...strict, [arriving]: `!RTNETLINK answers: ${error}\n`, "route get 10.88.0.2": dev("eth1") }
        assert.deepStrictEqual(yield* of(outputs), {
          text: "rp_filter of eth0 in web refuses it: its route back to 10.88.0.2 leads by eth1, not by eth0",
          evidence: ["net.ipv4.conf.{all,eth0}.rp_filter = 0, 1"]
        })
      }
    }))

  it.effect("refuses what has no way back, where the counter of the kernel rose", () =>
    Effect.gen(function*() {
      const outputs = { ...strict, [arriving]: dev("eth1"), "route get 10.88.0.2": unreachable }
      assert.deepStrictEqual(yield* of(outputs, [["TcpExtIPReversePathFilter", 3]]), {
        text: "rp_filter of eth0 in web refuses it: it has no route back to 10.88.0.2, not by eth0",
        evidence: [
          "the counter TcpExtIPReversePathFilter of web rose by 3",
          "net.ipv4.conf.{all,eth0}.rp_filter = 0, 1"
        ]
      })
    }))

  it.effect("refuses nothing where the kernel would route it, or refuses it for another reason", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* of({ ...strict, [arriving]: dev("eth1") }))
      assert.isUndefined(yield* of({ ...strict, [arriving]: unreachable }))
    }))

  it.effect("refuses nothing where it is off, and no IPv6", () =>
    Effect.gen(function*() {
      const risen = [["TcpExtIPReversePathFilter", 3]] as const
      assert.isUndefined(yield* of({ ...strict, "ipv4/conf/eth0/rp_filter": "0\n" }, risen))
      assert.isUndefined(yield* of({}, risen))
      assert.isUndefined(yield* of(strict, risen, packet6))
      assert.isDefined(yield* of({ ...strict, "conf/all/rp_filter": "2\n", "conf/eth0/rp_filter": "0\n" }, risen))
    }))
})

describe("a packet that was neither forwarded nor delivered", () => {
  const of = (outputs: Outputs, counters: ReadonlyArray<readonly [string, number]> = [], of: Packet = packet) =>
    withTools(outputs, Explanation.routing(web, of, "eth0", new Map(counters)))
  const arriving = "route get 192.0.2.1 from 10.88.0.2 iif eth0"
  const routed = { "ipv4/conf/eth0/forwarding": "1\n", [arriving]: dev("eth1") }

  it.effect("was not forwarded, where the link does not forward", () =>
    Effect.gen(function*() {
      const off = { ...routed, "ipv4/conf/eth0/forwarding": "0\n" }
      assert.deepStrictEqual(yield* of(off, [["IpInAddrErrors", 2]]), {
        text: "web does not forward what arrives on eth0",
        evidence: ["the counter IpInAddrErrors of web rose by 2", "net.ipv4.conf.eth0.forwarding = 0"]
      })
      assert.isUndefined(yield* of(off, [], { ...packet, destination: "10.88.0.1" }))
    }))

  it.effect("of IPv6 was not forwarded, where no link forwards", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* of({ "ipv6/conf/all/forwarding": "0\n" }, [["Ip6InAddrErrors", 1], ["IpInAddrErrors", 0]], packet6),
        {
          text: "web does not forward what arrives on eth0",
          evidence: [
            "the counter IpInAddrErrors of web rose by 0",
            "the counter Ip6InAddrErrors of web rose by 1",
            "net.ipv6.conf.all.forwarding = 0"
          ]
        }
      )
    }))

  const errors: ReadonlyArray<readonly [error: string, words: string]> = [
    ["Network is unreachable", "web has no route to 192.0.2.1"],
    ["No route to host", "web has an unreachable route to 192.0.2.1"],
    ["Permission denied", "web prohibits traffic to 192.0.2.1"],
    ["Invalid argument", "web has a blackhole route to 192.0.2.1"],
    ["Something else", "web cannot route to 192.0.2.1"]
  ]
  for (const [error, text] of errors) {
    it.effect(`was not routed: ${error}`, () =>
      Effect.gen(function*() {
        const outputs = { ...routed, [arriving]: `!RTNETLINK answers: ${error}\n` }
        const names = ["IpExtInNoRoutes", "Ip6InNoRoutes", "IcmpOutDestUnreachs", "Icmp6OutDestUnreachs", "Other"]
        assert.deepStrictEqual(yield* of(outputs, names.map((name) => [name, 1])), {
          text,
          evidence: [
            ...names.slice(0, 4).map((name) => `the counter ${name} of web rose by 1`),
            `ip route get 192.0.2.1 from 10.88.0.2 iif eth0: ${error}`
          ]
        })
      }))
  }

  const others: ReadonlyArray<readonly [counter: string, words: string]> = [
    ["IpInHdrErrors", "its time to live is over"],
    ["IpFragFails", "it is larger than the next link takes, and must not be fragmented"],
    ["Ip6InTooBigErrors", "it is larger than the next link takes"]
  ]
  for (const [counter, words] of others) {
    it.effect(`was dropped, by the counter ${counter}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* of(routed, [[counter, 1]]), {
          text: `web dropped it: ${words}`,
          evidence: [`the counter ${counter} of web rose by 1`]
        })
      }))
  }

  it.effect("has no reason that is known, where nothing rose and there is a route", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* of(routed))
    }))
})

describe("a neighbour", () => {
  const of = (outputs: Outputs) => withTools(outputs, Explanation.neighbour(web, packet, "eth0"))
  const shown = (next: string, state: string) => ({
    [`-j neigh show to ${next} dev eth0 nud all`]: JSON.stringify([{ dst: next, state: [state] }])
  })

  it.effect("does not answer, be it the gateway or the destination itself", () =>
    Effect.gen(function*() {
      const gateway = { "route get 192.0.2.1 oif eth0": dev("eth0", "10.88.0.254") }
      for (const state of ["FAILED", "INCOMPLETE"]) {
        assert.deepStrictEqual(yield* of({ ...gateway, ...shown("10.88.0.254", state) }), {
          text: "the neighbour 10.88.0.254 on eth0 does not answer web",
          evidence: [`ip neigh show to 10.88.0.254 dev eth0: ${state}`]
        })
      }
      for (const route of [dev("eth0"), unreachable]) {
        const found = yield* of({ "route get 192.0.2.1 oif eth0": route, ...shown("192.0.2.1", "FAILED") })
        assert.strictEqual(found?.text, "the neighbour 192.0.2.1 on eth0 does not answer web")
      }
    }))

  it.effect("answers, or is not known", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* of(shown("192.0.2.1", "REACHABLE")))
      assert.isUndefined(yield* of({}))
    }))
})

describe("a sender", () => {
  const of = (outputs: Outputs, to = "192.0.2.1") => withTools(outputs, Explanation.sending(web, to, "EACCES"))

  it.effect("has no route, or another one that refuses", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* of({ "-j route get 192.0.2.1": unreachable }), {
        text: "web has no route to 192.0.2.1",
        evidence: ["ip route get 192.0.2.1: Network is unreachable"]
      })
      assert.strictEqual(
        (yield* of({ "-6 -j route get fd00:1::1": "!RTNETLINK answers: Odd\n" }, "fd00:1::1")).text,
        "web cannot route to fd00:1::1"
      )
    }))

  it.effect("is refused by the kernel where there is a route", () =>
    Effect.gen(function*() {
      const cause = yield* of({ "route get 192.0.2.1": dev("eth0") })
      assert.deepStrictEqual(cause, { text: "the kernel refused to send it: EACCES", evidence: [] })
    }))

  it.effect("sends from the address that the kernel prefers", () =>
    Effect.gen(function*() {
      const source = (outputs: Outputs, to: string) => withTools(outputs, Explanation.sourceFor(web, to))
      const printed = JSON.stringify([{ dev: "eth0", prefsrc: "10.88.0.1" }])
      assert.strictEqual(yield* source({ "ip -j route get 192.0.2.1": printed }, "192.0.2.1"), "10.88.0.1")
      assert.strictEqual(yield* source({ "ip -6 -j route get fd00::1": printed }, "fd00::1"), "10.88.0.1")
      assert.isUndefined(yield* source({ "route get 192.0.2.1": unreachable }, "192.0.2.1"))
      assert.isUndefined(yield* source({ "route get 192.0.2.1": "[]" }, "192.0.2.1"))
    }))
})

describe("the link that a packet would leave by", () => {
  it.effect("is that of its route, from the link that it came by if it did", () =>
    Effect.gen(function*() {
      const outputs = { "get 192.0.2.1 from 10.88.0.2 iif eth0": dev("eth1"), "get 192.0.2.1": dev("eth2") }
      assert.strictEqual(yield* withTools(outputs, Explanation.outLinkOf(web, packet)), "eth1")
      assert.strictEqual(
        yield* withTools(outputs, Explanation.outLinkOf(web, { ...packet, inLink: undefined })),
        "eth2"
      )
      assert.isUndefined(
        yield* withTools({ "get 192.0.2.1 from 10.88.0.2 iif eth0": unreachable }, Explanation.outLinkOf(web, packet))
      )
    }))
})

describe("iptables-legacy", () => {
  const rulesOf = (family: 4 | 6, outputs: Outputs) => withTools(outputs, Explanation.legacyRules(web, family))
  const saved = (...lines: ReadonlyArray<string>) => ["*filter", ...lines, "COMMIT", ""].join("\n")
  const names = { "net/ip_tables_names": "filter\n", "net/ip6_tables_names": "filter\n" }

  it.effect("has rules or a policy that drops, of either family", () =>
    Effect.gen(function*() {
      const drop = saved(":FORWARD DROP [0:0]")
      assert.strictEqual((yield* rulesOf(4, { ...names, "/iptables-legacy-save": drop }))?.family, 4)
      assert.strictEqual((yield* rulesOf(6, { ...names, "/ip6tables-legacy-save": drop }))?.family, 6)
      const rule = saved(":FORWARD ACCEPT [0:0]", "-A FORWARD -j ACCEPT")
      assert.isDefined(yield* rulesOf(4, { ...names, "/iptables-legacy-save": rule }))
    }))

  it.effect("has none where it has no tables, which are not made by asking, or only chains that accept", () =>
    Effect.gen(function*() {
      const drop = { "iptables-legacy-save": saved(":FORWARD DROP [0:0]") }
      assert.isUndefined(yield* rulesOf(4, { ...drop, "net/ip_tables_names": "\n" }))
      assert.isUndefined(yield* rulesOf(4, { ...names, "iptables-legacy-save": saved(":FORWARD ACCEPT [0:0]") }))
    }))

  it.effect("drops in the chains that come after a hook, for the host or for others", () =>
    Effect.gen(function*() {
      const causeOf = Effect.fnUntraced(function*(hook: string, destination: string, ...lines: ReadonlyArray<string>) {
        const rules = yield* rulesOf(4, { ...names, "iptables-legacy-save": saved(...lines) })
        assert.isDefined(rules)
        return Explanation.legacy(rules, web, hook, { ...packet, destination }, undefined)
      })
      const forward = [":FORWARD ACCEPT [0:0]", "-A FORWARD -p tcp -m tcp --dport 80 -j DROP"]
      const input = [":INPUT DROP [0:0]"]
      const cause = yield* causeOf("prerouting", "192.0.2.1", ...forward)
      assert.match(cause?.text ?? "", /^iptables-legacy drops it in the table filter of web: .*--dport 80/)
      assert.deepStrictEqual(cause?.evidence, ["rules of iptables-legacy are not traced"])
      for (const hook of ["ingress", "forward"]) assert.isDefined(yield* causeOf(hook, "192.0.2.1", ...forward))
      for (const hook of ["ingress", "prerouting", "input"]) {
        assert.isDefined(yield* causeOf(hook, "10.88.0.1", ...input))
      }
      for (const hook of ["", "output"]) assert.isDefined(yield* causeOf(hook, "192.0.2.1", ":OUTPUT DROP [0:0]"))
      assert.isUndefined(yield* causeOf("prerouting", "10.88.0.1", ...forward))
      assert.isUndefined(yield* causeOf("prerouting", "192.0.2.1", ...input))
      assert.isUndefined(yield* causeOf("input", "192.0.2.1", ...forward))
      assert.isUndefined(yield* causeOf("postrouting", "192.0.2.1", ...forward))
    }))
})
