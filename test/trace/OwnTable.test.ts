/** The table that marks packets. */
import { assert, describe, it } from "@effect/vitest"
import * as OwnTable from "../../src/trace/OwnTable.ts"
import type * as Selector from "../../src/trace/Selector.ts"

const selector: Selector.Selector = {
  family: 4,
  protocol: "tcp",
  sources: ["10.99.0.2"],
  sourcePorts: { first: 40_000, last: 40_007 },
  destinations: ["192.0.2.1"],
  destinationPort: 80
}

const commands = (options: Partial<OwnTable.Options> = {}) =>
  OwnTable.commands({ name: "own", selectors: [selector], devices: ["veth0"], tracksConnections: true, ...options })
    .split("; ")

const rulesOf = (chain: string, options?: Partial<OwnTable.Options>) =>
  commands(options).flatMap((command) =>
    new RegExp(`^add rule inet own ${chain} (.*) limit rate 50/second burst 50 packets meta nftrace set 1$`).exec(
      command
    )?.[1] ?? []
  )

describe("the table of a trace", () => {
  it("belongs to the process that makes it", () => {
    assert.strictEqual(commands()[0], "add table inet own { flags owner")
  })

  it("marks what is sent, its answers, and reports about it, where they first appear", () => {
    const marked = [
      "ip saddr 10.99.0.2 ip daddr 192.0.2.1 tcp dport 80 tcp sport 40000-40007",
      "ip saddr 192.0.2.1 ip daddr 10.99.0.2 tcp sport 80 tcp dport 40000-40007",
      "icmp type { destination-unreachable, time-exceeded } @th,224,16 40000-40007"
    ]
    for (const chain of ["arriving", "before_routing", "from_here"]) assert.deepStrictEqual(rulesOf(chain), marked)
  })

  it("finds answers that nat changed by what connection tracking remembers", () => {
    assert.deepStrictEqual(rulesOf("tracked"), [
      "ct original ip saddr 10.99.0.2 ct original ip daddr 192.0.2.1 meta l4proto tcp ct original proto-dst 80 " +
      "ct original proto-src 40000-40007"
    ])
  })

  it("does not turn on connection tracking where it is off", () => {
    assert.notMatch(commands({ tracksConnections: false }).join(), /\bct\b|tracked/)
  })

  it("has no chain for arriving packets if there are no links to name", () => {
    assert.notInclude(commands({ devices: [] }).join(), "ingress")
  })

  it("waits for any sender, and then marks no reports, which could be about packets of others", () => {
    const waiting = { ...selector, sources: [], sourcePorts: undefined, destinations: ["10.99.0.2", "192.0.2.2"] }
    assert.deepStrictEqual(rulesOf("before_routing", { selectors: [waiting] }), [
      "ip daddr { 10.99.0.2, 192.0.2.2 } tcp dport 80",
      "ip saddr { 10.99.0.2, 192.0.2.2 } tcp sport 80"
    ])
  })

  it("supports IPv6", () => {
    const six = { ...selector, family: 6, sources: ["fd00::2"], destinations: ["fd00::1"] } as const
    assert.include(rulesOf("from_here", { selectors: [six] })[0], "ip6 saddr fd00::2 ip6 daddr fd00::1 tcp dport 80")
    assert.include(rulesOf("from_here", { selectors: [six] })[2], "@th,384,16 40000-40007")
  })
})
