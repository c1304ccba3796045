/** What differs between two moments. */
import { assert, describe, it } from "@effect/vitest"
import type { Kind } from "../../src/state/Kind.ts"
import type { Facts, Snapshot } from "../../src/state/Snapshot.ts"
import { between } from "../../src/state/StateDiff.ts"

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
