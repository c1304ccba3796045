/** What becomes of packets in rules, as far as these can be understood. */
import { assert, describe, it } from "@effect/vitest"
import * as Iptables from "../../src/doctor/Iptables.ts"
import type { Packet } from "../../src/doctor/Packet.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as Host from "./host.ts"

/** The end of a packet from a container, by these rules of FORWARD. */
const end = (policy: string, ...rules: ReadonlyArray<string>) => {
  const text = ["*filter", `:FORWARD ${policy} [0:0]`, ":MINE - [0:0]", ...rules, "COMMIT"].join("\n")
  const ruleset = { backend: "nf_tables", family: 4, tables: IptablesRule.parse(text) } as const
  return Iptables.follow(ruleset, "filter", "FORWARD", sent)?.end
}

/** A packet from a container. */
const sent: Packet = {
  family: 4,
  source: Host.address("10.99.0.2"),
  destination: Host.address("192.0.2.53"),
  inLink: "cni0",
  outLink: "eth0",
  protocol: "udp",
  port: 53,
  mark: 0x2001,
  isForHost: false,
  state: "NEW"
}

describe("a packet", () => {
  const cases: {
    readonly [name: string]: readonly [expected: string, policy: string, ...rules: ReadonlyArray<string>]
  } = {
    "ends at the policy": ["drop", "DROP"],
    "ends at the first rule that it matches": [
      "accept",
      "DROP",
      "-A FORWARD -s 10.99.0.0/24 -j ACCEPT",
      "-A FORWARD -j DROP"
    ],
    "passes rules of other subnets and links": [
      "accept",
      "ACCEPT",
      "-A FORWARD -s 10.98.0.0/24 -j DROP",
      "-A FORWARD -i docker0 -j DROP"
    ],
    "is matched by what a rule denies": ["drop", "ACCEPT", "-A FORWARD ! -i docker0 -j DROP"],
    "is followed into chains": ["drop", "ACCEPT", "-A FORWARD -j MINE", "-A MINE -i cni+ -j REJECT"],
    "comes back out of chains": ["accept", "ACCEPT", "-A FORWARD -j MINE", "-A MINE -j RETURN", "-A MINE -j DROP"],
    "is told by its state": ["accept", "ACCEPT", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP"],
    "has no certain end where a rule is not understood": ["unknown", "ACCEPT", "-A FORWARD -m recent --rcheck -j DROP"],
    "has none after a rule that may have taken it": [
      "unknown",
      "DROP",
      "-A FORWARD -m set --match-set x src -j ACCEPT"
    ],
    "has none after a rule that may have sent it to where none leads back": [
      "unknown",
      "ACCEPT",
      "-A FORWARD -m length --length 0:99 -g MINE",
      "-A FORWARD -j DROP"
    ],
    "goes round no loop for ever": ["accept", "ACCEPT", "-A FORWARD -j MINE", "-A MINE -j MINE"]
  }
  for (const [name, [expected, policy, ...rules]] of Object.entries(cases)) {
    it(name, () => assert.strictEqual(end(policy, ...rules), expected))
  }
})

/** Whether a packet is one that a rule with these words is about. */
const isMatch = (words: string, packet: Packet = sent): boolean | "unknown" => {
  const text = `*filter\n:FORWARD ACCEPT\n-A FORWARD ${words} -j DROP\nCOMMIT`
  const verdict = Iptables.follow(
    { backend: "legacy", family: 4, tables: IptablesRule.parse(text) },
    "filter",
    "FORWARD",
    packet
  )
  return verdict?.end === "unknown" ? "unknown" : verdict?.end === "drop"
}

describe("a rule is about a packet", () => {
  const cases: { readonly [words: string]: boolean | "unknown" } = {
    "-s 10.99.0.0/24": true,
    "! -s 10.99.0.0/24": false,
    "-s 10.98.0.0/24": false,
    "-d 192.0.2.53/32": true,
    "-d 10.99.0.2/32": false,
    "-i cni0": true,
    "-i eth0": false,
    "-o eth0": true,
    "-o cni0": false,
    "-o cni0 -i cni0": false,
    "-p udp": true,
    "-p tcp": false,
    "-p all": true,
    "! -p tcp": true,
    "-p udp -m udp --dport 53": true,
    "-p udp -m udp --dport 54": false,
    "-p udp -m multiport --dports 80,53": true,
    "-p udp -m multiport --dports 80,443": false,
    "-p udp -m multiport --ports 53": true,
    "--dport 53:60": true,
    "--dport 40:53": true,
    "--dport 54:60": false,
    "--dport 40:52": false,
    "--dport :53": true,
    "--dport :52": false,
    "--dport 53:": true,
    "--dport 54:": false,
    "-m conntrack --ctstate NEW": true,
    "-m conntrack --ctstate RELATED,ESTABLISHED": false,
    "-m conntrack ! --ctstate NEW": false,
    "-m state --state INVALID,NEW": true,
    "-m mark --mark 0x2001": true,
    "-m mark --mark 0x2000": false,
    "-m mark --mark 0x2000/0x2000": true,
    "-m mark --mark 0x1/0x2": false,
    "-m addrtype --dst-type LOCAL": false,
    "-m addrtype ! --dst-type LOCAL": true,
    "-m addrtype --dst-type BROADCAST": "unknown",
    "-m comment --comment \"-i eth0\"": true,
    "--wait": true,
    "-m recent --rcheck --seconds 60": "unknown",
    "-m recent --rcheck --seconds 60 -i eth0": false,
    "-m set ! --match-set x src": "unknown"
  }
  for (const [words, expected] of Object.entries(cases)) {
    it(`${words}: ${expected}`, () => assert.strictEqual(isMatch(words), expected))
  }

  it("as far as the packet is known", () => {
    for (
      const words of [
        "-s 10.99.0.0/24",
        "-d 10.99.0.0/24",
        "-i cni0",
        "-o eth0",
        "-p udp",
        "--dport 53",
        "--mark 0x1",
        "--dst-type LOCAL"
      ]
    ) assert.strictEqual(isMatch(words, { family: 4, state: "NEW" }), "unknown", words)
    assert.isTrue(isMatch("-p all", { family: 4, state: "NEW" }))
    assert.isTrue(isMatch("--ctstate ESTABLISHED", { family: 4, state: "ESTABLISHED" }))
    assert.isTrue(isMatch("--mark 0x80000000/0x80000000", { ...sent, mark: 0x8000_0001 }))
  })
})

/** Where a packet ends in the chain MAIN of the table nat, with these rules. */
const verdict = (...rules: ReadonlyArray<string>) => {
  const text = ["*nat", ":MAIN DROP [0:0]", ":MINE - [0:0]", ":OTHER - [0:0]", ...rules, "COMMIT"].join("\n")
  const found = Iptables.follow(
    { backend: "nf_tables", family: 4, tables: IptablesRule.parse(text) },
    "nat",
    "MAIN",
    sent
  )
  return found === undefined ? "nowhere" : [found.end, found.target, found.to ?? "-", found.rule].join("; ")
}

describe("the verdict on a packet", () => {
  const policy = "drop; ; -; -P MAIN DROP"
  const unclear = "-m recent --rcheck"
  const cases: { readonly [name: string]: readonly [expected: string, ...rules: ReadonlyArray<string>] } = {
    "is the policy, with its chain": [policy],
    "says the target and the rule": ["accept; ACCEPT; -; -A MAIN -j ACCEPT", "-A MAIN -j ACCEPT"],
    "says where DNAT sends it": [
      "accept; DNAT; 10.99.0.3:80; -A MAIN -j DNAT --to-destination 10.99.0.3:80 --random",
      "-A MAIN -j DNAT --to-destination 10.99.0.3:80 --random"
    ],
    "has the address that takes the place of a packet's own": [
      "accept; SNAT; 10.0.0.1; -A MAIN -j SNAT --to-source 10.0.0.1",
      "-A MAIN -j SNAT --to-source 10.0.0.1"
    ],
    "is not made of other options of a target": [
      "accept; MASQUERADE; -; -A MAIN -j MASQUERADE --to-ports 1024",
      "-A MAIN -j MASQUERADE --to-ports 1024"
    ],
    "comes from a chain that it is sent to": [
      "drop; REJECT; -; -A MINE -j REJECT",
      "-A MAIN -j MINE",
      "-A MINE -j REJECT"
    ],
    "is the policy after RETURN": [policy, "-A MAIN -j RETURN", "-A MAIN -j ACCEPT"],
    "comes after a chain that gives none": [
      "accept; ACCEPT; -; -A MAIN -j ACCEPT",
      "-A MAIN -j MINE",
      "-A MAIN -j ACCEPT"
    ],
    "does not come after a chain that no way leads back from": [policy, "-A MAIN -g MINE", "-A MAIN -j ACCEPT"],
    "comes from further rules after a jump back from such a chain": [
      "accept; ACCEPT; -; -A MAIN -j ACCEPT",
      "-A MAIN -j MINE",
      "-A MINE -g OTHER",
      "-A MINE -j DROP",
      "-A MAIN -j ACCEPT"
    ],
    "does not come from a rule without a target": [policy, "-A MAIN -i cni0"],
    "is unknown at a target that is not": ["unknown; ; -; -A MAIN -j TPROXY", "-A MAIN -j TPROXY"],
    "is unknown, whatever comes after a rule that is": [
      `unknown; ; -; -A MAIN ${unclear} -j DROP`,
      `-A MAIN ${unclear} -j DROP`,
      "-A MAIN -j ACCEPT"
    ],
    "is unknown where it may have returned": [
      `unknown; ; -; -A MAIN ${unclear} -j RETURN`,
      `-A MAIN ${unclear} -j RETURN`,
      "-A MAIN -j ACCEPT"
    ],
    "is unknown where it returns after that": [
      `unknown; ; -; -A MAIN ${unclear} -j ACCEPT`,
      `-A MAIN ${unclear} -j ACCEPT`,
      "-A MAIN -j RETURN"
    ],
    "is unknown where it goes for ever after that": [
      `unknown; ; -; -A MAIN ${unclear} -j ACCEPT`,
      `-A MAIN ${unclear} -j ACCEPT`,
      "-A MAIN -g MINE"
    ],
    "is unknown at the end of a chain where a rule may have given another": [
      `unknown; ; -; -A MAIN ${unclear} -j ACCEPT`,
      `-A MAIN ${unclear} -j ACCEPT`
    ],
    "is unknown where a chain may have given another": [
      `unknown; ; -; -A MINE ${unclear} -j ACCEPT`,
      "-A MAIN -j MINE",
      `-A MINE ${unclear} -j ACCEPT`
    ],
    "is what both rules give if it is not known which of them decides": [
      `accept; ; -; -A MAIN ${unclear} -j ACCEPT`,
      `-A MAIN ${unclear} -j ACCEPT`,
      "-A MAIN -j ACCEPT"
    ],
    "is what a rule and the policy give if it is not known which of them decides": [
      `drop; ; -; -A MINE ${unclear} -j REJECT`,
      "-A MAIN -j MINE",
      `-A MINE ${unclear} -j REJECT`
    ],
    "is unknown if one of the rules also rewrites the packet": [
      `unknown; ; -; -A MAIN ${unclear} -j ACCEPT`,
      `-A MAIN ${unclear} -j ACCEPT`,
      "-A MAIN -j MASQUERADE"
    ],
    "is the policy where a rule that is not understood leads to a chain that gives none": [
      policy,
      `-A MAIN ${unclear} -j MINE`
    ]
  }
  for (const [name, [expected, ...rules]] of Object.entries(cases)) {
    it(name, () => assert.strictEqual(verdict(...rules), expected))
  }

  for (const target of ["MARK", "CONNMARK", "LOG", "NFLOG", "TCPMSS", "CHECKSUM", "SET", "CT", "CLASSIFY", "TRACE"]) {
    it(`comes after ${target}, which ends nothing`, () => {
      assert.strictEqual(verdict(`-A MAIN -j ${target}`, "-A MAIN -j ACCEPT"), "accept; ACCEPT; -; -A MAIN -j ACCEPT")
    })
  }

  const ends = {
    ACCEPT: "accept",
    DROP: "drop",
    REJECT: "drop",
    MASQUERADE: "accept",
    SNAT: "accept",
    DNAT: "accept",
    REDIRECT: "accept"
  }
  for (const [target, end] of Object.entries(ends)) {
    it(`at ${target} is ${end}`, () => assert.strictEqual(verdict(`-A MAIN -j ${target}`).split(";")[0], end))
  }

  it("is none in a chain or a table that is not there", () => {
    const ruleset = Host.rules("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT")
    assert.isUndefined(Iptables.follow(ruleset, "filter", "INPUT", sent))
    assert.isUndefined(Iptables.follow(ruleset, "nat", "FORWARD", sent))
  })
})

describe("a packet on its way through both backends", () => {
  it("has a verdict of each that has the chain, of its own family", () => {
    const chain = (policy: string) => `*filter\n:FORWARD ${policy} [0:0]\nCOMMIT`
    const rulesets = [
      Host.rules(chain("ACCEPT")),
      Host.rules(chain("DROP"), "legacy"),
      { ...Host.rules(chain("DROP")), family: 6 } as const,
      Host.rules("*nat\nCOMMIT", "legacy")
    ]
    assert.deepStrictEqual(
      Iptables.inAll({ rulesets, nft: [] }, "filter", "FORWARD", sent).map(({ backend, end }) => `${backend} ${end}`),
      ["nf_tables accept", "legacy drop"]
    )
  })
})

describe("packets may get marks", () => {
  const areMarked = (table: string, rule: string) =>
    Iptables.areMarked({
      rulesets: [Host.rules(`*${table}\n:PREROUTING ACCEPT\n-A PREROUTING ${rule}\nCOMMIT`)],
      nft: []
    })

  const cases: ReadonlyArray<readonly [table: string, rule: string, areMarked: boolean]> = [
    ["mangle", "-j MARK --set-xmark 0x1/0x1", true],
    ["raw", "-j MARK --set-xmark 0x1/0x1", true],
    ["mangle", "-j CONNMARK --restore-mark", true],
    ["mangle", "-j ACCEPT", false],
    ["nat", "-j MARK --set-xmark 0x1/0x1", false]
  ]
  for (const [table, rule, expected] of cases) {
    it(`${expected ? "by" : "but not by"} ${rule} in ${table}`, () =>
      assert.strictEqual(areMarked(table, rule), expected))
  }

  it("by a statement of nftables that changes a packet", () => {
    const marked = (expression: object) =>
      Iptables.areMarked({
        rulesets: [],
        nft: [{
          family: "inet",
          table: "t",
          name: "c",
          hook: undefined,
          type: undefined,
          policy: undefined,
          priority: 0,
          device: undefined,
          rules: [[{ counter: null }], [{ counter: null }, expression as never]]
        }]
      })
    assert.deepStrictEqual([marked({ mangle: {} }), marked({ accept: null })], [true, false])
  })
})

describe("a rule that keeps the kernel from tracking", () => {
  const untracked = (...rules: ReadonlyArray<string>) => {
    const text = ["*raw", ":PREROUTING ACCEPT [0:0]", ...rules, "COMMIT"].join("\n")
    return Iptables.untrackedBy({ rulesets: [Host.rules(text)], nft: [] }, "PREROUTING", sent)?.rule
  }
  const notrack = "-A PREROUTING -p udp -j CT --notrack"

  it("is found", () => {
    assert.strictEqual(untracked(notrack), notrack)
    assert.isUndefined(untracked("-A PREROUTING -p tcp -j CT --notrack"))
  })

  it("is none if a rule before it lets the packet leave the chain", () => {
    for (const target of ["RETURN", "ACCEPT"]) {
      assert.isUndefined(untracked(`-A PREROUTING -i cni0 -j ${target}`, notrack))
    }
    assert.strictEqual(untracked("-A PREROUTING -i cni1 -j RETURN", notrack), notrack)
  })
})
