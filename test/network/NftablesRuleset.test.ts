/** What nft prints as JSON, and its list of chains. */
import { assert, describe, it } from "@effect/vitest"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"

const parse = (...nftables: ReadonlyArray<object>) => NftablesRuleset.parse(JSON.stringify({ nftables }))

const chain = (members: object = {}) => ({ chain: { family: "inet", table: "fw", name: "in", ...members } })
const rule = (...expr: ReadonlyArray<object>) => ({ rule: { family: "inet", table: "fw", chain: "in", expr } })
const matching = (right: unknown) => ({ match: { op: "==", left: { meta: { key: "iifname" } }, right } })

describe("a chain of nftables", () => {
  it("has its hook, policy, priority and device, as far as they are there", () => {
    const base = { hook: "ingress", type: "filter", policy: "drop", prio: -5 }
    const read = { family: "inet", table: "fw", name: "in", rules: [] }
    const { prio, ...others } = base
    for (const dev of ["eth0", ["eth0", "eth1"]]) {
      assert.deepStrictEqual(parse(chain({ ...base, dev })), [{ ...read, ...others, priority: prio, device: "eth0" }])
    }
    assert.deepStrictEqual(parse(chain()), [
      { ...read, hook: undefined, type: undefined, policy: undefined, priority: 0, device: undefined }
    ])
  })

  it("is left out in a table that may be dormant, and in those of iptables", () => {
    const table = (flags: unknown) => ({ table: { family: "inet", name: "fw", flags } })
    for (const flags of ["dormant", ["owner", "dormant"], 8]) assert.isEmpty(parse(table(flags), chain()))
    for (const flags of [undefined, "owner", ["owner", "persist"]]) assert.lengthOf(parse(table(flags), chain()), 1)
    assert.isEmpty(parse(chain({ family: "ip", table: "nat" }), chain({ family: "ip6", table: "filter" })))
    assert.lengthOf(parse(chain({ family: "inet", table: "nat" }), chain({ family: "ip", table: "cni" })), 2)
  })
})

describe("a rule of nftables", () => {
  const rulesOf = (...all: ReadonlyArray<object>) => parse(chain(), ...all)[0]?.rules

  it("belongs to its chain, and has its statements alone", () => {
    const other = { rule: { family: "inet", table: "fw", chain: "out", expr: [{ accept: null }] } }
    assert.deepStrictEqual(rulesOf(rule({ accept: null }), other), [[{ accept: null }]])
  })

  it("has the elements of a set or a map in place of its name", () => {
    const named = { family: "inet", table: "fw", name: "s" }
    const elem = ["a", { elem: { val: "b", counter: {} } }]
    for (const set of [{ set: { ...named, elem } }, { map: { ...named, elem } }]) {
      assert.deepStrictEqual(rulesOf(set, rule(matching("@s"))), [[matching({ set: ["a", "b"] })]])
      assert.deepStrictEqual(rulesOf(set, rule({ vmap: { key: 1, data: "@s" } })), [[
        { vmap: { key: 1, data: { set: ["a", "b"] } } }
      ]])
    }
    assert.deepStrictEqual(rulesOf({ set: named }, rule(matching("@s"))), [[matching({ set: [] })]])
  })

  it("keeps names of sets that are not there, and texts that are no such names", () => {
    const set = { set: { family: "inet", table: "other", name: "s", elem: ["a"] } }
    const own = { set: { family: "inet", table: "fw", name: "t", elem: ["a"] } }
    for (const statement of [matching("@s"), matching("s"), { log: { prefix: "@t" } }, matching({ set: [1, ["x"]] })]) {
      assert.deepStrictEqual(rulesOf(set, rule(statement)), [[statement]])
      assert.deepStrictEqual(rulesOf(set, own, rule(statement)), [[statement]])
    }
  })
})

describe("tables of iptables", () => {
  it("are in what nft prints, or not", () => {
    const has = (family: string, name: string) =>
      NftablesRuleset.hasTablesOfIptables(JSON.stringify({ nftables: [{ chain: {} }, { table: { family, name } }] }))
    assert.deepStrictEqual([has("ip", "nat"), has("ip6", "raw"), has("inet", "nat"), has("ip", "cni")], [
      true,
      true,
      false,
      false
    ])
    assert.isFalse(NftablesRuleset.hasTablesOfIptables("rubbish"))
  })
})

describe("the links of chains", () => {
  it("are those of the list of chains, by table and chain", () => {
    const listed = [
      "table netdev one {",
      "\tchain in {",
      "\t\ttype filter hook ingress device \"eth0\" priority 0; policy accept;",
      "\t}",
      "\tchain out {",
      "\t\ttype filter hook egress devices = { eth1, eth2 } priority 0; policy accept;",
      "\t}",
      "}",
      "table inet two {",
      "\tchain in {",
      "\t\ttype filter hook ingress device eth3 priority 0; policy accept;",
      "\t}",
      "\tchain forward {",
      "\t\ttype filter hook forward priority 0; policy accept;",
      "\t}",
      "}"
    ].join("\n")
    assert.deepStrictEqual([...NftablesRuleset.parseDevices(listed)], [
      ["netdev one in", "eth0"],
      ["netdev one out", "eth1"],
      ["inet two in", "eth3"]
    ])
    assert.deepStrictEqual(NftablesRuleset.tablesOf(listed), ["netdev one", "inet two"])
  })
})
