/** What becomes of packets in chains of nftables, as `nft -j list ruleset` prints them. */
import { assert, describe, it } from "@effect/vitest"
import * as Cidr from "../../src/doctor/Cidr.ts"
import * as Rules from "../../src/doctor/facts/Rules.ts"
import * as Nftables from "../../src/doctor/Nftables.ts"

type Rule = ReadonlyArray<object>

const of = { family: "inet", table: "fw" }
const chain = (name: string, rules: ReadonlyArray<Rule>, fields = {}) => [
  { chain: { ...of, name, ...fields } },
  ...rules.map((expr) => ({ rule: { ...of, chain: name, expr } }))
]

/** A table whose chain `forward` has these rules, and that has a chain `mine` too. */
const table = (policy: string, rules: ReadonlyArray<Rule>, mine: ReadonlyArray<Rule> = [], flags = {}) =>
  Rules.parseNft(JSON.stringify({
    nftables: [
      { table: { family: "inet", name: "fw", ...flags } },
      ...chain("mine", mine),
      ...chain("forward", rules, { type: "filter", hook: "forward", prio: 0, policy })
    ]
  }))

const source = Cidr.parseAddress("10.99.0.2")
if (source === undefined) throw new Error("no address")

/** What a container sends first, or an answer to it. */
const packet = (state: "NEW" | "ESTABLISHED" = "NEW") =>
  ({ family: 4, source, inLink: "cni0", outLink: "eth0", state }) as const

const isDropped = (nft: ReturnType<typeof table>, state: "NEW" | "ESTABLISHED" = "NEW") =>
  Nftables.dropping({ rulesets: [], nft }, "forward", packet(state)).length > 0

const [accept, drop] = [{ accept: null }, { drop: null }]
const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } })
const inLink = { meta: { key: "iifname" } }
const state = { ct: { key: "state" } }
const saddr = (protocol: string) => ({ payload: { protocol, field: "saddr" } })
const set = (...members: ReadonlyArray<unknown>) => ({ set: members })
const vmap = (key: object, ...data: ReadonlyArray<readonly [unknown, object]>) => ({
  vmap: { key, data: set(...data) }
})
const jump = { jump: { target: "mine" } }
const goto = { goto: { target: "mine" } }

describe("a chain of nftables drops a packet", () => {
  const cases: { readonly [name: string]: Parameters<typeof table> } = {
    "by its policy": ["drop", []],
    "by a rule for its link": ["accept", [[match(inLink, "cni0"), drop]]],
    "by a rule for links of which it has one": ["accept", [[match(inLink, set("eth9", "cni*")), drop]]],
    "by a rule for others than its subnet": ["accept", [[match(saddr("ip"), "10.98.0.0/24", "!="), drop]]],
    "by a map that accepts other states": [
      "drop",
      [[vmap(state, ["established", accept], ["related", accept], ["invalid", drop])]]
    ],
    "by a map that says so": ["accept", [[vmap(saddr("ip"), [{ prefix: { addr: "10.99.0.0", len: 16 } }, drop])]]],
    "in a chain that it is sent to": ["accept", [[jump]], [[drop]]],
    "after a chain that it comes back from": ["accept", [[jump], [drop]]],
    "where the table has an owner": ["drop", [], [], { flags: ["owner"] }]
  }
  for (const [name, args] of Object.entries(cases)) it(name, () => assert.isTrue(isDropped(table(...args))))
})

describe("a chain of nftables is not known to drop a packet", () => {
  const cases: { readonly [name: string]: Parameters<typeof table> } = {
    "of another link": ["accept", [[match(inLink, "docker0"), drop]]],
    "that a set may let through": ["drop", [[match(inLink, "@mine"), accept]]],
    "for it is in no set that can be told": ["accept", [[match(inLink, "@mine", "!="), drop]]],
    "of another family": ["accept", [[match(saddr("ip6"), "fd00::/8", "!="), drop]]],
    "that a map may let through": ["drop", [[
      vmap({ concat: [inLink, state] }, [{ concat: ["cni0", "new"] }, accept])
    ]]],
    "that a match of iptables may let through": ["drop", [[{ xt: { type: "target", name: "ACCEPT" } }]]],
    "that has gone to a chain from which none leads back": ["accept", [[goto], [drop]]],
    "that may have gone there": ["accept", [[match({ meta: { key: "mark" } }, 1), goto], [drop]]],
    "in a table that is asleep": ["drop", [], [], { flags: ["dormant"] }],
    "in a table of which it cannot be told": ["drop", [], [], { flags: "inet" }]
  }
  for (const [name, args] of Object.entries(cases)) it(name, () => assert.isFalse(isDropped(table(...args))))

  it("that answers, where a map lets answers through", () => {
    const nft = table("drop", [[vmap(state, ["established", accept], ["invalid", drop])]])
    assert.isFalse(isDropped(nft, "ESTABLISHED"))
  })
})

describe("a rule of nftables may masquerade a packet", () => {
  const rules = (...matches: Rule) => ({ rulesets: [], nft: table("accept", [[...matches, { masquerade: null }]]) })

  it("of the link that it asks for, and not of others", () => {
    const outLink = { meta: { key: "oifname" } }
    const found = ["eth0", "eth1", "@uplinks"].map((name) =>
      Nftables.mayMasquerade(rules(match(outLink, name)), packet())
    )
    assert.deepStrictEqual(found, [true, false, true])
  })
})
