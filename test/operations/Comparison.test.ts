/** Two operations compared. */
import { assert, describe, it } from "@effect/vitest"
import * as Crypto from "node:crypto"
import * as Collector from "../../src/operations/Collector.ts"
import * as Comparison from "../../src/operations/Comparison.ts"
import { common, read, wrapped } from "./records.ts"

/** Everything that two attachments of one network have of their own. */
interface Attachment {
  readonly containerId: string
  readonly netns: string
  readonly address: string
  readonly veth: string
  readonly mac: string
}

const first: Attachment = {
  containerId: "5c01f03d8d6d",
  netns: "/run/netns/a",
  address: "10.88.0.2",
  veth: "veth0a0b0c0d",
  mac: "02:00:00:00:00:02"
}
const second: Attachment = {
  containerId: "77ab01de9f00",
  netns: "/run/netns/b",
  address: "10.88.0.31",
  veth: "cali77ab01d",
  mac: "02:00:00:00:00:1f"
}

const resultOf = ({ address, mac, netns, veth }: Attachment) => ({
  cniVersion: "1.0.0",
  interfaces: [{ name: "cni0" }, { name: veth, mac: `${mac}`.replace("02", "06") }, {
    name: "eth0",
    mac,
    sandbox: netns
  }],
  ips: [{ address: `${address}/16`, gateway: "10.88.0.1" }]
})

const changesOf = ({ address, containerId, veth }: Attachment) => {
  const hash = Crypto.createHash("sha512").update(`podman${containerId}`).digest("hex").slice(0, 24)
  return {
    host: {
      links: { added: [`${veth} veth up mtu 1500 master cni0`], removed: [] },
      routes: { added: [`${address} dev ${veth} scope link`], removed: [] },
      iptables: { added: [`ip nat -A POSTROUTING -s ${address}/32 -j CNI-${hash}`], removed: [] },
      ipam: { added: [`podman ${address} ${containerId} eth0`], removed: [] }
    }
  }
}

/** What is another than usual in an operation. */
interface Other {
  readonly config?: object
  readonly result?: (result: ReturnType<typeof resultOf>) => object
  readonly changes?: ((changes: ReturnType<typeof changesOf>) => object) | undefined
  readonly took?: number
  readonly outcome?: object
  readonly end?: object
  readonly inner?: ReadonlyArray<string>
  readonly after?: ReadonlyArray<string>
  readonly path?: string
}

const operation = (attachment: Attachment, other: Other = {}) => {
  const { containerId, netns } = attachment
  const members = { containerId, netns }
  const id = containerId.slice(0, 4)
  const { after = ["portmap"], config = {}, inner = ["host-local"], outcome = {}, took = 30 } = other
  const result = other.result?.(resultOf(attachment)) ?? resultOf(attachment)
  const changes = "changes" in other ? other.changes?.(changesOf(attachment)) : changesOf(attachment)
  const end = other.end ?? { event: "result", result }
  const run = {
    type: "bridge",
    start: 0,
    took,
    members,
    config: { args: { id: containerId }, ...config },
    outcome,
    end
  }
  const records = read([
    ...wrapped(`${id}bridge`, run).map((record) => ({ ...record, ...(other.path ? { path: other.path } : {}) })),
    ...(changes === undefined
      ? []
      : [{ ...common(`${id}bridge`, took), ...members, event: "changes", changes, durationMs: 1 }]),
    ...inner.flatMap((type) =>
      wrapped(`${id}${type}`, { type, start: 5, took: 2, members: { ...members, parent: `${id}bridge` }, config })
    ),
    ...after.flatMap((type, index) =>
      wrapped(`${id}${type}`, { type, start: 2000 + index, took: 3, members, config: { type, prevResult: result } })
    )
  ])
  const [found] = Collector.operations(records, { full: true })
  if (found === undefined) throw new Error("no operation")
  return found
}

const signs = { added: "+", removed: "-", changed: "~" }

const differences = (left: Other = {}, right: Other = {}) => {
  const compared = Comparison.make(operation(first, left), operation(second, right))
  return Object.fromEntries(
    Comparison.sections.flatMap((section) => {
      const lines = compared[section].map(({ kind, what }) => `${signs[kind]} ${what}`)
      return lines.length === 0 ? [] : [[section, lines]]
    })
  )
}

describe("two operations", () => {
  it("are alike where only the attachments are others: their IDs, namespaces, addresses, links and chains", () => {
    assert.deepStrictEqual(differences(), {})
    assert.isFalse(Comparison.isDifferent(Comparison.make(operation(first), operation(second))))
  })

  it("differ in their configurations, which are told once where plugins inside get the same", () => {
    assert.deepStrictEqual(
      differences({ config: { mtu: 1500 } }, { config: { mtu: 1450, ipam: { type: "host-local", ranges: [] } } }),
      { configuration: ["+ bridge: ipam.ranges: []", "~ bridge: mtu: 1500 → 1450"] }
    )
    assert.deepStrictEqual(differences({ path: "/opt/cni/bin" }, { path: "/usr/lib/cni" }), {
      configuration: ["~ CNI_PATH: \"/opt/cni/bin\" → \"/usr/lib/cni\""]
    })
  })

  it("differ in their plugins: which ones ran, in which order, and how they ended", () => {
    assert.deepStrictEqual(differences({ after: ["portmap", "firewall"] }, { after: ["tuning", "portmap"] }), {
      plugins: ["- firewall", "+ tuning"]
    })
    assert.deepStrictEqual(differences({ after: ["portmap", "tuning"] }, { after: ["tuning", "portmap"] }), {
      plugins: [
        "~ order: bridge, bridge › host-local, portmap, tuning → bridge, bridge › host-local, tuning, portmap"
      ]
    })
    const end = { event: "error", error: { code: 11, msg: "no addresses" } }
    const { plugins } = differences({}, { after: [], outcome: { exitCode: 1 }, end })
    assert.deepStrictEqual(plugins, ["- portmap", "~ bridge: done → failed: code 11: no addresses"])
  })

  it("of which one failed are compared without what that did by halves, which is said", () => {
    const end = { event: "error", error: { code: 11, msg: "no addresses" } }
    const failing = { after: [], changes: () => ({}), outcome: { exitCode: 1 }, end, config: { bridge: "cni0" } }
    const working = { after: [], config: { bridge: "cni0" } }
    const told = ["~ bridge: done → failed: code 11: no addresses"]
    assert.deepStrictEqual(differences(working, failing), { plugins: told, results: ["- a result"] })
    assert.deepStrictEqual(differences(failing, working).results, ["+ a result"])
    assert.deepStrictEqual(Comparison.make(operation(first, working), operation(second, failing)).notes, [
      "what bridge changed cannot be compared, as it failed in the second operation"
    ])
  })

  it("are compared however deep their configurations are", () => {
    const deep = (name: string) => `{"x":${"[".repeat(20_000)}"${name}"${"]".repeat(20_000)}}`
    const [ours, theirs] = ([[first, "a"], [second, "b"]] as const).map(([attachment, name]) => {
      const { steps, ...rest } = operation(attachment)
      return { ...rest, steps: steps.map((step) => ({ ...step, config: deep(name) })) }
    })
    if (ours === undefined || theirs === undefined) return assert.fail()
    const { configuration } = Comparison.make(ours, theirs)
    assert.match(configuration[0]?.what ?? "", /^bridge: x\[0\]\[0\].*: \[\[.* → \[\[/)
  })

  it("that failed with the same words but for the attachment are alike", () => {
    const failing = ({ containerId }: Attachment) => ({
      after: [],
      changes: undefined,
      outcome: { exitCode: 1 },
      end: { event: "error", error: { code: 1, msg: `cannot attach ${containerId}` } }
    })
    assert.deepStrictEqual(differences(failing(first), failing(second)), {})
    assert.deepStrictEqual(differences(failing(first), failing({ ...second, containerId: "it" })), {
      plugins: ["~ bridge: failed: code 1: cannot attach 5c01f03d8d6d → failed: code 1: cannot attach it"]
    })
  })

  it("differ in their results", () => {
    const result = (result: ReturnType<typeof resultOf>) => ({ ...result, dns: { nameservers: ["10.88.0.1"] } })
    assert.deepStrictEqual(differences({}, { result }), { results: ["+ dns nameservers [\"10.88.0.1\"]"] })
  })

  it("differ in what their plugins changed, without what others made meanwhile", () => {
    const changes = ({ host: { iptables, ...kinds } }: ReturnType<typeof changesOf>) => ({
      host: {
        ...kinds,
        sysctls: { added: ["net.ipv4.ip_forward = 1"], removed: ["net.ipv4.ip_forward = 0"] },
        iptables: { added: ["ip nat -N CNI-0123456789abcdef01234567"], removed: iptables.removed }
      }
    })
    assert.deepStrictEqual(differences({}, { changes }), {
      changes: [
        "- bridge added nat POSTROUTING: from <address> jump CNI-<hash>",
        "+ bridge changed host sysctl net.ipv4.ip_forward = 0 → 1 (shared)"
      ]
    })
    const { notes } = Comparison.make(operation(first), operation(second, { changes }))
    assert.deepStrictEqual(notes, ["(shared): all attachments have it, and the first one on a host makes it"])
  })

  it("are not compared in configurations that are no objects", () => {
    const [ours, theirs] = ([[first, "[1]"], [second, "\"text\""]] as const).map(([attachment, config]) => {
      const { steps, ...rest } = operation(attachment)
      return { ...rest, steps: steps.map((step) => ({ ...step, config })) }
    })
    if (ours === undefined || theirs === undefined) return assert.fail()
    assert.deepStrictEqual(Comparison.make(ours, theirs).configuration, [])
  })

  it("are not compared in what the first one changed where that is not logged, or where it failed", () => {
    const notes = (other: Other) => {
      const compared = Comparison.make(operation(first, other), operation(second))
      assert.deepStrictEqual(compared.changes, [])
      return compared.notes
    }
    assert.deepStrictEqual(notes({ changes: undefined }), [
      "what bridge changed cannot be compared, as it is not logged for the first operation"
    ])
    const end = { event: "error", error: { code: 11, msg: "no addresses" } }
    assert.deepStrictEqual(notes({ after: [], outcome: { exitCode: 1 }, end }), [
      "what bridge changed cannot be compared, as it failed in the first operation"
    ])
  })

  it("are not compared in what they changed where that is logged for one of both, which is said", () => {
    const { notes, ...compared } = Comparison.make(operation(first), operation(second, { changes: undefined }))
    assert.isFalse(Comparison.isDifferent({ ...compared, notes }))
    assert.deepStrictEqual(notes, [
      "what bridge changed cannot be compared, as it is not logged for the second operation"
    ])
  })

  it("differ in their times where one is at least twice as long, and 20 ms longer", () => {
    assert.deepStrictEqual(differences({ took: 30 }, { took: 1032.27 }), { times: ["~ bridge: 30 ms → 1032.3 ms"] })
    assert.deepStrictEqual(differences({ took: 19 }, { took: 1 }), {})
    assert.deepStrictEqual(differences({ took: 1000 }, { took: 1900 }), {})
    const times = ["~ bridge: 20 ms → 40 ms"]
    assert.deepStrictEqual(differences({ took: 20 }, { took: 40 }), { times })
    assert.deepStrictEqual(differences({ took: 20 }, { took: 39.9 }), {})
    assert.deepStrictEqual(differences({ took: 40 }, { took: 20 }), { times: ["~ bridge: 40 ms → 20 ms"] })
  })
})
