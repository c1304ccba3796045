/** What an attachment is known by. */
import { assert, describe, it } from "@effect/vitest"
import * as AttachmentIdentity from "../../src/operations/AttachmentIdentity.ts"
import * as Collector from "../../src/operations/Collector.ts"
import { common, read, wrapped } from "./records.ts"

const of = (...records: ReadonlyArray<object>) => {
  const [operation] = Collector.operations(read(records))
  return AttachmentIdentity.of(operation?.steps ?? [])
}

describe("what an attachment is known by", () => {
  const result = {
    cniVersion: "1.0.0",
    interfaces: [
      { name: "cni0", mac: "02:00:00:00:00:01" },
      { name: "veth1", mac: "02:00:00:00:00:02" },
      { name: "eth0", mac: "02:00:00:00:00:03", sandbox: "/run/netns/demo" }
    ],
    ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }, { address: "fd00::2/64" }]
  }

  it("are its ID, its addresses, its links and the names of its chains, by the results of all of its runs", () => {
    const marks = of(
      ...wrapped("b", { type: "bridge", start: 0, took: 5, end: { event: "result", result } }),
      ...wrapped("p", { type: "portmap", start: 9, took: 5 })
    )
    assert.deepStrictEqual(marks, {
      containerId: "5c01f03d8d6d",
      netns: "/run/netns/demo",
      chains: new Set(["c249aa8d248d727e9cb758a1"]),
      addresses: new Set(["10.88.0.2", "fd00::2"]),
      gateways: new Set(["10.88.0.1"]),
      hostLinks: new Set(["cni0", "veth1"]),
      sharedLinks: new Set<string>(),
      macs: new Set(["02:00:00:00:00:03"])
    })
  })

  it("are texts with something in them, a thousand of each at most", () => {
    const odd = {
      interfaces: [{ name: "" }, { name: 5 }, { mac: "", sandbox: "/x" }],
      ips: [{ address: "", gateway: 5 }]
    }
    const marks = (result: object) =>
      of(...wrapped("b", { type: "bridge", start: 0, took: 5, end: { event: "result", result } }))
    const { addresses, gateways, hostLinks, macs } = marks(odd)
    assert.deepStrictEqual([addresses, gateways, hostLinks, macs].map(({ size }) => size), [0, 0, 0, 0])
    const many = Array.from({ length: 1001 }, (_, index) => ({ address: `fd00::${index}/64` }))
    assert.strictEqual(marks({ ips: many }).addresses.size, 1000)
  })

  it("are those of a result of version 0.2.0", () => {
    const result = { ip4: { ip: "10.88.0.2/16", gateway: "10.88.0.1" }, ip6: { ip: "fd00::2/64" } }
    const marks = of(...wrapped("b", { type: "bridge", start: 0, took: 5, end: { event: "result", result } }))
    assert.deepStrictEqual([[...marks.addresses], [...marks.gateways]], [["10.88.0.2", "fd00::2"], ["10.88.0.1"]])
  })

  it("are not links that all share: bridges, as facts and configurations tell of them", () => {
    const changes = {
      host: { links: { added: ["cni0 bridge up mtu 1500", "veth1 veth up master vrf1"], removed: [] } }
    }
    const records = [
      ...wrapped("b", { type: "bridge", start: 0, took: 5, config: { bridge: "br7" } }),
      { ...common("b", 5), event: "changes", changes, durationMs: 1 }
    ]
    assert.deepStrictEqual([...of(...records).sharedLinks], ["cni0", "vrf1"])
    const [operation] = Collector.operations(read(records), { full: true })
    assert.deepStrictEqual([...AttachmentIdentity.of(operation?.steps ?? []).sharedLinks], ["cni0", "vrf1", "br7"])
  })

  it("are its addresses too where a plugin inside has got them, and the one around it failed", () => {
    const end = { event: "error", error: { code: 1, msg: "no" } }
    const marks = of(
      ...wrapped("b", { type: "bridge", start: 0, took: 5, end }),
      ...wrapped("i", {
        type: "host-local",
        start: 1,
        took: 1,
        members: { parent: "b" },
        end: { event: "result", result: { cniVersion: "1.0.0", ips: result.ips } }
      })
    )
    assert.deepStrictEqual([...marks.addresses], ["10.88.0.2", "fd00::2"])
  })

  it("are the addresses of a DEL by the result that it gets, and of results before version 0.3.0", () => {
    const prevResult = {
      cniVersion: "0.2.0",
      ip4: { ip: "10.88.0.2/16", gateway: "10.88.0.1" },
      ip6: { ip: "fd00::2/64" }
    }
    const marks = of({ ...common("1", 0), command: "DEL", event: "request", config: { type: "bridge", prevResult } })
    assert.deepStrictEqual([...marks.addresses, ...marks.gateways], ["10.88.0.2", "fd00::2", "10.88.0.1"])
  })

  it("has no chains without a network or an ID, and as many as it has networks", () => {
    const chains = (members: object, more: object = members) =>
      of(
        ...wrapped("b", { type: "bridge", start: 0, took: 5, members }),
        ...wrapped("i", { type: "i", start: 1, took: 1, members: { ...more, parent: "b" } })
      ).chains.size
    assert.strictEqual(chains({}), 1)
    assert.strictEqual(chains({}, { network: "other" }), 2)
    assert.strictEqual(chains({ network: undefined }), 0)
    assert.strictEqual(chains({ containerId: undefined }), 0)
  })

  it("has no links without names, nor hardware addresses of the host", () => {
    const interfaces = [{ name: "" }, { name: "veth1", mac: "02:00:00:00:00:01", sandbox: "" }, { sandbox: "/x" }]
    const end = { event: "result", result: { cniVersion: "1.0.0", interfaces } }
    const { hostLinks, macs } = of(...wrapped("b", { type: "bridge", start: 0, took: 5, end }))
    assert.deepStrictEqual([[...hostLinks], [...macs]], [["veth1"], []])
  })

  it("is bounded, whatever a result says", () => {
    const ips = [null, 1, {}, ...Array.from({ length: 5000 }, (_, index) => ({ address: `10.0.${index}/8` }))]
    const end = { event: "result", result: { ips, interfaces: "none" } }
    assert.strictEqual(of(...wrapped("b", { type: "bridge", start: 0, took: 5, end })).addresses.size, 1000)
  })
})

describe("any of several names", () => {
  const found = (text: string, ...names: ReadonlyArray<string>) =>
    text.match(AttachmentIdentity.anyOf(names) ?? /(?!)/g) ?? []

  it("are found where they stand for themselves, and not as a part of others", () => {
    assert.deepStrictEqual(found("10.88.0.2/32 10.88.0.22 110.88.0.2 10.88.0.2.5 10.88.0.2:80", "10.88.0.2"), [
      "10.88.0.2",
      "10.88.0.2"
    ])
    assert.deepStrictEqual(found("fd00::2/128 [fd00::2]:80 fd00::22 afd00::2 1:fd00::2", "fd00::2"), [
      "fd00::2",
      "fd00::2"
    ])
    assert.deepStrictEqual(found("veth1 veth12 my-veth1 net.ipv4.conf.veth1.x", "veth1"), ["veth1"])
    assert.deepStrictEqual(found("a.b axb", "a.b"), ["a.b"])
    assert.deepStrictEqual(found("veth1-x x-veth1 veth1:80 veth1.5 veth1. (veth1)", "veth1"), [
      "veth1",
      "veth1",
      "veth1"
    ])
  })

  it("are found each, the longest first, whatever characters they have", () => {
    assert.deepStrictEqual(found("a a+b [c] a-b", "a", "a+b", "[c]"), ["a", "a+b", "[c]"])
    assert.deepStrictEqual(found("10.0.0.1/24 10.0.0.1", "10.0.0.1", "10.0.0.1/24"), ["10.0.0.1/24", "10.0.0.1"])
  })

  it("are none where there are no names, and those beside an empty one where there are", () => {
    assert.deepStrictEqual(found("x", ""), [])
    assert.isUndefined(AttachmentIdentity.anyOf([]))
    assert.isUndefined(AttachmentIdentity.anyOf([""]))
    assert.deepStrictEqual(found("x y", "", "x"), ["x"])
  })
})
