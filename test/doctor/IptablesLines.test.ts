/** Rules of iptables as single facts. */
import { assert, describe, it } from "@effect/vitest"
import * as IptablesLines from "../../src/doctor/IptablesLines.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import type * as PacketFilter from "../../src/network/PacketFilter.ts"

const text = `*nat
:PREROUTING ACCEPT [0:0]
:CNI-1 - [0:0]
-A PREROUTING -d 10.99.0.2/32 -j DNAT --to-destination 10.99.0.3:80
-A CNI-1 -j RETURN
COMMIT
*filter
:FORWARD DROP [0:0]
:CNI-2 - [0:0]
-A FORWARD -g CNI-2
COMMIT`

const ruleset = (backend: "nf_tables" | "legacy", family: 4 | 6, save = text): IptablesRule.Ruleset => ({
  backend,
  family,
  tables: IptablesRule.parse(save)
})

/** The line of a rule in the chain FORWARD of the table filter. */
const line = (rule: string, fields: Partial<IptablesLines.Line> = {}): IptablesLines.Line => {
  const save = `*filter\n:FORWARD ACCEPT\n-A FORWARD ${rule}\nCOMMIT`
  const [first] = IptablesLines.of({ rulesets: [ruleset("nf_tables", 4, save)], nft: [] })
  return { ...(first ?? assert.fail("there is no rule")), ...fields }
}

describe("the rules of a host", () => {
  const rules: PacketFilter.Rules = { rulesets: [ruleset("nf_tables", 4), ruleset("legacy", 6)], nft: [] }

  it("are known by their backend, family, table and chain", () => {
    assert.deepStrictEqual(IptablesLines.of(rules).map(IptablesLines.key), [
      "nf_tables 4 nat PREROUTING -A PREROUTING -d 10.99.0.2/32 -j DNAT --to-destination 10.99.0.3:80",
      "nf_tables 4 nat CNI-1 -A CNI-1 -j RETURN",
      "nf_tables 4 filter FORWARD -A FORWARD -g CNI-2",
      "legacy 6 nat PREROUTING -A PREROUTING -d 10.99.0.2/32 -j DNAT --to-destination 10.99.0.3:80",
      "legacy 6 nat CNI-1 -A CNI-1 -j RETURN",
      "legacy 6 filter FORWARD -A FORWARD -g CNI-2"
    ])
  })

  it("are in chains, of which some are not built in", () => {
    assert.deepStrictEqual(IptablesLines.chainsOf(rules).map(IptablesLines.chainKey), [
      "nf_tables 4 nat CNI-1",
      "nf_tables 4 filter CNI-2",
      "legacy 6 nat CNI-1",
      "legacy 6 filter CNI-2"
    ])
  })
})

describe("the program that changes rules", () => {
  const cases: ReadonlyArray<
    readonly [backend: "nf_tables" | "legacy", family: 4 | 6, tools: ReadonlyArray<string>, program: string]
  > = [
    ["nf_tables", 4, [], "iptables"],
    ["nf_tables", 4, ["iptables-nft", "iptables-legacy"], "iptables-nft"],
    ["legacy", 4, ["iptables-nft", "iptables-legacy"], "iptables-legacy"],
    ["legacy", 4, ["iptables-nft"], "iptables"],
    ["nf_tables", 6, ["iptables-nft"], "ip6tables"],
    ["nf_tables", 6, ["ip6tables-nft"], "ip6tables-nft"],
    ["legacy", 6, ["ip6tables-legacy"], "ip6tables-legacy"]
  ]
  for (const [backend, family, tools, program] of cases) {
    it(`is ${program} for ${backend} of IPv${family}, where there is ${tools.join(" and ") || "no other"}`, () => {
      const known = new Map(tools.map((name) => [name, `/sbin/${name}`]))
      assert.strictEqual(IptablesLines.program({ backend, family }, known), program)
    })
  }

  it("is named for people after its backend, where that is not the usual one", () => {
    assert.deepStrictEqual(
      ([4, 6] as const).flatMap((family) => [
        IptablesLines.commandOf(family, "nf_tables"),
        IptablesLines.commandOf(family, "legacy")
      ]),
      ["iptables", "iptables-legacy", "ip6tables", "ip6tables-legacy"]
    )
  })
})

describe("a rule", () => {
  it("is written as people write it", () => {
    assert.strictEqual(IptablesLines.text(line("-j DROP")), "iptables -t filter -A FORWARD -j DROP")
    assert.strictEqual(IptablesLines.text(line("-j DROP", { family: 6 })), "ip6tables -t filter -A FORWARD -j DROP")
  })

  it("is taken away by its words", () => {
    assert.deepStrictEqual(IptablesLines.deletion(line("-m comment --comment \"a b\" -j DROP")), [
      "-t",
      "filter",
      "-D",
      "FORWARD",
      "-m",
      "comment",
      "--comment",
      "a b",
      "-j",
      "DROP"
    ])
  })

  it("sends packets to a chain with -j or -g, or to none", () => {
    assert.deepStrictEqual(
      ["-s 10.0.0.1/32 -j DROP", "-g MINE", "-s 10.0.0.1/32"].map((rule) => IptablesLines.targetOf(line(rule))),
      ["DROP", "MINE", undefined]
    )
  })

  const about: ReadonlyArray<readonly [rule: string, address: string, isAbout: boolean]> = [
    ["-s 10.99.0.2/32 -j DROP", "10.99.0.2", true],
    ["-s 10.99.0.2 -j DROP", "10.99.0.2", true],
    ["-s 10.99.0.20/32 -j DROP", "10.99.0.2", false],
    ["-j DNAT --to-destination 10.99.0.2:80", "10.99.0.2", true],
    ["-j DNAT --to-destination 10.99.0.20:80", "10.99.0.2", false],
    ["-j DNAT --to-destination [fd00::2]:80", "fd00::2", true],
    ["-j DNAT --to-destination [fd00::20]:80", "fd00::2", false],
    ["-s fd00::2/128 -j DROP", "fd00::2", true]
  ]
  for (const [rule, address, isAbout] of about) {
    it(`${rule} is ${isAbout ? "" : "not "}about ${address}`, () => {
      assert.strictEqual(IptablesLines.isAbout(line(rule), address), isAbout)
    })
  }

  const owners: ReadonlyArray<readonly [rule: string, owner: string | undefined]> = [
    ["-m comment --comment \"name: \\\"n\\\" id: \\\"web\\\"\" -j CNI-1", "n web"],
    ["-m comment --comment \"dnat name: \\\"n\\\" id: \\\"web\\\" more\" -j CNI-1", "n web"],
    ["-m comment --comment \"name: \\\"n\\\"\" -j CNI-1", undefined],
    ["-m comment --comment \"id: \\\"web\\\"\" -j CNI-1", undefined],
    ["-m comment --comment \"name: \\\"\\\" id: \\\"web\\\"\" -j CNI-1", undefined],
    ["-m comment --comment", undefined],
    ["\"name: \\\"n\\\" id: \\\"web\\\"\" -j CNI-1", undefined] // the first word, and no comment
  ]
  for (const [rule, owner] of owners) {
    it(`${rule} is of ${owner ?? "no container"}`, () => {
      const found = IptablesLines.ownerOf(line(rule))
      assert.strictEqual(found === undefined ? undefined : `${found.network} ${found.containerId}`, owner)
    })
  }
})

describe("what lets a packet through again", () => {
  const chain = ":FORWARD DROP [0:0]\n-A FORWARD -m comment --comment \"a b\" -j DROP"
  const rulesets = [ruleset("nf_tables", 4, `*raw\n${chain}\nCOMMIT\n*filter\n${chain}\nCOMMIT`)]

  it("takes away the rule of the table that ended its way", () => {
    assert.deepStrictEqual(
      IptablesLines.undoing(rulesets, "filter", "-A FORWARD -m comment --comment \"a b\" -j DROP"),
      ["-t", "filter", "-D", "FORWARD", "-m", "comment", "--comment", "a b", "-j", "DROP"]
    )
  })

  it("is another policy where the policy ended it", () => {
    assert.deepStrictEqual(IptablesLines.undoing(rulesets, "raw", "-P FORWARD DROP"), [
      "-t",
      "raw",
      "-P",
      "FORWARD",
      "ACCEPT"
    ])
  })
})
