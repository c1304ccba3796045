/** What becomes of packets in rules, as far as these can be understood. */
import { assert, describe, it } from "@effect/vitest"
import * as Cidr from "../../src/doctor/Cidr.ts"
import * as Living from "../../src/doctor/facts/Living.ts"
import * as Rules from "../../src/doctor/facts/Rules.ts"
import * as Netfilter from "../../src/doctor/Netfilter.ts"
import * as Host from "./host.ts"

const source = Cidr.parseAddress("10.99.0.2")

/** The end of a packet from a container, by these rules of FORWARD. */
const end = (policy: string, ...rules: ReadonlyArray<string>) => {
  const text = ["*filter", `:FORWARD ${policy} [0:0]`, ":MINE - [0:0]", ...rules, "COMMIT"].join("\n")
  const ruleset = { backend: "nf_tables", family: 4, tables: Rules.parseSave(text) } as const
  return Netfilter.follow(ruleset, "filter", "FORWARD", {
    family: 4,
    ...(source === undefined ? {} : { source }),
    inLink: "cni0",
    outLink: "eth0",
    state: "NEW"
  })?.end
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

describe("an address", () => {
  it("is read and written in its short form", () => {
    for (const text of ["10.0.0.1", "0.0.0.0", "::", "::1", "fd00:99::2", "2001:db8::1:0:0:1", "fe80::"]) {
      const address = Cidr.parseAddress(text)
      assert.strictEqual(address === undefined ? "" : Cidr.addressText(address), text)
    }
  })

  it("is in subnets that have it", () => {
    const [subnet, inner, outer] = ["10.1.0.0/16", "10.1.2.0/24", "10.2.0.0/16"].map(Cidr.parse)
    if (subnet === undefined || inner === undefined || outer === undefined) return assert.fail()
    assert.deepStrictEqual(
      [
        Cidr.contains(subnet, inner),
        Cidr.contains(inner, subnet),
        Cidr.overlap(inner, subnet),
        Cidr.overlap(subnet, outer)
      ],
      [true, false, true, false]
    )
  })

  const inside: ReadonlyArray<readonly [inner: string, outer: string, isInside: boolean]> = [
    ["10.1.2.3/32", "10.1.2.0/24", true],
    ["10.1.2.3/24", "10.1.2.0/24", true],
    ["10.1.2.0/24", "10.1.2.9/24", true],
    ["10.1.3.0/24", "10.1.2.0/24", false],
    ["10.1.2.0/23", "10.1.2.0/24", false],
    ["10.0.0.0/0", "10.0.0.0/8", false],
    ["192.0.2.1/32", "0.0.0.0/0", true],
    ["fd99::2/128", "fd99::/64", true],
    ["fd99:0:0:1::2/128", "fd99::/64", false],
    // The numbers of these are the same.
    ["::a01:203/128", "10.1.2.3/32", false],
    ["10.1.2.3/32", "::a01:203/32", false],
    ["10.1.2.3/32", "::/0", false],
    ["::a01:203/128", "0.0.0.0/0", false]
  ]
  for (const [inner, outer, isInside] of inside) {
    it(`${inner} is ${isInside ? "" : "not "}in ${outer}`, () => {
      assert.strictEqual(Cidr.contains(Host.cidr(outer), Host.cidr(inner)), isInside)
    })
  }
})

describe("a container", () => {
  it("is spoken of by its whole name, where that is short", () => {
    assert.isTrue(Living.isMentioned("conmon\0-c\0web\0", "web"))
    assert.isFalse(Living.isMentioned("/usr/bin/webserver\0my-web", "web"))
    assert.isTrue(Living.isMentioned("libpod-0123456789abcdef.scope", "0123456789abcdef"))
    assert.isFalse(Living.isMentioned("anything", ""))
  })
})
