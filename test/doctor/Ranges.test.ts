/** The ranges that host-local gives addresses out of. */
import { assert, describe, it } from "@effect/vitest"
import * as Ranges from "../../src/doctor/Ranges.ts"
import { address } from "./host.ts"

/** The sets of the ranges of an `ipam` part, as people read them. */
const texts = (ipam: { readonly [key: string]: unknown }) => Ranges.of(ipam, ["ipam"]).map(Ranges.text)

/** The first set of ranges of an `ipam` part. */
const setOf = (...ranges: ReadonlyArray<object>): Ranges.RangeSet => {
  const [set] = Ranges.of({ ranges: [ranges] }, [])
  return set ?? assert.fail("there is no set of ranges")
}

describe("a range", () => {
  const bounds: ReadonlyArray<readonly [range: object, text: string]> = [
    [{ subnet: "10.1.0.0/24" }, "10.1.0.1-10.1.0.254"],
    [{ subnet: "10.1.0.9/24" }, "10.1.0.1-10.1.0.254"],
    [{ subnet: "fd00::/120" }, "fd00::1-fd00::ff"],
    [{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }, "10.1.0.10-10.1.0.254"],
    [{ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.20" }, "10.1.0.1-10.1.0.20"],
    [{ subnet: "10.1.0.0/24", rangeStart: "", rangeEnd: 7 }, "10.1.0.1-10.1.0.254"]
  ]
  for (const [range, text] of bounds) {
    it(`${JSON.stringify(range)} is ${text}`, () => assert.strictEqual(Ranges.text(setOf(range)), text))
  }

  it("has a gateway, which is its first address where the configuration names none", () => {
    const gatewayOf = (range: object) => setOf(range).map(({ gateway, saysGateway }) => ({ gateway, saysGateway }))
    assert.deepStrictEqual(gatewayOf({ subnet: "10.1.0.0/24" }), [
      { gateway: address("10.1.0.1"), saysGateway: false }
    ])
    assert.deepStrictEqual(gatewayOf({ subnet: "fd00::/64" }), [{ gateway: address("fd00::1"), saysGateway: false }])
    assert.deepStrictEqual(gatewayOf({ subnet: "10.1.0.0/24", gateway: "10.1.0.9" }), [
      { gateway: address("10.1.0.9"), saysGateway: true }
    ])
  })
})

describe("the sets of ranges of a configuration", () => {
  const range = { subnet: "10.1.0.0/30" }

  it("are its own subnet, and each list of ranges", () => {
    assert.deepStrictEqual(texts({ ...range, ranges: [[{ subnet: "10.2.0.0/30" }, { subnet: "10.3.0.0/30" }]] }), [
      "10.1.0.1-10.1.0.2",
      "10.2.0.1-10.2.0.2, 10.3.0.1-10.3.0.2"
    ])
  })

  it("know their places", () => {
    const sets = Ranges.of({ ...range, ranges: [[range], [range, range]] }, ["ipam"])
    assert.deepStrictEqual(sets.flat().map(({ at }) => at.join(" ")), [
      "ipam",
      "ipam ranges 0 0",
      "ipam ranges 1 0",
      "ipam ranges 1 1"
    ])
  })

  const nothing: ReadonlyArray<{ readonly [key: string]: unknown }> = [
    {},
    { subnet: "" },
    { subnet: 10 },
    { subnet: "10.1.0.0" },
    { ranges: {} },
    { ranges: [range] },
    { ranges: [[]] },
    { ranges: [["10.1.0.0/24", null, { subnet: "web" }]] }
  ]
  for (const ipam of nothing) {
    it(`are none of ${JSON.stringify(ipam)}`, () => assert.deepStrictEqual(texts(ipam), []))
  }
})

describe("a set of ranges", () => {
  const set = setOf({ subnet: "10.1.0.0/24", rangeStart: "10.1.0.1", rangeEnd: "10.1.0.4", gateway: "10.1.0.2" })

  const given = {
    "10.1.0.0": false,
    "10.1.0.1": true,
    "10.1.0.2": false, // the gateway
    "10.1.0.4": true,
    "10.1.0.5": false,
    "::a01:1": false // the number is one of the range
  }
  for (const [text, isGiven] of Object.entries(given)) {
    it(`${isGiven ? "gives out" : "does not give out"} ${text}`, () => {
      assert.strictEqual(Ranges.gives(set, address(text)), isGiven)
    })
  }

  const sizes: ReadonlyArray<readonly [size: bigint, ...ranges: ReadonlyArray<object>]> = [
    [253n, { subnet: "10.1.0.0/24" }],
    [254n, { subnet: "10.1.0.0/24", gateway: "10.9.0.1" }],
    [254n, { subnet: "10.1.0.0/24", gateway: "fd00::1" }],
    [254n, { subnet: "10.1.0.0/24", gateway: "::a01:1" }],
    [253n, { subnet: "10.1.0.0/24", gateway: "10.1.0.254" }],
    [254n, { subnet: "10.1.0.0/24", gateway: "10.1.0.255" }],
    [245n, { subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }],
    [1n, { subnet: "10.1.0.0/24", rangeStart: "10.1.0.10", rangeEnd: "10.1.0.10" }],
    [0n, { subnet: "10.1.0.0/24", rangeStart: "10.1.0.11", rangeEnd: "10.1.0.10" }],
    [0n, { subnet: "10.1.0.0/24", rangeStart: "10.1.0.1", rangeEnd: "10.1.0.1" }],
    [2n, { subnet: "10.1.0.0/30", rangeStart: "10.1.0.2" }, { subnet: "10.2.0.0/30" }]
  ]
  for (const [size, ...ranges] of sizes) {
    it(`has ${size} addresses: ${JSON.stringify(ranges)}`, () =>
      assert.strictEqual(Ranges.size(setOf(...ranges)), size))
  }
})

describe("some ranges and others", () => {
  const low = { subnet: "10.1.0.0/24", rangeEnd: "10.1.0.9" }
  const high = { subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }
  const cases: ReadonlyArray<
    readonly [what: string, areApart: boolean, some: ReadonlyArray<object>, others: ReadonlyArray<object>]
  > = [
    ["of different subnets are apart", true, [{ subnet: "10.1.0.0/24" }], [{ subnet: "10.2.0.0/24" }]],
    ["of one subnet are apart where the first ends before the second", true, [low], [high]],
    ["of one subnet are apart where the second ends before the first", true, [high], [low]],
    ["with an address in common are not apart", false, [low], [{ ...high, rangeStart: "10.1.0.9" }]],
    ["with an address in common are not apart, the other way round", false, [{ ...high, rangeStart: "10.1.0.9" }], [
      low
    ]],
    ["of a subnet and a part of it are not apart", false, [low], [{
      subnet: "10.1.0.0/25",
      rangeStart: "10.1.0.10"
    }]],
    ["are not apart where one pair is not", false, [{ subnet: "10.2.0.0/24" }, low], [high, low]],
    ["are not known to be apart without the first", false, [], [low]],
    ["are not known to be apart without the second", false, [low], []]
  ]
  for (const [what, areApart, some, others] of cases) {
    it(what, () => {
      const flat = (ranges: ReadonlyArray<object>) => Ranges.of({ ranges: [ranges] }, []).flat()
      assert.strictEqual(Ranges.areApart(flat(some), flat(others)), areApart)
    })
  }
})
