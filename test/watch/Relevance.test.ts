/** What `watch --network` shows of the changes of a host. */
import { assert, describe, it } from "@effect/vitest"
import { Relevance } from "../../src/watch/Relevance.ts"
import * as Host from "../doctor/host.ts"

const relevance = new Relevance("n")
relevance.learn([Host.facts()])

/** Whether a fact that came is shown. */
const shows = (kind: string, line: string): boolean =>
  Object.keys(relevance.within({ [kind]: { added: [line], removed: [] } })).length > 0

describe("a change of a network in question", () => {
  it.each([
    ["links", "veth1 veth up master cni0"],
    ["addresses", "cni0 10.99.0.1/24"],
    ["iptables", "ip nat -A POSTROUTING -s 10.99.0.2/32 -j CNI-1"],
    ["nftables", "rule inet filter forward ip daddr 10.99.0.2 drop"]
  ])("is shown if it names its bridge, links or addresses: %s", (kind, line) => {
    assert.isTrue(shows(kind, line))
  })

  it.each([
    ["iptables", "ip filter -P FORWARD DROP"],
    ["nftables", "chain inet filter forward type filter hook forward priority 0 policy drop"],
    ["sysctls", "net.ipv4.ip_forward = 0"]
  ])("is shown if it decides about all traffic: %s", (kind, line) => {
    assert.isTrue(shows(kind, line))
  })

  it.each([
    ["links", "veth9 veth up master br9"],
    ["addresses", "br9 10.99.0.20/24"],
    ["iptables", "ip filter -A FORWARD -s 10.99.0.20/32 -j DROP"],
    ["nftables", "rule inet filter forward ip daddr 110.99.0.2 drop"],
    ["sysctls", "net.ipv4.conf.br9.route_localnet = 1"]
  ])("is left out if it concerns others, even with similar names: %s", (kind, line) => {
    assert.isFalse(shows(kind, line))
  })

  it("keeps only the lines that concern it", () => {
    const added = ["veth1 veth up master cni0", "veth9 veth up master br9"]
    assert.deepStrictEqual(
      relevance.within({ links: { added, removed: ["br9 bridge up"] } }),
      { links: { added: ["veth1 veth up master cni0"], removed: [] } }
    )
  })
})

describe("a plugin", () => {
  const run = { plugin: "bridge", command: "DEL", ifname: "eth0" }

  it("works for the network that it names", () => {
    assert.isTrue(relevance.isOf({ ...run, containerId: "other", network: "n" }))
    assert.isFalse(relevance.isOf({ ...run, containerId: "web", network: "m" }))
  })

  it("that names no network works for the network of its container", () => {
    assert.isTrue(relevance.isOf({ ...run, containerId: "web" }))
    assert.isFalse(relevance.isOf({ ...run, containerId: "other" }))
  })
})

it("everything concerns a host of which no network is named", () => {
  const all = new Relevance(undefined)
  const differences = { links: { added: ["veth9 veth up master br9"], removed: [] } }
  assert.deepStrictEqual(all.within(differences), differences)
})
