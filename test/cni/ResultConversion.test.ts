/** Results of all versions of the specification. What libcni makes of the same results is compared in e2e. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as CniVersion from "../../src/cni/CniVersion.ts"
import * as ResultConversion from "../../src/cni/ResultConversion.ts"
import * as ResultSchema from "../../src/cni/ResultSchema.ts"

const convert = (result: object, version: string): unknown =>
  Result.match(ResultConversion.convert(JSON.stringify(result), version), {
    onSuccess: (text) => JSON.parse(text),
    onFailure: (reason) => reason
  })

/** What bridge and host-local of containernetworking/plugins give. */
const current = {
  cniVersion: "1.0.0",
  interfaces: [
    { name: "cni0", mac: "de:ad:be:ef:00:01" },
    { name: "veth1", mac: "de:ad:be:ef:00:02" },
    { name: "eth0", mac: "de:ad:be:ef:00:03", sandbox: "/run/netns/x" }
  ],
  ips: [
    { interface: 2, address: "10.1.0.5/16", gateway: "10.1.0.1" },
    { interface: 2, address: "fd00::5/64", gateway: "fd00::1" }
  ],
  routes: [{ dst: "0.0.0.0/0" }, { dst: "10.2.0.0/16", gw: "10.1.0.9" }, { dst: "::/0", gw: "fd00::1" }],
  dns: { nameservers: ["10.1.0.1"], domain: "example.org", search: ["a"], options: ["ndots:5"] }
}
const withVersions = {
  ...current,
  cniVersion: "0.4.0",
  ips: [{ version: "4", ...current.ips[0] }, { version: "6", ...current.ips[1] }]
}
const oldest = {
  cniVersion: "0.2.0",
  ip4: {
    ip: "10.1.0.5/16",
    gateway: "10.1.0.1",
    routes: [{ dst: "0.0.0.0/0" }, { dst: "10.2.0.0/16", gw: "10.1.0.9" }]
  },
  ip6: { ip: "fd00::5/64", gateway: "fd00::1", routes: [{ dst: "::/0", gw: "fd00::1" }] },
  dns: current.dns
}

describe("a result", () => {
  it("of 1.0.0 gets the family of each address on its way to 0.4.0 and 0.3.x", () => {
    assert.deepStrictEqual(convert(current, "0.4.0"), withVersions)
    assert.deepStrictEqual(convert(current, "0.3.0"), { ...withVersions, cniVersion: "0.3.0" })
  })

  it("of 0.4.0 loses them again on its way to 1.0.0 and 1.1.0", () => {
    assert.deepStrictEqual(convert(withVersions, "1.0.0"), current)
    assert.deepStrictEqual(convert(withVersions, "1.1.0"), { ...current, cniVersion: "1.1.0" })
  })

  it("keeps one address of each family, with its routes, and no interface on its way to 0.2.0 and 0.1.0", () => {
    assert.deepStrictEqual(convert(current, "0.2.0"), oldest)
    const two = { ...current, ips: [...current.ips, { address: "10.3.0.1/24" }] }
    assert.deepStrictEqual(convert(two, "0.1.0"), { ...oldest, cniVersion: "0.1.0" })
  })

  it("has the addresses of 0.2.0 in a list afterwards", () => {
    const ips = [
      { address: "10.1.0.5/16", gateway: "10.1.0.1" },
      { address: "fd00::5/64", gateway: "fd00::1" }
    ]
    const { dns, routes } = current
    assert.deepStrictEqual(convert(oldest, "1.0.0"), { cniVersion: "1.0.0", ips, routes, dns })
    assert.deepStrictEqual(convert(oldest, "0.3.1"), {
      cniVersion: "0.3.1",
      ips: [{ version: "4", ...ips[0] }, { version: "6", ...ips[1] }],
      routes,
      dns
    })
  })

  it("without an address has no form in 0.2.0", () => {
    assert.strictEqual(
      convert({ cniVersion: "1.0.0", interfaces: [{ name: "lo" }] }, "0.2.0"),
      "it has no address, and results of that version have one"
    )
  })

  it("keeps every byte but the version where the members are the same", () => {
    const text = `{ "ips": [],  "big": 12345678901234567890, "cniVersion" : "1.0.0", "1": 1.0 }`
    assert.strictEqual(
      Result.getOrThrow(ResultConversion.convert(text, "1.1.0")),
      `{ "ips": [],  "big": 12345678901234567890, "cniVersion" : "1.1.0", "1": 1.0 }`
    )
    assert.strictEqual(Result.getOrThrow(ResultConversion.convert(text, "1.0.0")), text)
  })

  it("that is not an object, or is wanted in a version that is not known, has no other form", () => {
    const failure = (text: string, version: string) =>
      Result.match(ResultConversion.convert(text, version), {
        onSuccess: (text) => text,
        onFailure: (reason) => reason
      })
    assert.strictEqual(failure("[1]", "1.0.0"), "found a list, expected an object")
    assert.strictEqual(failure("{", "1.0.0"), "found nothing, expected an object")
    assert.strictEqual(failure(`{"cniVersion":"1.0.0"}`, "9.0.0"), "version 9.0.0 is not known")
  })

  it("has the addresses of IPv4 in IPv6 and routes to them in the family of IPv4", () => {
    const mapped = {
      cniVersion: "1.0.0",
      ips: [{ address: "::FFFF:10.0.0.1/104" }],
      routes: [{ dst: "::ffff:10.0.0.0/104" }]
    }
    assert.deepStrictEqual(convert(mapped, "0.2.0"), {
      cniVersion: "0.2.0",
      ip4: { ip: "::FFFF:10.0.0.1/104", routes: [{ dst: "::ffff:10.0.0.0/104" }] }
    })
    const one = { cniVersion: "1.0.0", ips: [{ address: "fd00::1/64" }], routes: [{ dst: "10.0.0.0/8" }, null] }
    assert.deepStrictEqual(convert(one, "0.2.0"), { cniVersion: "0.2.0", ip6: { ip: "fd00::1/64" } })
  })

  it("without a version is one of 0.1.0", () => {
    assert.deepStrictEqual(convert({ ip4: { ip: "10.0.0.1/8" } }, "0.2.0"), {
      ip4: { ip: "10.0.0.1/8" },
      cniVersion: "0.2.0"
    })
  })

  it("keeps the members that routes have had since 1.1.0 on its way to 0.4.0, and loses those of interfaces", () => {
    const route = { dst: "0.0.0.0/0", mtu: 1400, advmss: 1300, priority: 5, table: 100, scope: 0 }
    const result = {
      cniVersion: "1.1.0",
      interfaces: [{ name: "eth0", mtu: 1400, socketPath: "/s", pciID: "0000:00:1f.6" }],
      routes: [route]
    }
    assert.deepStrictEqual(convert(result, "0.4.0"), {
      cniVersion: "0.4.0",
      interfaces: [{ name: "eth0" }],
      routes: [route]
    })
  })
})

describe("runtimes refuse a result", () => {
  const refused: { readonly [why: string]: readonly [result: object, reason: string] } = {
    "of an unknown version": [
      { cniVersion: "9.9.9" },
      "cniVersion: found \"9.9.9\", expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ],
    "whose addresses are a string": [
      { cniVersion: "1.0.0", ips: "10.0.0.1/8" },
      "ips: found \"10.0.0.1/8\", expected a list of addresses"
    ],
    "with an address without the length of its prefix": [
      { cniVersion: "1.0.0", ips: [{ address: "10.0.0.1" }] },
      "ips[0].address: found \"10.0.0.1\", expected an address with the length of its prefix, such as 10.1.0.5/16"
    ],
    "with a prefix that is too long": [
      { cniVersion: "0.4.0", ips: [{ version: "4", address: "10.0.0.1/33" }] },
      "ips[0].address: found \"10.0.0.1/33\", expected an address with the length of its prefix, such as 10.1.0.5/16"
    ],
    "with a gateway that is not an address": [
      { cniVersion: "0.2.0", ip4: { ip: "10.0.0.1/8", gateway: "here" } },
      "ip4.gateway: found \"here\", expected an IP address"
    ],
    "with a name server that is a number": [
      { cniVersion: "1.0.0", dns: { nameservers: [8] } },
      "dns.nameservers[0]: found 8, expected a string"
    ],
    "with an index that is not an integer": [
      { cniVersion: "1.0.0", ips: [{ address: "10.0.0.1/8", interface: 0.5 }] },
      "ips[0].interface: found 0.5, expected an integer"
    ]
  }
  for (const [why, [result, reason]] of Object.entries(refused)) {
    it(why, () => {
      assert.strictEqual(ResultSchema.problem(result as never), reason)
      assert.strictEqual(convert(result, "1.0.0"), reason)
    })
  }

  const cidr = "an address with the length of its prefix, such as 10.1.0.5/16"
  const version = "1.1.0"
  const members: ReadonlyArray<readonly [result: object, reason: string]> = [
    [{ ips: [1] }, "ips[0]: found 1, expected an object"],
    ...[1, "10.0.0.1/", "10.0.0.1/8/8", "fe80::1%eth0/64", "x/8", "fd00::1/129", "10.0.0.1/0008"].map((address) =>
      [{ ips: [{ address }] }, `ips[0].address: found ${JSON.stringify(address)}, expected ${cidr}`] as const
    ),
    [{ ips: [{ gateway: "fe80::1%a" }] }, "ips[0].gateway: found \"fe80::1%a\", expected an IP address"],
    [{ ips: [{ gateway: 1 }] }, "ips[0].gateway: found 1, expected an IP address"],
    [{ ips: [{ interface: "1" }] }, "ips[0].interface: found \"1\", expected an integer"],
    [{ ips: [{ interface: 2 ** 63 }] }, "ips[0].interface: found 9223372036854776000, expected an integer"],
    [{ interfaces: {} }, "interfaces: found an object, expected a list of interfaces"],
    [{ interfaces: ["a"] }, "interfaces[0]: found \"a\", expected an object"],
    ...["name", "mac", "sandbox", "socketPath", "pciID"].map((name) =>
      [{ interfaces: [{ [name]: 1 }] }, `interfaces[0].${name}: found 1, expected a string`] as const
    ),
    [{ interfaces: [{ mtu: "1" }] }, "interfaces[0].mtu: found \"1\", expected an integer"],
    [{ routes: {} }, "routes: found an object, expected a list of routes"],
    [{ routes: ["a"] }, "routes[0]: found \"a\", expected an object"],
    [{ routes: [{ dst: "a" }] }, `routes[0].dst: found "a", expected ${cidr}`],
    [{ routes: [{ gw: "a" }] }, "routes[0].gw: found \"a\", expected an IP address"],
    ...["mtu", "advmss", "priority", "table", "scope"].map((name) =>
      [{ routes: [{ [name]: "a" }] }, `routes[0].${name}: found "a", expected an integer`] as const
    ),
    [{ dns: 1 }, "dns: found 1, expected an object"],
    [{ dns: { domain: 1 } }, "dns.domain: found 1, expected a string"],
    ...["nameservers", "search", "options"].flatMap((name) => [
      [{ dns: { [name]: "a" } }, `dns.${name}: found "a", expected a list of strings`] as const,
      [{ dns: { [name]: [1] } }, `dns.${name}[0]: found 1, expected a string`] as const
    ]),
    [{ cniVersion: "0.4.0", ips: 1 }, "ips: found 1, expected a list of addresses"],
    [{ cniVersion: "0.4.0", ips: ["a"] }, "ips[0]: found \"a\", expected an object"],
    [{ cniVersion: "0.4.0", ips: [{ version: 4 }] }, "ips[0].version: found 4, expected a string"],
    [{ cniVersion: "0.4.0", interfaces: 1 }, "interfaces: found 1, expected a list of interfaces"],
    [{ cniVersion: "0.4.0", interfaces: ["a"] }, "interfaces[0]: found \"a\", expected an object"],
    [{ cniVersion: "0.4.0", routes: 1 }, "routes: found 1, expected a list of routes"],
    [{ cniVersion: "0.4.0", dns: 1 }, "dns: found 1, expected an object"],
    ...["ip4", "ip6"].flatMap((name) => [
      [{ cniVersion: "0.2.0", [name]: 1 }, `${name}: found 1, expected an object`] as const,
      [{ cniVersion: "0.2.0", [name]: { ip: "a" } }, `${name}.ip: found "a", expected ${cidr}`] as const,
      [
        { cniVersion: "0.2.0", [name]: { gateway: "a" } },
        `${name}.gateway: found "a", expected an IP address`
      ] as const,
      [{ cniVersion: "0.2.0", [name]: { routes: 1 } }, `${name}.routes: found 1, expected a list of routes`] as const
    ]),
    [{ cniVersion: "0.2.0", dns: 1 }, "dns: found 1, expected an object"],
    [{ cniVersion: "", ip4: 1 }, "ip4: found 1, expected an object"],
    [{ cniVersion: 1 }, "cniVersion: found 1, expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"]
  ]
  for (const [result, reason] of members) {
    it(`for its type: ${JSON.stringify(result)}`, () => {
      assert.strictEqual(ResultSchema.problem({ cniVersion: version, ...result }), reason)
    })
  }

  it("and take the longest prefixes, gateways that are empty or null, and the largest numbers", () => {
    const ips = [
      { address: "10.0.0.1/32", gateway: "" },
      { address: "fd00::1/128", gateway: null },
      { address: "::ffff:10.0.0.1/128", interface: 2 ** 62 },
      { interface: -1 },
      null
    ]
    assert.isUndefined(
      ResultSchema.problem({ cniVersion: version, ips, routes: [null, { dst: "0.0.0.0/0", mtu: null }] })
    )
  })

  it("with an address that is null", () => {
    assert.strictEqual(
      ResultSchema.problem({ cniVersion: "1.0.0", ips: [{ address: null }] }),
      "ips[0].address: found null, expected an address with the length of its prefix, such as 10.1.0.5/16"
    )
  })

  it("and take other members that are null, elements of lists too, and members that they do not know", () => {
    const result = { cniVersion: "1.0.0", ips: null, interfaces: [null], dns: { domain: null }, code: 11, msg: "x" }
    assert.isUndefined(ResultSchema.problem(result))
    assert.deepStrictEqual(convert(result, "0.4.0"), { cniVersion: "0.4.0", dns: { domain: null } })
  })

  it("and do not look at members that its version does not have", () => {
    assert.isUndefined(ResultSchema.problem({ cniVersion: "1.0.0", ips: [{ version: 4, address: "10.0.0.1/8" }] }))
    assert.isUndefined(ResultSchema.problem({ cniVersion: "0.4.0", interfaces: [{ name: "eth0", mtu: "x" }] }))
  })
})

describe("a result of any content", () => {
  const v4 = Schema.Literals(["10.1.0.5/16", "192.168.0.1/32", "0.0.0.0/0"])
  const v6 = Schema.Literals(["fd00::5/64", "::/0", "2001:db8::1/128"])
  const results = Schema.Struct({
    interfaces: Schema.Array(Schema.Struct({ name: Schema.Literals(["a", "b"]), mac: Schema.Literal("m") })),
    ips: Schema.Array(Schema.Struct({ address: Schema.Union([v4, v6]), interface: Schema.Literals([0, 1]) })),
    routes: Schema.Array(Schema.Struct({ dst: Schema.Union([v4, v6]), gw: Schema.Literal("10.1.0.1") }))
  })
  const later = CniVersion.supported.filter((version) => CniVersion.isAtLeast(version, "0.3.0"))

  it.effect.prop(
    "is the same after a way through any version from 0.3.0 on",
    { result: results },
    ({ result }) =>
      Effect.sync(() => {
        const original = convert({ cniVersion: "0.4.0", ...result }, "1.0.0")
        for (const version of later) {
          assert.deepStrictEqual(convert(convert(original as object, version) as object, "1.0.0"), original)
        }
      })
  )

  it.effect.prop("is one that runtimes take, in any version", { result: results }, ({ result }) =>
    Effect.sync(() => {
      for (const version of CniVersion.supported) {
        const converted = convert({ cniVersion: "1.1.0", ...result }, version)
        if (typeof converted === "string") assert.strictEqual(result.ips.length, 0)
        else assert.isUndefined(ResultSchema.problem(converted as never))
      }
    }))

  it.effect.prop("is the same after it was in 0.2.0 once", { result: results }, ({ result }) =>
    Effect.sync(() => {
      const once = convert({ cniVersion: "1.0.0", ...result }, "0.2.0")
      if (typeof once === "string") return
      assert.deepStrictEqual(convert(convert(once as object, "1.0.0") as object, "0.2.0"), once)
    }))
})
