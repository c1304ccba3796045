/** What facts of packet filters are about. */
import { assert, describe, it } from "@effect/vitest"
import type { Fact } from "../../src/operations/Fact.ts"
import * as RuleFact from "../../src/operations/RuleFact.ts"

const fact = (kind: string, text: string): Fact => ({ place: "host", kind, text })

describe("the chain that a fact is about", () => {
  const chains: { readonly [text: string]: RuleFact.Chain | undefined } = {
    "ip nat -A CNI-1 -j RETURN": { name: "ip nat CNI-1", isRule: true },
    "legacy ip6 filter -A CNI-1 -j RETURN": { name: "legacy ip6 filter CNI-1", isRule: true },
    "ip nat -N CNI-1": { name: "ip nat CNI-1", isRule: false },
    "ip filter -P FORWARD DROP": undefined,
    "something else": undefined
  }
  for (const [text, chain] of Object.entries(chains)) {
    it(`of iptables: ${text}`, () => assert.deepStrictEqual(RuleFact.chainOf(fact("iptables", text)), chain))
  }

  const nftables: { readonly [text: string]: RuleFact.Chain | undefined } = {
    "rule inet cni c accept": { name: "inet cni c", isRule: true },
    "rule inet cni c": { name: "inet cni c", isRule: true },
    "chain inet cni c": { name: "inet cni c", isRule: false },
    "chain inet cni c type nat hook postrouting": undefined,
    "table inet cni c": undefined,
    "set inet cni s": undefined
  }
  for (const [text, chain] of Object.entries(nftables)) {
    it(`of nftables: ${text}`, () => assert.deepStrictEqual(RuleFact.chainOf(fact("nftables", text)), chain))
  }

  it("is none where the fact is of another kind", () => {
    assert.isUndefined(RuleFact.chainOf(fact("links", "rule inet cni c accept")))
    assert.isUndefined(RuleFact.chainOf(fact("links", "ip nat -A CNI-1 -j RETURN")))
  })
})

describe("the policy and the family of a fact", () => {
  it("are those of iptables alone", () => {
    assert.strictEqual(RuleFact.policyOf(fact("iptables", "ip filter -P FORWARD DROP")), "DROP")
    assert.isUndefined(RuleFact.policyOf(fact("iptables", "ip filter -A FORWARD -j DROP")))
    assert.isUndefined(RuleFact.policyOf(fact("nftables", "ip filter -P FORWARD DROP")))
    assert.strictEqual(RuleFact.familyOf(fact("iptables", "legacy ip6 nat -N A")), "legacy ip6")
    assert.strictEqual(RuleFact.familyOf(fact("iptables", "ip nat -N A")), "ip")
    assert.isUndefined(RuleFact.familyOf(fact("nftables", "ip nat -N A")))
  })
})

describe("a fact in words", () => {
  it("of iptables says its table and chain", () => {
    assert.strictEqual(RuleFact.iptables("ip nat -N CNI-1"), "nat chain CNI-1")
    assert.strictEqual(RuleFact.iptables("ip filter -P FORWARD DROP"), "filter FORWARD: policy DROP")
    assert.strictEqual(RuleFact.iptables("ip nat -A CNI-1 -j RETURN"), "nat CNI-1: return")
    assert.strictEqual(RuleFact.iptables("no rule"), "no rule")
  })

  it("of nftables says what it is, and what more there is to it", () => {
    assert.strictEqual(RuleFact.nftables("rule inet cni c accept"), "nft inet cni c: accept")
    assert.strictEqual(RuleFact.nftables("element inet cni s 10.0.0.1"), "nft inet cni s: 10.0.0.1")
    assert.strictEqual(RuleFact.nftables("table inet cni"), "nft table inet cni")
    assert.strictEqual(RuleFact.nftables("table inet cni flags dormant"), "nft table inet cni (flags dormant)")
    assert.strictEqual(RuleFact.nftables("chain inet cni c"), "nft chain inet cni c")
    assert.strictEqual(RuleFact.nftables("chain inet cni c type nat"), "nft chain inet cni c (type nat)")
    assert.strictEqual(RuleFact.nftables("ct helper inet cni h"), "nft ct helper inet cni h")
  })
})
