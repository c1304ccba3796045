/** What the DEL of an attachment left of what its ADD made. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import { FollowedOperations } from "../../src/operations/FollowedOperations.ts"
import * as View from "../../src/operations/View.ts"
import { at, common, read } from "./records.ts"

const containerId = "ba87c1e4f5d5c7a0f1f9e5b2"
const result = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "cni0" }, { name: "vetha446" }, { name: "eth0", sandbox: "/run/netns/demo" }],
  ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }]
}

const bridge = "cni0 bridge up mtu 1500"
const veth = "vetha446 veth up mtu 1500 master cni0"
const accept = "ip filter -A CNI-FORWARD -s 10.88.0.2/32 -j ACCEPT"
const reservation = `podman 10.88.0.2 ${containerId} eth0`
const all = {
  links: [bridge, veth],
  iptables: ["ip filter -N CNI-FORWARD", accept],
  sysctls: ["net.ipv4.conf.vetha446.rp_filter = 0"],
  ipam: [reservation]
}

type Facts = { readonly [kind: string]: ReadonlyArray<string> }

interface Run {
  readonly added?: Facts
  readonly removed?: Facts
  readonly notes?: ReadonlyArray<string>
  readonly members?: object
}

const kinds = (added: Facts, removed: Facts) =>
  Object.fromEntries(
    [...Object.keys(added), ...Object.keys(removed)].map((kind) => [
      kind,
      { added: added[kind] ?? [], removed: removed[kind] ?? [] }
    ])
  )

/** An operation of one plugin, that began so many seconds after the first one. */
const operation = (second: number, command: string, run?: Run) => {
  const { added = {}, members = {}, notes, removed = {} } = run ?? {}
  const record = (milliseconds: number) => ({
    ...common(`${second}`, second * 1000 + milliseconds, "bridge"),
    command,
    containerId,
    ...members
  })
  return [
    {
      ...record(0),
      event: "request",
      config: { type: "bridge", ...(command === "DEL" ? { prevResult: result } : {}) }
    },
    ...(run === undefined ? [] : [{
      ...record(5),
      event: "changes",
      changes: { host: kinds(added, removed) },
      durationMs: 1,
      ...(notes === undefined ? {} : { notes })
    }]),
    { ...record(5), event: "result", durationMs: 5, ...(command === "ADD" ? { result } : {}) }
  ]
}

/** What each operation left. */
const left = (...records: ReadonlyArray<ReadonlyArray<object>>) =>
  Collector.operations(read(records.flat())).map(({ leftovers }) => leftovers())

const add = operation(0, "ADD", { added: all })

describe("what a DEL left", () => {
  it("is what its ADD made of its own, and nothing took away: not what all attachments share", () => {
    assert.deepStrictEqual(left(add, operation(9, "DEL", {})), [[], [
      "host link vetha446 (veth, up, master cni0)",
      "filter CNI-FORWARD: from 10.88.0.2 accept",
      `ipam podman: 10.88.0.2 for ${containerId} eth0`
    ]])
  })

  it("is nothing where all is taken away, also what says something else by then", () => {
    const removed = {
      links: [veth.replace("up", "down")],
      iptables: [accept],
      ipam: [`podman 10.88.0.2 ${containerId}`]
    }
    assert.deepStrictEqual(left(add, operation(9, "DEL", { removed })), [[], []])
  })

  it("is what only changed in the DEL", () => {
    const changed = { removed: { links: [veth] }, added: { links: [veth.replace("up", "down")] } }
    const [, leftovers = []] = left(add, operation(9, "DEL", changed))
    assert.include(leftovers, "host link vetha446 (veth, down, master cni0)")
  })

  it("is not known where nobody looked at the DEL", () => {
    assert.deepStrictEqual(left(add, operation(9, "DEL")), [[], []])
  })

  it("is not known of kinds that the DEL could not look at", () => {
    const notes = ["iptables-save is not on PATH: iptables are not compared"]
    assert.deepStrictEqual(left(add, operation(9, "DEL", { notes })).at(-1), [
      "host link vetha446 (veth, up, master cni0)",
      `ipam podman: 10.88.0.2 for ${containerId} eth0`
    ])
  })

  it("is not known of kinds of which more went than is kept", () => {
    const many = Array.from({ length: 501 }, (_, index) => `ip filter -A A${index} -j DROP`)
    const removed = { iptables: [...many, accept], links: [veth], ipam: [reservation] }
    assert.deepStrictEqual(left(add, operation(9, "DEL", { removed })), [[], []])
  })

  it("are no links where the namespace of the container is gone, for they went with it", () => {
    const rest = ["filter CNI-FORWARD: from 10.88.0.2 accept", `ipam podman: 10.88.0.2 for ${containerId} eth0`]
    const notes = [
      "cannot enter the network namespace of the container: no such file: nothing in it is compared"
    ]
    assert.deepStrictEqual(left(add, operation(9, "DEL", { members: { netns: "" } })).at(-1), rest)
    assert.deepStrictEqual(left(add, operation(9, "DEL", { notes })).at(-1), rest)
  })

  const owned: Facts = {
    links: [veth],
    addresses: ["vetha446 10.88.0.1/32"],
    routes: ["10.88.0.2 dev vetha446"],
    neighbours: ["10.88.0.2 dev vetha446 PERMANENT"],
    bridge: ["fdb 02:00:00:00:00:02 dev vetha446 master cni0 static"],
    rules: ["ip 100: from 10.88.0.2 lookup 5"],
    nftables: ["rule ip x y ip saddr 10.88.0.2 accept"],
    iptables: [accept],
    ipsets: ["add x 10.88.0.2"],
    ipam: [reservation],
    sysctls: ["net.ipv4.conf.vetha446.rp_filter = 1"]
  }

  it("is told of each kind but sysctls, and without the namespace of those that are not bound to it", () => {
    const kindsLeft = (members: object) =>
      Object.entries(owned).filter(([kind, facts]) => {
        const added = operation(0, "ADD", { added: { [kind]: facts } })
        return (left(added, operation(9, "DEL", { members })).at(-1) ?? []).length > 0
      }).map(([kind]) => kind)
    const unbound = ["rules", "nftables", "iptables", "ipsets", "ipam"]
    assert.deepStrictEqual(kindsLeft({}), ["links", "addresses", "routes", "neighbours", "bridge", ...unbound])
    assert.deepStrictEqual(kindsLeft({ netns: "" }), unbound)
  })

  it("is nothing of other attachments, nor of the same container in another network", () => {
    const other = operation(9, "DEL", { members: { network: "other" } })
    assert.deepStrictEqual(left(add, other), [[], []])
  })

  it("is what no later DEL took away", () => {
    const rest = { links: [veth], ipam: [reservation] }
    assert.deepStrictEqual(
      left(add, operation(9, "DEL", { removed: rest }), operation(10, "DEL", { removed: { iptables: [accept] } })),
      [[], [], []]
    )
    const accepted = ["filter CNI-FORWARD: from 10.88.0.2 accept"]
    assert.deepStrictEqual(
      left(
        add,
        operation(9, "DEL", { removed: { links: [veth] } }),
        operation(10, "DEL", { removed: { ipam: [reservation] } })
      ),
      [[], accepted, accepted]
    )
  })

  it("is not what a plugin inside made and its caller took away again", () => {
    const inner = operation(1, "ADD", { added: { ipam: [reservation] }, members: { parent: "0" } })
    assert.deepStrictEqual(left(operation(0, "ADD", {}), inner, operation(9, "DEL", {})), [[], []])
  })

  it("is known to one who follows the log, when the ADD was drawn long ago", () => {
    const following = new FollowedOperations(() => true)
    const drawn = (records: ReadonlyArray<object>, second: number) => {
      for (const record of read(records)) following.add(record, Date.parse(at(second * 1000)))
      return following.due(Date.parse(at(second * 1000 + 500_000))).flatMap(({ _tag, operation }) =>
        _tag === "Foot" ? [View.make(operation).leftovers.length] : []
      )
    }
    assert.deepStrictEqual(drawn(add, 0), [0])
    assert.deepStrictEqual(drawn(operation(600, "DEL", {}), 600), [3])
  })
})
