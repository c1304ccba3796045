/** What differs between two moments. */
import { assert, describe, it } from "@effect/vitest"
import type { Facts, Snapshot } from "../../src/network/Snapshot.ts"
import { between } from "../../src/network/StateDiff.ts"
import { isKind, type Kind } from "../../src/network/StateKind.ts"

type Given = { readonly [kind in Kind]?: ReadonlyArray<string> }

const facts = (given: Given): Facts =>
  new Map(Object.entries(given).map(([kind, lines]) => [kind as Kind, new Set(lines)]))

const snapshot = (host: Given, container: Given = {}, notes: ReadonlyArray<string> = []): Snapshot => ({
  host: facts(host),
  container: facts(container),
  notes
})

/** What is found of sysctls. */
const sysctls = (before: ReadonlyArray<string>, after: ReadonlyArray<string>) =>
  between(snapshot({ sysctls: before }), snapshot({ sysctls: after })).changes.host?.["sysctls"]

describe("between two moments", () => {
  it("facts came and went, in the order of the alphabet", () => {
    const before = snapshot({ links: ["a", "b"], routes: ["r"] }, { links: ["lo down"] })
    const after = snapshot({ links: ["d", "b", "c"], routes: ["r"] }, { links: ["lo up"] })
    assert.deepStrictEqual(between(before, after), {
      changes: {
        host: { links: { added: ["c", "d"], removed: ["a"] } },
        container: { links: { added: ["lo up"], removed: ["lo down"] } }
      }
    })
  })

  it("each kind is compared, in this order", () => {
    const all = [
      "links",
      "addresses",
      "routes",
      "rules",
      "neighbours",
      "bridge",
      "nftables",
      "iptables",
      "ipsets",
      "sysctls",
      "ipam"
    ]
    const given = (facts: ReadonlyArray<string>): Given =>
      Object.fromEntries(all.toReversed().map((kind) => [kind, facts]))
    assert.deepStrictEqual(Object.keys(between(snapshot(given([])), snapshot(given(["a"]))).changes.host ?? {}), all)
    assert.deepStrictEqual([...all, "link", ""].filter(isKind), all)
  })

  it("nothing is told of a place, or of a kind, where nothing differs", () => {
    assert.deepStrictEqual(between(snapshot({ links: ["a"] }), snapshot({ links: ["a"] })), { changes: {} })
  })

  it("a kind that could not be looked at in one of them is not compared, and each note is told once", () => {
    const before = snapshot({ links: [], rules: [] }, {}, ["nft is not on PATH", "one"])
    const after = snapshot({ links: ["a"], routes: ["r"] }, { links: ["b"] }, ["nft is not on PATH", "two"])
    assert.deepStrictEqual(between(before, after), {
      changes: { host: { links: { added: ["a"], removed: [] } } },
      notes: ["nft is not on PATH", "one", "two"]
    })
  })
})

describe("of sysctls", () => {
  it("values are told that differ", () => {
    assert.deepStrictEqual(sysctls(["net.core.somaxconn = 1", "net.x = 1"], ["net.core.somaxconn = 2", "net.x = 1"]), {
      added: ["net.core.somaxconn = 2"],
      removed: ["net.core.somaxconn = 1"]
    })
  })

  it("those of links that came or went are left out", () => {
    assert.isUndefined(sysctls(["net.ipv4.conf.old.arp_filter = 0"], ["net.ipv6.neigh.new.ucast_solicit = 3"]))
  })

  it("that all links have, those of each link follow, unless they differ from it", () => {
    const before = ["all", "default", "eth0", "eth1"].map((link) => `net.ipv4.conf.${link}.rp_filter = 0`)
    const after = ["all", "default", "eth0"].map((link) => `net.ipv4.conf.${link}.rp_filter = 1`)
    assert.deepStrictEqual(sysctls(before, [...after, "net.ipv4.conf.eth1.rp_filter = 2"]), {
      added: ["net.ipv4.conf.all.rp_filter = 1", "net.ipv4.conf.eth1.rp_filter = 2"],
      removed: ["net.ipv4.conf.all.rp_filter = 0", "net.ipv4.conf.eth1.rp_filter = 0"]
    })
  })

  it("are told where the same name is in one of them alone, unless it is of a link", () => {
    assert.deepStrictEqual(sysctls([], ["net.core.new = 1"]), { added: ["net.core.new = 1"], removed: [] })
    for (const folder of ["net.ipv4.conf", "net.ipv6.conf", "net.ipv4.neigh", "net.ipv6.neigh"]) {
      assert.isUndefined(sysctls([], [`${folder}.new.x = 1`]))
      assert.isUndefined(sysctls([`${folder}.old.x = 1`], []))
    }
    assert.deepStrictEqual(sysctls([], ["net.ipv4.other.new.x = 1"])?.added, ["net.ipv4.other.new.x = 1"])
  })

  it("a link follows default as it follows all, default follows all, and all follows none", () => {
    const at = (value: number, ...links: ReadonlyArray<string>) =>
      links.map((link) => `net.ipv6.neigh.${link}.x = ${value}`)
    const told = (...links: ReadonlyArray<string>) => {
      const others = ["all", "default", "eth0"].filter((link) => !links.includes(link))
      return sysctls(at(0, "all", "default", "eth0"), [...at(1, ...links), ...at(0, ...others)])?.added
    }
    assert.deepStrictEqual(told("default", "eth0"), at(1, "default"))
    assert.deepStrictEqual(told("all", "eth0"), at(1, "all"))
    assert.deepStrictEqual(told("all", "default"), at(1, "all"))
    assert.deepStrictEqual(told("eth0"), at(1, "eth0"))
    assert.deepStrictEqual(told("all"), at(1, "all"))
  })

  it("a link does not follow what had its value before", () => {
    const before = ["net.ipv4.conf.all.x = 1", "net.ipv4.conf.eth0.x = 0"]
    const after = ["net.ipv4.conf.all.x = 1", "net.ipv4.conf.eth0.x = 1"]
    assert.deepStrictEqual(sysctls(before, after)?.added, ["net.ipv4.conf.eth0.x = 1"])
  })

  it("a value may have the sign of its name in it", () => {
    assert.deepStrictEqual(sysctls(["net.a = b = 1"], ["net.a = b = 2"]), {
      added: ["net.a = b = 2"],
      removed: ["net.a = b = 1"]
    })
  })

  it("ip_forward is the forwarding of links, and nothing else", () => {
    const at = (value: number) => [
      `net.ipv4.ip_forward = ${value}`,
      ...["net.ipv4.conf.eth0.forwarding", "net.ipv4.conf.eth0.bc_forwarding", "net.ipv6.conf.eth0.forwarding"].map(
        (name) => `${name} = ${value}`
      )
    ]
    assert.deepStrictEqual(sysctls(at(0), at(1))?.added, [
      "net.ipv4.conf.eth0.bc_forwarding = 1",
      "net.ipv4.ip_forward = 1",
      "net.ipv6.conf.eth0.forwarding = 1"
    ])
  })

  it("ip_forward is forwarding of all links, of IPv4", () => {
    const at = (value: number) => [
      `net.ipv4.ip_forward = ${value}`,
      `net.ipv6.conf.all.forwarding = ${value}`,
      ...["all", "default", "eth0"].map((link) => `net.ipv4.conf.${link}.forwarding = ${value}`)
    ]
    assert.deepStrictEqual(sysctls(at(0), at(1)), {
      added: ["net.ipv4.ip_forward = 1", "net.ipv6.conf.all.forwarding = 1"],
      removed: ["net.ipv4.ip_forward = 0", "net.ipv6.conf.all.forwarding = 0"]
    })
  })
})
