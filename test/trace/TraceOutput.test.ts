/** What `nft -a monitor trace` prints. */
import { assert, describe, it } from "@effect/vitest"
import * as TraceOutput from "../../src/trace/TraceOutput.ts"
import * as Captured from "./captured.ts"

const parse = (text: string) => TraceOutput.parse(`trace id 94d51ced ${text}`)

describe("a captured trace", () => {
  it("has no line about a chain that cannot be parsed", () => {
    for (const place of ["web", "host"] as const) {
      for (const name of ["answered", "rejected"] as const) {
        const { events, lines } = Captured.of(name, place)
        assert.strictEqual(events.length, lines.length, `${name} ${place}`)
      }
    }
  })
})

describe("a line", () => {
  it("about a packet has its links, its ends and what distinguishes it from others", () => {
    const event = parse(
      "ip filter FORWARD packet: iif \"br0\" oif \"up0\" ether saddr 6e:e2:1f:08:ec:87 ether daddr 1e:8f:4f:1b:a9:dd " +
        "ip saddr 10.88.0.5 ip daddr 192.0.2.1 ip dscp cs0 ip ecn not-ect ip ttl 63 ip id 23682 ip length 60 " +
        "tcp sport 53816 tcp dport 9000 tcp flags == syn tcp window 64240 "
    )
    assert.deepStrictEqual(event, {
      _tag: "Packet",
      traceId: "94d51ced",
      chain: { family: "ip", table: "filter", name: "FORWARD" },
      packet: {
        inLink: "br0",
        outLink: "up0",
        source: "10.88.0.5",
        destination: "192.0.2.1",
        protocol: "tcp",
        sourcePort: 53_816,
        destinationPort: 9000,
        id: 23_682,
        length: 60,
        kind: "syn"
      }
    })
  })

  it("about a packet of IPv6 has the same", () => {
    const event = parse(
      "inet t c packet: oif \"eth0\" ip6 saddr fd00::5 ip6 daddr fd00::1 ip6 dscp cs0 ip6 hoplimit 64 ip6 nexthdr udp " +
        "ip6 length 25 udp sport 40000 udp dport 53 udp length 25 udp checksum 1"
    )
    const packet = event?._tag === "Packet" ? event.packet : undefined
    assert.deepInclude(packet, {
      source: "fd00::5",
      destination: "fd00::1",
      protocol: "udp",
      destinationPort: 53,
      length: 25
    })
  })

  it("about a report of ICMP has its type and code", () => {
    const event = parse(
      "inet t c packet: oif \"cni-n\" ip saddr 10.99.0.1 ip daddr 10.99.0.2 ip id 22736 ip protocol icmp ip length 88 " +
        "icmp type destination-unreachable icmp code port-unreachable"
    )
    const packet = event?._tag === "Packet" ? event.packet : undefined
    assert.deepInclude(packet, {
      protocol: "icmp",
      kind: "destination-unreachable port-unreachable",
      sourcePort: undefined
    })
  })

  it("names flags that nft prints as a number or joined", () => {
    const kind = (flags: string) => {
      const event = parse(
        `ip t c packet: ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp sport 1 tcp dport 2 tcp flags ${flags} tcp window 1`
      )
      return event?._tag === "Packet" ? event.packet.kind : undefined
    }
    assert.deepStrictEqual(["== 0x12", "== syn | ack", "== rst", "== 0x18"].map(kind), [
      "syn ack",
      "syn ack",
      "rst",
      "psh ack"
    ])
  })

  it("about a rule has its handle and its verdict, whatever its comment says", () => {
    const event = parse("inet f y rule ip saddr @s counter drop comment \"hello # handle 3\" # handle 5 (verdict drop)")
    assert.deepInclude(event, {
      _tag: "Rule",
      handle: 5,
      text: "ip saddr @s counter drop comment \"hello # handle 3\"",
      verdict: "drop"
    })
  })

  it("about a rule that is younger than the monitor has the same", () => {
    assert.deepInclude(parse("ip filter FORWARD unknown rule handle 2 (verdict drop)"), {
      _tag: "Rule",
      handle: 2,
      text: "",
      verdict: "drop"
    })
  })

  it("about a policy has its verdict", () => {
    assert.deepInclude(parse("ip filter OUTPUT policy drop "), { _tag: "Policy", verdict: "drop" })
    const marked = "ip filter FORWARD policy drop meta mark 0x00002000 "
    assert.deepInclude(parse(marked), { _tag: "Policy", verdict: "drop" })
  })

  it("of another kind is ignored", () => {
    const lines = [
      "ip t c verdict continue",
      "conntrack: ct direction original",
      "bridge t c packet: iif \"vp\" arp operation request"
    ]
    assert.deepStrictEqual(lines.map(parse), [undefined, undefined, undefined])
  })

  it("that reports lost events is recognised", () => {
    assert.isTrue(TraceOutput.isLoss("# ERROR: We lost some netlink events!"))
    assert.isFalse(TraceOutput.isLoss("# new generation 5"))
  })
})
