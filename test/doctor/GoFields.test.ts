/** How fields of configurations are read: as Go programs read them. */
import { assert, describe, it } from "@effect/vitest"
import * as Go from "../../src/doctor/GoFields.ts"

/** What is wrong with a value, with its place and whether the plugin takes it after all. */
const problems = (reader: Go.Reader, value: unknown): ReadonlyArray<string> =>
  reader(value, ["x"]).map(({ isHarmless, message, path }) =>
    `${path.join(".")}: ${message}${isHarmless === true ? " (harmless)" : ""}`
  )

interface Case {
  readonly reader: Go.Reader
  readonly right: ReadonlyArray<unknown>
  readonly wrong: ReadonlyArray<unknown>
  readonly expected: string
}

const mac = "a MAC address such as \"02:00:00:00:00:01\""
const link = "the name of a link: at most 15 bytes, without \"/\", \":\" and blanks"

const cases: { readonly [name: string]: Case } = {
  "a truth value": {
    reader: Go.aBoolean,
    right: [true, false, null],
    wrong: ["true", 1, "", {}, undefined],
    expected: "true or false"
  },
  "a string": { reader: Go.aString, right: ["", "x", null], wrong: [1, true, [], {}], expected: "a string" },
  "an object": { reader: Go.anObject, right: [{}, { a: 1 }, null], wrong: [[], "x", 1], expected: "an object" },
  "a whole number": {
    reader: Go.integer(),
    right: [0, -1, 2 ** 53, -(2 ** 53), null],
    wrong: [1.5, "1", 2 ** 54, -(2 ** 54), true],
    expected: "a whole number, without quotes"
  },
  "a whole number that is not negative": {
    reader: Go.integer(0),
    right: [0, 1, 2 ** 53],
    wrong: [-1, 2 ** 54],
    expected: "a whole number, at least 0, without quotes"
  },
  "a whole number in bounds": {
    reader: Go.integer(1, 4094),
    right: [1, 4094],
    wrong: [0, 4095, "5"],
    expected: "a whole number from 1 to 4094, without quotes"
  },
  "a short text": {
    reader: Go.shortText(4),
    right: ["", "eni", "veth", "éé"],
    wrong: ["veth0", "ééé", 4],
    expected: "a string of at most 4 characters"
  },
  "one of some texts": {
    reader: Go.oneOf("", "l2", "l3"),
    right: ["", "l2", "l3", null],
    wrong: ["L2", "l4", 2],
    expected: "\"l2\" or \"l3\""
  },
  "an address": {
    reader: Go.anAddress,
    right: ["", "10.1.0.1", "fd00::1", null],
    wrong: ["10.1.0", "10.1.0.0/16", "web", 10],
    expected: "an IP address such as \"10.1.0.1\""
  },
  "a subnet": {
    reader: Go.aCidr,
    right: ["10.1.0.0/16", "10.1.0.1/16", "fd00::/8", null],
    wrong: ["", "10.1.0.0", "10.1.0.0/33", 10],
    expected: "an address with the length of its prefix, such as \"10.1.0.0/16\""
  },
  "the name of a link": {
    reader: Go.aLink,
    right: ["cni0", "fifteen-letters", "", null],
    wrong: ["sixteen-letters-", "éééééééé", "a/b", "a:b", "a b", 0],
    expected: link
  },
  "a hardware address": {
    reader: Go.aMac,
    right: ["", "02:00:00:00:00:0a", "02-00-00-00-00-0A", null],
    wrong: ["02:00:00:00:00", "02:00:00:00:00:01:02", "0g:00:00:00:00:01", "x02:00:00:00:00:01", 2],
    expected: mac
  }
}

describe("a field that takes", () => {
  for (const [name, { expected, reader, right, wrong }] of Object.entries(cases)) {
    it(name, () => {
      for (const value of right) assert.deepStrictEqual(problems(reader, value), [], JSON.stringify(value))
      for (const value of wrong) {
        const [first = "", ...others] = problems(reader, value)
        assert.match(first, /^x: found .+, expected /, JSON.stringify(value))
        assert.strictEqual(first.slice(first.indexOf(", expected ")), `, expected ${expected}`)
        assert.deepStrictEqual(others, [])
      }
    })
  }

  it("some texts, and does something else with others, refuses only what is no text", () => {
    const reader = Go.preferably("iptables", "firewalld")
    for (const value of ["", "iptables", "firewalld", null]) assert.deepStrictEqual(problems(reader, value), [])
    assert.deepStrictEqual(problems(reader, "nft"), [
      "x: found \"nft\", expected \"iptables\" or \"firewalld\" (harmless)"
    ])
    assert.deepStrictEqual(problems(reader, 5), ["x: found 5, expected a string"])
  })

  it("a list looks at each of its values", () => {
    const reader = Go.listOf(Go.aString, "a list of strings")
    for (const value of [[], ["a"], [null], null]) assert.deepStrictEqual(problems(reader, value), [])
    assert.deepStrictEqual(problems(reader, ["a", 1, true]), [
      "x.1: found 1, expected a string",
      "x.2: found true, expected a string"
    ])
    assert.deepStrictEqual(problems(reader, "a"), ["x: found \"a\", expected a list of strings"])
  })

  it("a map looks at each of its keys and values", () => {
    const reader = Go.mapOf(Go.aString, (key) => key.startsWith("net."), "a name that begins with \"net.\"")
    for (const value of [{}, { "net.a": "1" }, { "net.a": null }, null]) {
      assert.deepStrictEqual(problems(reader, value), [])
    }
    assert.deepStrictEqual(problems(reader, { "net.a": 1, "kernel.b": "2" }), [
      "x.net.a: found 1, expected a string",
      "x.kernel.b: found the key \"kernel.b\", expected a name that begins with \"net.\""
    ])
    assert.deepStrictEqual(problems(reader, ["1"]), ["x: found a list, expected an object"])
  })

  it("a map of any keys takes any", () => {
    assert.deepStrictEqual(problems(Go.mapOf(Go.aString), { "kernel.b": "2" }), [])
  })

  it("an object looks at the fields that it knows, in any case, and passes over the others", () => {
    const reader = Go.struct({ mtu: Go.integer(), isGateway: Go.aBoolean })
    for (const value of [{}, { mtu: 1, other: "x" }, null]) assert.deepStrictEqual(problems(reader, value), [])
    assert.deepStrictEqual(problems(reader, { MTU: "1", isgateway: 1, mtux: "1" }), [
      "x.MTU: found \"1\", expected a whole number, without quotes",
      "x.isgateway: found 1, expected true or false"
    ])
    assert.deepStrictEqual(problems(reader, [1]), ["x: found a list, expected an object"])
  })
})

describe("the value of a field", () => {
  const cases: ReadonlyArray<readonly [what: string, object: object, value: unknown]> = [
    ["is that of its name", { mtu: 1 }, 1],
    ["is that of its name in another case", { MTU: 1 }, 1],
    ["is that of its exact name before others", { MTU: 2, mtu: 1 }, 1],

    ["is nothing where no name is like it", { mtux: 1, mt: 2 }, undefined]
  ]
  for (const [what, object, value] of cases) {
    it(what, () => assert.strictEqual(Go.field(object as never, "mtu"), value))
  }
})
