/** The path of a packet, joined from the events of several namespaces. */
import { assert, describe, it } from "@effect/vitest"
import * as Journey from "../../src/trace/Journey.ts"
import * as TraceOutput from "../../src/trace/TraceOutput.ts"
import * as Captured from "./captured.ts"

const ports = { answered: 56901, rejected: 52513 } as const

const target = { address: "192.0.2.1", port: 9000 }

const flow = (name: keyof typeof ports): Journey.Flow => ({
  protocol: "tcp",
  sender: { address: "10.99.0.2", port: ports[name] },
  receivers: [target],
  mixed: undefined
})

const hopsOf = (name: keyof typeof ports, journey = new Journey.Journey(flow(name))) =>
  (["web", "host"] as const).flatMap((place) => {
    const { events, ruleset } = Captured.of(name, place)
    return events.flatMap((event) => journey.take(place, event, ruleset, Captured.ownTable) ?? [])
  })

const stages = (hops: ReadonlyArray<Journey.Hop>) => [
  ...new Set(
    hops.map(({ direction, hook, packet, place }) => [direction, place, hook, packet.inLink, packet.outLink].join(" "))
  )
]

describe("a packet that is answered", () => {
  const hops = hopsOf("answered")
  const veth = hops.find(({ hook, place }) => place === "host" && hook === "ingress")?.packet.inLink ?? ""

  it("has its path and that of its answer, although the kernel changes its identifier", () => {
    assert.deepStrictEqual(stages(hops), [
      "there web output  eth0",
      "there web postrouting  eth0",
      "back web ingress eth0 ",
      "back web prerouting eth0 ",
      "back web input eth0 ",
      `there host ingress ${veth} `,
      "there host prerouting cni-n ",
      "there host forward cni-n up0",
      "there host postrouting cni-n up0",
      "back host prerouting up0 ",
      "back host forward up0 cni-n",
      "back host postrouting up0 cni-n"
    ])
  })

  it("is one packet in each direction, without those that follow", () => {
    const kinds = hops.map(({ direction, packet: { kind } }) => `${direction} ${kind}`)
    assert.deepStrictEqual([...new Set(kinds)], ["there syn", "back syn ack"])
  })

  it("has the rules with their verdicts, in the words of iptables", () => {
    const rules = hops.filter(({ chain, direction }) => direction === "there" && chain.name === "CNI-FORWARD")
    assert.deepStrictEqual(rules.map(({ rule, verdict }) => [rule?.iptables, verdict]), [
      ["-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN", "jump CNI-ADMIN"],
      ["-A CNI-FORWARD -s 10.99.0.2/32 -j ACCEPT", "accept"]
    ])
  })

  it("shows a change by nat at the next chain that sees the packet", () => {
    const leaving = hops.findLast(({ direction, hook }) => direction === "there" && hook === "postrouting")
    assert.isTrue(leaving?.isOwn)
    assert.strictEqual(leaving?.packet.source, "192.0.2.2")
  })
})

it("a rejected packet ends with the rule, and the ICMP report is its answer", () => {
  const hops = hopsOf("rejected")
  const drop = hops.find(Journey.isDrop)
  assert.strictEqual(drop?.rule?.iptables, "-A FORWARD -s 10.99.0.2/32 -j REJECT --reject-with icmp-port-unreachable")
  assert.deepInclude(drop, { place: "host", hook: "forward", direction: "there" })
  const reports = hops.filter(({ direction, place }) => direction === "back" && place === "web")
  assert.deepStrictEqual([...new Set(reports.map(({ packet }) => packet.kind))], [
    "destination-unreachable port-unreachable"
  ])
})

it("packets of other senders to the same receiver are left out", () => {
  const other = new Journey.Journey({ ...flow("answered"), sender: { address: "10.99.0.2", port: 1 } })
  assert.deepStrictEqual(hopsOf("answered", other), [])
})

it("without a sender, the first packet to the receiver shows it", () => {
  const waiting = new Journey.Journey({ protocol: "tcp", sender: undefined, receivers: [target], mixed: undefined })
  assert.isFalse(waiting.hasBegun)
  assert.deepStrictEqual(stages(hopsOf("answered", waiting)), stages(hopsOf("answered")))
  assert.isTrue(waiting.hasBegun)
})

it("a later packet of the flow is shown where it is dropped", () => {
  const journey = new Journey.Journey(flow("answered"))
  hopsOf("answered", journey)
  const { ruleset } = Captured.of("answered", "host")
  const take = (text: string) => {
    const event = TraceOutput.parse(`trace id 1 ip filter FORWARD ${text}`)
    return event && journey.take("host", event, ruleset, Captured.ownTable)
  }
  take(
    `packet: iif "cni-n" oif "up0" ip saddr 10.99.0.2 ip daddr 192.0.2.1 ip id 7 ip length 1500 tcp sport ${ports.answered} tcp dport 9000 tcp flags == ack`
  )
  assert.isUndefined(take("rule counter jump CNI-FORWARD # handle 1 (verdict continue)"))
  assert.strictEqual(take("policy drop")?.packet.length, 1500)
})

it("a packet of IPv6 that is sent again is one packet, though it has no identification", () => {
  const journey = new Journey.Journey({
    protocol: "tcp",
    sender: { address: "fd00::5", port: 40_000 },
    receivers: [{ address: "fd01::1", port: 80 }],
    mixed: undefined
  })
  const { ruleset } = Captured.of("answered", "host")
  const hops = ["1", "2"].flatMap((id) =>
    [
      "packet: iif \"cni-n\" oif \"up0\" ip6 saddr fd00::5 ip6 daddr fd01::1 ip6 nexthdr tcp ip6 length 40 " +
      "tcp sport 40000 tcp dport 80 tcp flags == syn",
      "policy accept"
    ].flatMap((text) => {
      const event = TraceOutput.parse(`trace id ${id} ip6 filter FORWARD ${text}`)
      return (event && journey.take("host", event, ruleset, Captured.ownTable)) ?? []
    })
  )
  assert.strictEqual(hops.length, 1)
})

describe("where packets of others are marked too", () => {
  const { ruleset } = Captured.of("answered", "host")
  /** Whether a packet is followed in the receiver's namespace, after one that the sender sent. */
  const isFollowed = (id: number, port: number): boolean => {
    const journey = new Journey.Journey({
      protocol: "udp",
      sender: { address: "10.0.0.5", port: 40_000 },
      receivers: [{ address: "10.0.1.1", port: 53 }],
      mixed: "db"
    })
    const take = (place: string, text: string) => {
      const event = TraceOutput.parse(`trace id 1 ip filter FORWARD ${text}`)
      return event && journey.take(place, event, ruleset, Captured.ownTable)
    }
    const packet = (source: string, from: number, identification: number) =>
      `packet: iif "cni-n" ip saddr ${source} ip daddr 10.0.1.1 ip id ${identification} ip length 45 ` +
      `udp sport ${from} udp dport 53`
    take("host", packet("10.0.0.5", 40_000, id === 0 ? 0 : 7))
    take("db", packet("10.0.1.254", port, id))
    return take("db", "policy accept") !== undefined
  }

  it("a packet whose source port nat changed is known by its identification", () => {
    assert.isTrue(isFollowed(7, 1234))
    assert.isFalse(isFollowed(8, 1234))
  })

  it("a packet without identification is known by its source port only", () => {
    assert.isTrue(isFollowed(0, 40_000))
    assert.isFalse(isFollowed(0, 1234))
  })
})
