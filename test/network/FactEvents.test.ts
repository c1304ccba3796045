/** Differences of two moments as things that came, went or changed. */
import { assert, describe, it } from "@effect/vitest"
import * as FactEvents from "../../src/network/FactEvents.ts"

type Found = {
  readonly [kind: string]: { readonly added?: ReadonlyArray<string>; readonly removed?: ReadonlyArray<string> }
}

const eventsIn = (found: Found) =>
  FactEvents.eventsIn(
    "host",
    Object.fromEntries(
      Object.entries(found).map(([kind, { added = [], removed = [] }]) => [kind, { added, removed }])
    )
  )

/** The events, each as a sign and its texts. */
const told = (events: ReadonlyArray<FactEvents.Event>): ReadonlyArray<string> =>
  events.map(({ before, fact, kind }) =>
    kind === "changed" ? `~ ${before?.text} | ${fact.text}` : `${kind === "added" ? "+" : "-"} ${fact.text}`
  )

describe("events", () => {
  it("are none where nothing differs", () => {
    assert.deepStrictEqual(FactEvents.eventsIn("host"), [])
    assert.deepStrictEqual(eventsIn({ links: {} }), [])
  })

  it("have the place and the kind of each fact", () => {
    assert.deepStrictEqual(eventsIn({ links: { added: ["eth0 veth up"] } }), [
      { kind: "added", fact: { place: "host", kind: "links", text: "eth0 veth up" } }
    ])
    assert.deepStrictEqual(eventsIn({ rules: { removed: ["ip 1: from all"] } }), [
      { kind: "removed", fact: { place: "host", kind: "rules", text: "ip 1: from all" } }
    ])
  })

  it("are one for a thing that came and went, with what went before what came", () => {
    const links = {
      removed: ["eth0 veth up mtu 1500", "eth1 veth up"],
      added: ["eth2 veth up", "eth0 veth down mtu 1500"]
    }
    assert.deepStrictEqual(told(eventsIn({ links })), [
      "- eth1 veth up",
      "+ eth2 veth up",
      "~ eth0 veth up mtu 1500 | eth0 veth down mtu 1500"
    ])
  })

  it("tell routes to one destination by their links, whatever else changed", () => {
    const routes = {
      removed: ["10.0.0.0/8 dev eth0 proto static", "10.0.0.0/8 dev eth1"],
      added: ["10.0.0.0/8 dev eth1 src 10.0.0.1", "10.0.0.0/8 dev eth0 proto boot"]
    }
    assert.deepStrictEqual(told(eventsIn({ routes })), [
      "~ 10.0.0.0/8 dev eth1 | 10.0.0.0/8 dev eth1 src 10.0.0.1",
      "~ 10.0.0.0/8 dev eth0 proto static | 10.0.0.0/8 dev eth0 proto boot"
    ])
  })

  it("are one for a route that leads by another link now", () => {
    assert.deepStrictEqual(
      told(eventsIn({ routes: { removed: ["10.0.0.0/8 dev eth0"], added: ["10.0.0.0/8 dev eth1"] } })),
      ["~ 10.0.0.0/8 dev eth0 | 10.0.0.0/8 dev eth1"]
    )
  })

  it("do not guess which of several things of one identity another one replaced", () => {
    const rules = {
      removed: ["ip 1: from all lookup 5", "ip 1: from all lookup 6"],
      added: ["ip 1: from all lookup 7"]
    }
    assert.deepStrictEqual(told(eventsIn({ rules })), [
      "- ip 1: from all lookup 5",
      "- ip 1: from all lookup 6",
      "+ ip 1: from all lookup 7"
    ])
  })
})

describe("a chain that came with rules in it", () => {
  const without = (found: Found) => told(FactEvents.withoutFilledChains(eventsIn(found)))

  it("is left out, and one without rules is not", () => {
    const iptables = {
      added: ["ip nat -N CNI-1", "ip nat -A CNI-1 -j ACCEPT", "ip nat -N CNI-2", "ip filter -N CNI-1"]
    }
    assert.deepStrictEqual(without({ iptables }), [
      "+ ip nat -A CNI-1 -j ACCEPT",
      "+ ip nat -N CNI-2",
      "+ ip filter -N CNI-1"
    ])
    assert.deepStrictEqual(without({ nftables: { removed: ["chain inet cni c", "rule inet cni c accept"] } }), [
      "- rule inet cni c accept"
    ])
  })

  it("stays where the rules went otherwise, and so does what is no chain", () => {
    const iptables = { added: ["ip nat -N CNI-1"], removed: ["ip nat -A CNI-1 -j ACCEPT"] }
    assert.deepStrictEqual(without({ iptables, links: { added: ["eth0 veth up"] } }), [
      "- ip nat -A CNI-1 -j ACCEPT",
      "+ ip nat -N CNI-1",
      "+ eth0 veth up"
    ])
  })
})
