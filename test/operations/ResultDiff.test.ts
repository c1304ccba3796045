/** What a plugin did to a result, in words. */
import { assert, describe, it } from "@effect/vitest"
import * as ResultDiff from "../../src/operations/ResultDiff.ts"
import * as CpuTime from "../support/cpuTime.ts"

const words = (before: unknown, after: unknown) =>
  ResultDiff.between(before, after).map(({ kind, what }) => `${kind} ${what}`)

const bridge = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "cni0", mac: "aa" }, { name: "eth0", mac: "bb", sandbox: "/run/netns/x" }],
  ips: [{ address: "10.0.0.2/16", gateway: "10.0.0.1", interface: 1 }],
  routes: [{ dst: "0.0.0.0/0" }],
  dns: {}
}

describe("the changes between two results", () => {
  it("are everything in the first one", () => {
    assert.deepStrictEqual(words(undefined, bridge), [
      "added interface cni0 (mac aa)",
      "added interface eth0 in /run/netns/x (mac bb)",
      "added address 10.0.0.2/16 (gateway 10.0.0.1, interface 1)",
      "added route 0.0.0.0/0"
    ])
  })

  it("are none where nothing changed, whatever the order of keys", () => {
    assert.deepStrictEqual(
      words(bridge, { ...bridge, ips: [{ interface: 1, gateway: "10.0.0.1", address: "10.0.0.2/16" }] }),
      []
    )
  })

  it("name what was removed and what was changed, and from what to what", () => {
    const after = {
      ...bridge,
      interfaces: [bridge.interfaces[0], { ...bridge.interfaces[1], mac: "cc", mtu: 1400 }],
      routes: [],
      dns: { nameservers: ["10.0.0.1"] }
    }
    assert.deepStrictEqual(words(bridge, after), [
      "changed interface eth0 in /run/netns/x mac: bb → cc",
      "added interface eth0 in /run/netns/x mtu 1400",
      "removed route 0.0.0.0/0",
      "added dns nameservers [\"10.0.0.1\"]"
    ])
  })

  it("are found in results of version 0.2.0 too", () => {
    assert.deepStrictEqual(words({}, { ip4: { ip: "10.0.0.2/16" } }), ["added ip4 ip 10.0.0.2/16"])
  })

  it("are found in fields that nobody knows", () => {
    assert.deepStrictEqual(words({ x: [1] }, { x: [1, 2] }), ["changed x: [1] → [1,2]"])
  })

  it("are short where a value is long", () => {
    const [change = ""] = words({}, { x: "a".repeat(10_000) })
    assert.isBelow(change.length, 250)
  })
})

/** So many lists, one in the other. */
const nested = (levels: number, core: string) => JSON.parse(`${"[".repeat(levels)}${core}${"]".repeat(levels)}`)

describe("the changes between hostile results", () => {
  it("name members that are called like those of every object", () => {
    for (const key of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      const result = JSON.parse(`{"${key}":[{"dst":"1"}],"ips":[{"${key}":1,"address":"a"}]}`)
      assert.deepStrictEqual(words({}, result), [
        `added ${key} [{"dst":"1"}]`,
        `added address a (${key} 1)`
      ])
      assert.deepStrictEqual(words(result, {}), [`removed ${key} [{"dst":"1"}]`, "removed address a"])
      assert.deepStrictEqual(words(result, result), [])
    }
  })

  it("are found below 100,000 levels", () => {
    assert.deepStrictEqual(words({ x: nested(100_000, "1") }, { x: nested(100_000, "1") }), [])
    assert.deepStrictEqual(words({ x: nested(100_000, "1") }, { x: nested(100_000, "2") }), [
      "changed x: [[[[[[[…]]]]]]] → [[[[[[[…]]]]]]]"
    ])
    assert.strictEqual(words({}, { dns: { a: nested(100_000, "1") } }).length, 1)
    assert.strictEqual(words({}, { routes: [{ dst: nested(100_000, "1"), gw: nested(100_000, "1") }] }).length, 1)
  })

  it("take time that grows with the number of equal elements, not with its square", () => {
    const routes = (count: number) => ({ routes: Array.from({ length: count }, () => ({ dst: "0.0.0.0/0" })) })
    assert.isBelow(CpuTime.of(() => assert.strictEqual(words({}, routes(20_000)).length, 20_000)), 2000)
    assert.deepStrictEqual(words(routes(3), routes(5)), ["added route 0.0.0.0/0", "added route 0.0.0.0/0"])
  })
})
