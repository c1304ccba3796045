/** The path of a packet as text and as JSON. */
import { assert, describe, it } from "@effect/vitest"
import * as TraceLines from "../../src/cli/TraceLines.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import type { Hop } from "../../src/trace/Journey.ts"

const style = Style.make({ isTerminal: false, width: Number.POSITIVE_INFINITY, minutesEast: () => 0 }, false)

const packet: Hop["packet"] = {
  inLink: "cni0",
  outLink: "up0",
  source: "10.99.0.2",
  destination: "192.0.2.1",
  protocol: "tcp",
  sourcePort: 40_000,
  destinationPort: 80,
  id: 1,
  length: 60,
  kind: "syn"
}

const rule = {
  handle: 7,
  text: "counter drop",
  iptables: "-A FORWARD -s 10.99.0.2/32 -m comment --comment \"name: \\\"n\\\"\" -j DROP"
}

const hop = (fields: Partial<Hop>): Hop => ({
  place: "host",
  direction: "there",
  hook: "forward",
  chain: { family: "ip", table: "filter", name: "FORWARD" },
  isOwn: false,
  rule,
  verdict: "drop",
  packet,
  ...fields
})

const own = (fields: Partial<Hop>) => hop({ isOwn: true, rule: undefined, verdict: "accept", ...fields })

const draw = (...hops: ReadonlyArray<Hop>) => new TraceLines.Drawing(style, ["shop/web", "host"]).lines(hops)

describe("hops", () => {
  it("begin with the packet, and name each namespace and hook once, with what happened there", () => {
    const leaving = { ...packet, inLink: undefined, outLink: "eth0" }
    assert.deepStrictEqual(
      draw(
        own({ place: "shop/web", hook: "output", packet: leaving }),
        hop({ rule: { handle: 1, text: "counter", iptables: undefined }, verdict: "continue" }),
        hop({}),
        hop({ rule: undefined })
      ),
      [
        "→ packet from 10.99.0.2:40000: tcp syn, 60 bytes",
        "  shop/web  output       eth0",
        "  host      forward      cni0 → up0",
        "      continue  ip filter FORWARD: counter",
        "      drop      ip filter FORWARD: -s 10.99.0.2/32 -j DROP",
        "      drop      ip filter FORWARD: policy drop"
      ]
    )
  })

  it("show how nat changed the packet, where the change happened", () => {
    const changed = { ...packet, source: "192.0.2.2", sourcePort: 1024 }
    assert.deepStrictEqual(draw(own({}), own({ hook: "postrouting", packet: changed })).slice(2), [
      "      nat       source is now 192.0.2.2:1024",
      "  host      postrouting  cni0 → up0"
    ])
  })

  it("begin again with the answer", () => {
    const answer = {
      ...packet,
      source: "192.0.2.1",
      sourcePort: 80,
      destination: "10.99.0.2",
      destinationPort: 40_000,
      kind: "syn ack"
    }
    const lines = draw(own({}), own({ direction: "back", packet: answer }))
    assert.strictEqual(lines[2], "← answer from 192.0.2.1:80: tcp syn ack, 60 bytes")
    assert.notInclude(lines.join(), "is now")
  })

  it("cannot move the cursor of a terminal", () => {
    assert.notInclude(draw(own({ place: "a\u001b[2J" })).join(), "\u001b")
  })
})

describe("the end", () => {
  const end = (outcome: Parameters<typeof TraceLines.end>[0]) => TraceLines.end(outcome, style)

  it("names the rule in full, where it is, and who wrote it", () => {
    const author = {
      plugin: "firewall",
      command: "ADD",
      network: "n",
      containerId: "3f1c9a0b7e21ffff",
      pod: "shop/web",
      time: "2026-11-30T10:00:00.000Z"
    }
    assert.deepStrictEqual(end({ _tag: "Dropped", hop: hop({}), author }), [
      "✗ dropped by ip filter FORWARD: -s 10.99.0.2/32 -m comment --comment \"name: \\\"n\\\"\" -j DROP",
      "  in host, hook forward",
      "  written by the plugin firewall in ADD of n (shop/web, container 3f1c9a0b7e21), 2026-11-30 10:00:00.000 +00:00"
    ])
  })

  it("says if it was the answer that was dropped, and if no log names who wrote the rule", () => {
    const lines = end({ _tag: "Dropped", hop: hop({ direction: "back", rule: undefined }), author: undefined })
    assert.deepStrictEqual(lines, [
      "✗ the answer was dropped by ip filter FORWARD: policy drop",
      "  in host, hook forward",
      "  no log names who wrote it; cni-passthrough watch names who changes rules from now on"
    ])
  })

  it("leads to doctor, for the container if one was named", () => {
    assert.deepStrictEqual(TraceLines.next("3f1c9a0b7e21", style), [
      "",
      "next: cni-passthrough doctor --container-id 3f1c9a0b7e21, which may know a fix"
    ])
    assert.strictEqual(TraceLines.next(undefined, style)[1], "next: cni-passthrough doctor, which may know a fix")
  })

  it("marks a cause that was not traced as predicted", () => {
    const cause = {
      text: "host has no route to 192.0.2.1",
      evidence: ["the counter IpExtInNoRoutes of host rose by 1"]
    }
    assert.deepStrictEqual(end({ _tag: "Lost", place: "host", hook: "prerouting", cause }), [
      "✗ ended in host after prerouting, and no traced rule dropped it",
      "  predicted: host has no route to 192.0.2.1",
      "  │ the counter IpExtInNoRoutes of host rose by 1"
    ])
    assert.match(
      end({ _tag: "Lost", place: "host", hook: "forward", cause: undefined })[1] ?? "",
      /the reason is unknown/
    )
  })

  it("does not claim arrival if the packet only left", () => {
    assert.deepStrictEqual(end({ _tag: "Left", link: "up0", place: "host" }), [
      "✓ left host by up0",
      "  no answer was seen; what happened to it beyond this host is not known"
    ])
  })
})

describe("a page", () => {
  const sending = (port: number) =>
    ({
      _tag: "Sending",
      place: "host",
      from: { address: "10.99.0.2", port },
      to: { address: "192.0.2.1", port: 80 }
    }) as const

  it("has each packet with its path and its end, without colours", () => {
    const coloured = Style.make({ isTerminal: true, width: 20, minutesEast: () => 0 }, true)
    const [first, second, ...more] = TraceLines.onPage(
      [
        { _tag: "Tables", table: "own", places: ["host"] },
        sending(40_000),
        { _tag: "Hops", hops: [own({ hook: "prerouting" })] },
        { _tag: "Hops", hops: [hop({})] },
        { _tag: "End", outcome: { _tag: "Dropped", hop: hop({}), author: undefined } },
        sending(40_001),
        { _tag: "Hops", hops: [own({ hook: "prerouting" })] },
        { _tag: "End", outcome: { _tag: "Left", link: "up0", place: "host" } }
      ],
      "tcp",
      coloured
    )
    assert.deepStrictEqual([first?.title, first?.state, first?.path.length, more], [
      "host sends tcp from 10.99.0.2:40000 to 192.0.2.1:80",
      "bad",
      4,
      []
    ])
    assert.deepStrictEqual(first?.end, [
      "✗ dropped by ip filter FORWARD: -s 10.99.0.2/32 -m comment --comment \"name: \\\"n\\\"\" -j DROP",
      "in host, hook forward",
      "no log names who wrote it; cni-passthrough watch names who changes rules from now on"
    ])
    assert.deepStrictEqual([second?.state, second?.path.length], ["good", 2])
  })

  it("says of what was waited for in vain that it is not known", () => {
    const [only] = TraceLines.onPage(
      [
        { _tag: "Tables", table: "own", places: ["host"] },
        { _tag: "Waiting", place: "host", port: 80, published: undefined, timeout: 1000 },
        { _tag: "End", outcome: { _tag: "Nothing", waited: 1000 } }
      ],
      "tcp",
      style
    )
    assert.deepStrictEqual(only, {
      title: "waits up to 1 s for tcp to port 80 of host",
      path: [],
      end: ["? no packet came within 1 s"],
      state: "unknown"
    })
  })
})

it("JSON has each packet with its hops, and what our own table shows only where it is new", () => {
  const document = JSON.parse(TraceLines.json([
    { _tag: "Tables", table: "own", places: ["host"] },
    { _tag: "Note", text: "a note" },
    {
      _tag: "Sending",
      place: "host",
      from: { address: "10.99.0.2", port: 40_000 },
      to: { address: "192.0.2.1", port: 80 }
    },
    { _tag: "Hops", hops: [own({ hook: "prerouting" }), own({ hook: "prerouting" }), hop({}), own({})] },
    { _tag: "End", outcome: { _tag: "Left", link: "up0", place: "host" } }
  ]))
  const [{ hops, ...rest }] = document.traces
  assert.deepInclude(document, { table: "own", places: ["host"], notes: ["a note"] })
  assert.deepStrictEqual(rest, {
    from: { address: "10.99.0.2", port: 40_000 },
    to: { address: "192.0.2.1", port: 80 },
    outcome: { end: "left", link: "up0", place: "host" }
  })
  assert.deepStrictEqual(hops.map(({ chain, hook }: Hop) => [hook, chain]), [["prerouting", undefined], [
    "forward",
    "FORWARD"
  ]])
})
