/** What becomes of packets in chains of nftables, as `nft -j list ruleset` prints them. */
import { assert, describe, it } from "@effect/vitest"
import * as Nftables from "../../src/doctor/Nftables.ts"
import type { Packet } from "../../src/doctor/Packet.ts"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"
import * as Host from "./host.ts"

type Rule = ReadonlyArray<object>

const of = { family: "inet", table: "fw" }
const chain = (name: string, rules: ReadonlyArray<Rule>, fields = {}) => [
  { chain: { ...of, name, ...fields } },
  ...rules.map((expr) => ({ rule: { ...of, chain: name, expr } }))
]

/** A table whose chain `forward` has these rules, and that has a chain `mine` too. */
const table = (policy: string, rules: ReadonlyArray<Rule>, mine: ReadonlyArray<Rule> = [], flags = {}) =>
  NftablesRuleset.parse(JSON.stringify({
    nftables: [
      { table: { family: "inet", name: "fw", ...flags } },
      ...chain("mine", mine),
      ...chain("forward", rules, { type: "filter", hook: "forward", prio: 0, policy })
    ]
  }))

/** What a container sends first, or an answer to it. */
const packet = (state: "NEW" | "ESTABLISHED" = "NEW") =>
  ({ family: 4, source: Host.address("10.99.0.2"), inLink: "cni0", outLink: "eth0", state }) as const

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

const meta = (key: string) => ({ meta: { key } })
const ct = (key: string) => ({ ct: { key } })
const payload = (field: string, protocol = "ip") => ({ payload: { protocol, field } })
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } })

/** Whether a packet is one that a rule with these statements is about. */
const isMatch = (...statements: Rule): boolean | "unknown" => {
  const known: Packet = { ...packet(), destination: Host.address("192.0.2.53") }
  const drops = Nftables.dropping({ rulesets: [], nft: table("accept", [[...statements, drop]]) }, "forward", known)
  const stays = Nftables.dropping({ rulesets: [], nft: table("drop", [[...statements, accept]]) }, "forward", known)
  return drops.length > 0 ? true : stays.length > 0 ? false : "unknown"
}

describe("a rule of nftables is about a packet", () => {
  const cases: ReadonlyArray<readonly [left: object, right: unknown, isAbout: boolean | "unknown"]> = [
    [inLink, "cni0", true],
    [inLink, "eth0", false],
    [inLink, "cni*", true],
    [inLink, set("docker0", "cni0"), true],
    [inLink, ["docker0", "cni0"], true],
    [inLink, set("docker0", "eth0"), false],
    [inLink, set("docker0", "@mine"), "unknown"],
    [inLink, set("cni0", "@mine"), true],
    [inLink, 5, "unknown"],
    [meta("oifname"), "eth0", true],
    [meta("oifname"), "cni0", false],
    [meta("nfproto"), "ipv4", true],
    [meta("nfproto"), "ipv6", false],
    [meta("nfproto"), "x", "unknown"],
    [meta("iif"), "cni0", true],
    [state, "new", true],
    [state, "established", false],
    [state, set("related", "new"), true],
    [ct("direction"), "new", "unknown"],
    [payload("saddr"), "10.99.0.2", true],
    [payload("saddr"), "192.0.2.53", false],
    [payload("saddr"), prefix("10.99.0.0", 24), true],
    [payload("saddr"), prefix("10.98.0.0", 24), false],
    [payload("daddr"), "192.0.2.53", true],
    [payload("daddr"), "10.99.0.2", false],
    [payload("dport", "udp"), "53", "unknown"],
    [payload("saddr", "ip6"), "fd00::2", false],
    [payload("type", "icmpv6"), "echo-request", false],
    [payload("type", "icmp"), "echo-request", "unknown"]
  ]
  for (const [left, right, expected] of cases) {
    it(`${JSON.stringify(left)} == ${JSON.stringify(right)}: ${expected}`, () => {
      assert.strictEqual(isMatch(match(left, right)), expected)
      assert.strictEqual(isMatch(match(left, right, "in")), expected)
    })
  }

  const denied: ReadonlyArray<readonly [left: object, right: unknown, isAbout: boolean | "unknown"]> = [
    [inLink, "cni0", false],
    [inLink, "eth0", true],
    [inLink, set("docker0", "@mine"), "unknown"],
    [payload("saddr", "ip6"), "fd00::2", false]
  ]
  for (const [left, right, expected] of denied) {
    it(`${JSON.stringify(left)} != ${JSON.stringify(right)}: ${expected}`, () => {
      assert.strictEqual(isMatch(match(left, right, "!=")), expected)
    })
  }

  it("not as far as can be told with an operator that is not known", () => {
    assert.strictEqual(isMatch(match(inLink, "cni0", "<")), "unknown")
  })

  it("that it asks for everything of", () => {
    const is = match(inLink, "cni0")
    const isNot = match(inLink, "eth0")
    const isUnclear = match(inLink, "@mine")
    assert.deepStrictEqual(
      [isMatch(is, is), isMatch(is, isNot), isMatch(is, isUnclear), isMatch(isUnclear, isNot)],
      [true, false, "unknown", false]
    )
  })

  const statements: ReadonlyArray<readonly [statement: object, isAbout: boolean | "unknown"]> = [
    [{ counter: { packets: 0 } }, true],
    [{ log: { prefix: "x" } }, true],
    [{ mangle: {} }, true],
    [{ limit: { rate: 5 } }, "unknown"],
    [{ xt: { name: "ACCEPT" } }, "unknown"],
    [{ queue: {} }, "unknown"],
    [{ synproxy: {} }, "unknown"],
    [{ continue: null }, false],
    [{ return: null }, false]
  ]
  for (const [statement, expected] of statements) {
    it(`after ${JSON.stringify(statement)}: ${expected}`, () => assert.strictEqual(isMatch(statement), expected))
  }
})

describe("what a map of nftables says of a packet", () => {
  const cases: ReadonlyArray<readonly [name: string, map: object, isAbout: boolean | "unknown"]> = [
    [
      "is what it says of its first part that fits",
      vmap(inLink, ["eth0", accept], ["cni*", drop], ["cni0", accept]),
      true
    ],
    ["is nothing where nothing fits", vmap(inLink, ["eth0", drop]), false],
    ["is nothing of a part that the packet cannot have", vmap(saddr("ip6"), ["fd00::2", drop], ["@mine", drop]), false],
    ["is not known where a part before may fit", vmap(inLink, ["@mine", accept], ["cni0", drop]), "unknown"],
    ["is not known where what it says is not", vmap(inLink, ["cni0", { dup: {} }]), "unknown"]
  ]
  for (const [name, map, expected] of cases) {
    it(name, () => {
      const dropped = isDropped(table("accept", [[map]]))
      const stays = isDropped(table("drop", [[map]]))
      assert.strictEqual(dropped ? true : stays ? false : "unknown", expected)
    })
  }

  it("is not known where it is the name of another map", () => {
    assert.isFalse(isDropped(table("drop", [[{ vmap: { key: inLink, data: "@verdicts" } }]])))
  })

  it("may be to go to another chain", () => {
    assert.isTrue(isDropped(table("accept", [[vmap(inLink, ["cni0", jump])]], [[drop]])))
    assert.isTrue(isDropped(table("accept", [[vmap(inLink, ["cni0", jump])], [drop]])))
    assert.isFalse(isDropped(table("accept", [[vmap(inLink, ["cni0", goto])], [drop]])))
  })
})

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
    "in a chain that it is sent to for ever": ["accept", [[goto]], [[drop]]],
    "after a chain that it comes back from": ["accept", [[jump], [drop]]],
    "after a chain that returns": ["accept", [[jump], [drop]], [[{ return: null }], [accept]]],
    "by a rule that rejects": ["accept", [[{ reject: { type: "icmp" } }]]],
    "by its policy, after a rule that returns": ["drop", [[{ return: null }], [accept]]],
    "by its policy, after a chain without an end": ["drop", [[jump]], [[jump]]],
    "where the table has an owner": ["drop", [], [], { flags: ["owner"] }]
  }
  for (const [name, args] of Object.entries(cases)) it(name, () => assert.isTrue(isDropped(table(...args))))
})

describe("a chain of nftables is not known to drop a packet", () => {
  const cases: { readonly [name: string]: Parameters<typeof table> } = {
    "of another link": ["accept", [[match(inLink, "docker0"), drop]]],
    "that it accepts": ["drop", [[accept], [drop]]],
    "that it accepts in another chain": ["drop", [[jump], [drop]], [[accept]]],
    "that goes to a chain which is not there": ["drop", [[{ jump: { target: "none" } }]]],
    "that another chain may have accepted": ["drop", [[jump]], [[match(inLink, "@mine"), accept]]],
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

describe("a chain of nftables stops packets", () => {
  const chainOf = (fields: object, family = "inet") =>
    NftablesRuleset.parse(JSON.stringify({
      nftables: [{
        chain: { family, table: "fw", name: "c", type: "filter", hook: "forward", policy: "drop", ...fields }
      }]
    }))
  const names = (nft: ReadonlyArray<NftablesRuleset.NftChain>, of: 4 | 6 = 4) =>
    Nftables.dropping({ rulesets: [], nft }, "forward", { family: of, state: "NEW" }).map(({ name }) => name)

  it("of its family, or of both", () => {
    assert.deepStrictEqual(
      ["inet", "ip", "ip6", "bridge"].map((family) =>
        [names(chainOf({}, family), 4), names(chainOf({}, family), 6)].flat()
      ),
      [["c", "c"], ["c"], ["c"], []]
    )
  })

  it("at its hook alone, and only as a filter", () => {
    assert.deepStrictEqual(names(chainOf({ hook: "input" })), [])
    assert.deepStrictEqual(names(chainOf({ type: "nat" })), [])
    assert.deepStrictEqual(names(chainOf({ policy: "accept" })), [])
    assert.deepStrictEqual(names(chainOf({ policy: undefined })), [])
  })

  it("and jumps to chains of its own table and family alone", () => {
    const other = (fields: object) => {
      const target = { family: "inet", table: "fw", name: "mine", ...fields }
      return NftablesRuleset.parse(JSON.stringify({
        nftables: [
          { chain: target },
          { rule: { ...target, chain: "mine", expr: [drop] } },
          { chain: { ...of, name: "c", type: "filter", hook: "forward", policy: "accept" } },
          { rule: { ...of, chain: "c", expr: [jump] } }
        ]
      }))
    }
    assert.deepStrictEqual([{}, { table: "x" }, { family: "ip" }].map((fields) => names(other(fields))), [
      ["c"],
      [],
      []
    ])
  })
})

describe("an address that nftables speaks of", () => {
  const isNamed = (text: string) =>
    Nftables.isNamed({
      rulesets: [],
      nft: table("accept", [[match(saddr("ip"), "10.99.0.2"), { comment: "a \"b\"" }]])
    }, text)

  it("is one that a rule has anywhere", () => {
    assert.deepStrictEqual(["10.99.0.2", "a \"b\"", "10.99.0.3"].map(isNamed), [true, true, false])
  })
})

describe("chains of nat of nftables", () => {
  const nat = (...rules: ReadonlyArray<Rule>) => ({
    rulesets: [],
    nft: table("accept", rules).map((each) => ({ ...each, type: "nat", hook: "postrouting" }))
  })
  const translated = (...rules: ReadonlyArray<Rule>) => Nftables.translated(nat(...rules), "postrouting", packet())._tag
  const outLink = { meta: { key: "oifname" } }

  it("masquerade a packet of the link that they ask for, and not of others", () => {
    const found = ["eth0", "eth1", "@uplinks"].map((name) => translated([match(outLink, name), { masquerade: null }]))
    assert.deepStrictEqual(found, ["Translated", "None", "Unknown"])
  })

  it("leave a packet as it is that a rule before lets out", () => {
    assert.strictEqual(translated([accept], [{ masquerade: null }]), "None")
    assert.strictEqual(translated([match(outLink, "eth1"), accept], [{ masquerade: null }]), "Translated")
  })

  it("may be of another family", () => {
    const rules = nat([{ masquerade: null }])
    const nft = rules.nft.map((each) => ({ ...each, family: "ip6" }))
    assert.strictEqual(Nftables.translated({ ...rules, nft }, "postrouting", packet())._tag, "None")
  })
})

describe("a chain that keeps the kernel from tracking", () => {
  const notrack = { notrack: null }
  const untracked = (priority: number, ...rules: ReadonlyArray<Rule>) =>
    Nftables.untrackedBy(
      {
        rulesets: [],
        nft: NftablesRuleset.parse(JSON.stringify({
          nftables: [
            { table: { family: "inet", name: "fw" } },
            ...chain("mine", []),
            ...chain("pre", rules, { type: "filter", hook: "prerouting", prio: priority, policy: "accept" })
          ]
        }))
      },
      "prerouting",
      packet()
    )?.name

  it("is found, if it comes before the tracking", () => {
    assert.strictEqual(untracked(-300, [notrack]), "pre")
    assert.strictEqual(untracked(-300, [match(inLink, "cni0"), notrack]), "pre")
    assert.isUndefined(untracked(-300, [match(inLink, "cni1"), notrack]))
    assert.isUndefined(untracked(-200, [notrack]))
  })

  it("is none if a rule before it may let the packet leave the chain", () => {
    for (const end of [accept, drop, jump, goto, { return: null }]) {
      assert.isUndefined(untracked(-300, [match(inLink, "cni0"), end], [notrack]))
      assert.strictEqual(untracked(-300, [match(inLink, "cni1"), end], [notrack]), "pre")
    }
  })
})
