/** What facts of packet filters are about. */
import { assert, describe, it } from "@effect/vitest"
import * as Fact from "../../src/network/Fact.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"

const fact = (kind: string, text: string): Fact.Fact => ({ place: "host", kind, text })

describe("the chain that a fact is about", () => {
  const chains: { readonly [text: string]: NftablesRuleset.Chain | undefined } = {
    "ip nat -A CNI-1 -j RETURN": { name: "ip nat CNI-1", isRule: true },
    "legacy ip6 filter -A CNI-1 -j RETURN": { name: "legacy ip6 filter CNI-1", isRule: true },
    "ip nat -N CNI-1": { name: "ip nat CNI-1", isRule: false },
    "ip filter -P FORWARD DROP": undefined,
    "something else": undefined
  }
  for (const [text, chain] of Object.entries(chains)) {
    it(`of iptables: ${text}`, () => assert.deepStrictEqual(Fact.chainOf(fact("iptables", text)), chain))
  }

  const nftables: { readonly [text: string]: NftablesRuleset.Chain | undefined } = {
    "rule inet cni c accept": { name: "inet cni c", isRule: true },
    "rule inet cni c": { name: "inet cni c", isRule: true },
    "chain inet cni c": { name: "inet cni c", isRule: false },
    "chain inet cni c type nat hook postrouting": undefined,
    "table inet cni c": undefined,
    "set inet cni s": undefined
  }
  for (const [text, chain] of Object.entries(nftables)) {
    it(`of nftables: ${text}`, () => assert.deepStrictEqual(Fact.chainOf(fact("nftables", text)), chain))
  }

  it("is none where the fact is of another kind", () => {
    assert.isUndefined(Fact.chainOf(fact("links", "rule inet cni c accept")))
    assert.isUndefined(Fact.chainOf(fact("links", "ip nat -A CNI-1 -j RETURN")))
  })
})

describe("the policy and the family of a fact", () => {
  it("are those of iptables alone", () => {
    assert.strictEqual(Fact.policyOf(fact("iptables", "ip filter -P FORWARD DROP")), "DROP")
    assert.isUndefined(Fact.policyOf(fact("iptables", "ip filter -A FORWARD -j DROP")))
    assert.isUndefined(Fact.policyOf(fact("nftables", "ip filter -P FORWARD DROP")))
    assert.strictEqual(Fact.familyOf(fact("iptables", "legacy ip6 nat -N A")), "legacy ip6")
    assert.strictEqual(Fact.familyOf(fact("iptables", "ip nat -N A")), "ip")
    assert.isUndefined(Fact.familyOf(fact("nftables", "ip nat -N A")))
  })
})

describe("a fact in words", () => {
  it("of iptables says its table and chain", () => {
    assert.strictEqual(IptablesRule.reader.words("ip nat -N CNI-1"), "nat chain CNI-1")
    assert.strictEqual(IptablesRule.reader.words("ip filter -P FORWARD DROP"), "filter FORWARD: policy DROP")
    assert.strictEqual(IptablesRule.reader.words("ip nat -A CNI-1 -j RETURN"), "nat CNI-1: return")
    assert.strictEqual(IptablesRule.reader.words("no rule"), "no rule")
  })

  it("of nftables says what it is, and what more there is to it", () => {
    assert.strictEqual(NftablesRuleset.reader.words("rule inet cni c accept"), "nft inet cni c: accept")
    assert.strictEqual(NftablesRuleset.reader.words("element inet cni s 10.0.0.1"), "nft inet cni s: 10.0.0.1")
    assert.strictEqual(NftablesRuleset.reader.words("table inet cni"), "nft table inet cni")
    assert.strictEqual(
      NftablesRuleset.reader.words("table inet cni flags dormant"),
      "nft table inet cni (flags dormant)"
    )
    assert.strictEqual(NftablesRuleset.reader.words("chain inet cni c"), "nft chain inet cni c")
    assert.strictEqual(NftablesRuleset.reader.words("chain inet cni c type nat"), "nft chain inet cni c (type nat)")
    assert.strictEqual(NftablesRuleset.reader.words("ct helper inet cni h"), "nft ct helper inet cni h")
  })
})
