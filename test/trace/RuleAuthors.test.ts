/** Who wrote a rule, by the logs of wrapped plugins. */
import { assert, describe, it } from "@effect/vitest"
import type { Record } from "../../src/record/Record.ts"
import type { Hop } from "../../src/trace/Journey.ts"
import * as RuleAuthors from "../../src/trace/RuleAuthors.ts"

const hop = (fields: Partial<Hop>): Hop => ({
  place: "host",
  direction: "there",
  hook: "forward",
  chain: { family: "ip", table: "filter", name: "FORWARD" },
  isOwn: false,
  rule: { handle: 7, text: "counter drop", iptables: "-A FORWARD -s 10.0.0.1/32 -j DROP" },
  verdict: "drop",
  packet: {
    inLink: undefined,
    outLink: undefined,
    source: "",
    destination: "",
    protocol: "tcp",
    sourcePort: 1,
    destinationPort: 2,
    id: 1,
    length: 60,
    kind: "syn"
  },
  ...fields
})

const common = { command: "ADD", containerId: "id-of-web", ifname: "eth0", network: "n" }

/** The records of one run of a plugin that adds a fact. */
const run = (
  invocation: string,
  time: string,
  plugin: string,
  changes: { readonly [place in "host" | "container"]?: { readonly [kind: string]: string } }
): ReadonlyArray<Record> => {
  const added = (facts: { readonly [kind: string]: string } = {}) =>
    Object.fromEntries(Object.entries(facts).map(([kind, line]) => [kind, { added: [line], removed: [] }]))
  return [
    { ...common, event: "request", invocation, time, label: plugin, args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web" },
    {
      ...common,
      event: "plugin",
      invocation,
      time,
      plugin: { type: plugin, exitCode: 0, signal: null, durationMs: 1, stderr: "", truncated: false },
      durationMs: 1
    },
    {
      ...common,
      event: "changes",
      invocation,
      time,
      changes: { host: added(changes.host), container: added(changes.container) },
      durationMs: 1
    }
  ]
}

const onHost: RuleAuthors.Scope = { place: "host", containerId: undefined }

const find = (wanted: Hop, records: ReadonlyArray<Record>, scope = onHost, since = 0) => {
  const search = new RuleAuthors.Search(RuleAuthors.wantedFor(wanted, scope), since)
  for (const record of records) search.add(record)
  return search.author()
}

const line = "ip filter -A FORWARD -s 10.0.0.1/32 -j DROP"

describe("the author of a rule", () => {
  it("is the plugin that added it last, with its operation, container and time", () => {
    const records = [
      ...run("a", "2026-11-30T10:00:00.000Z", "portmap", { host: { iptables: line } }),
      ...run("c", "2026-11-30T12:00:00.000Z", "firewall", { host: { iptables: `${line} #2` } }),
      ...run("b", "2026-11-30T11:00:00.000Z", "bandwidth", { host: { iptables: line } })
    ]
    assert.deepStrictEqual(find(hop({}), records), {
      plugin: "firewall",
      command: "ADD",
      network: "n",
      containerId: "id-of-web",
      pod: "shop/web",
      time: "2026-11-30T12:00:00.000Z"
    })
  })

  it("is found for a rule and for a policy of nftables and of iptables", () => {
    const chain = { family: "inet", table: "own", name: "through" }
    const rule = { handle: 3, text: "ip daddr 10.0.0.1 drop", iptables: undefined }
    const known = [
      [hop({ chain, rule }), { nftables: "rule inet own through ip daddr 10.0.0.1 drop" }],
      [
        hop({ chain, rule: undefined }),
        { nftables: "chain inet own through type filter hook forward priority filter; policy drop;" }
      ],
      [hop({ rule: undefined }), { iptables: "ip filter -P FORWARD DROP" }]
    ] as const
    for (const [wanted, host] of known) {
      assert.strictEqual(find(wanted, run("a", "2026-11-30T10:00:00.000Z", "firewall", { host }))?.plugin, "firewall")
    }
  })

  it("is unknown if the rule was added in another namespace, or only another rule was added", () => {
    const time = "2026-11-30T10:00:00.000Z"
    assert.isUndefined(find(hop({}), run("a", time, "firewall", { container: { iptables: line } })))
    assert.isUndefined(find(hop({}), run("a", time, "firewall", { host: { iptables: `${line}X` } })))
  })

  it("is that of a rule in a container only if the record is about this container", () => {
    const records = run("a", "2026-11-30T10:00:00.000Z", "firewall", { container: { iptables: line } })
    const authorIn = (containerId: string | undefined) => find(hop({}), records, { place: "container", containerId })
    assert.isDefined(authorIn("id-of-web"))
    assert.isUndefined(authorIn("id-of-other"))
    assert.isUndefined(authorIn(undefined))
  })

  it("is unknown if a plugin removed the rule later, or the kernel started later", () => {
    const time = "2026-11-30T10:00:00.000Z"
    const added = run("a", time, "firewall", { host: { iptables: line } })
    const removed: Record = {
      ...common,
      event: "changes",
      invocation: "b",
      time: "2026-11-30T11:00:00.000Z",
      changes: { host: { iptables: { added: [], removed: [line] } }, container: {} },
      durationMs: 1
    }
    assert.isUndefined(find(hop({}), [...added, removed]))
    assert.isUndefined(find(hop({}), [removed, ...added]))
    assert.isUndefined(find(hop({}), added, onHost, Date.parse(time) + 1))
  })
})
