/** What `watch` prints for people. */
import { assert, describe, it } from "@effect/vitest"
import * as WatchLines from "../../src/cli/WatchLines.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import type { Author } from "../../src/watch/Author.ts"
import type { Change, Event, Flow } from "../../src/watch/Event.ts"

const style = Style.make({ isTerminal: false, width: Number.POSITIVE_INFINITY, minutesEast: () => 0 }, false)

const lines = (event: Event, isFull = false): ReadonlyArray<string> => WatchLines.make(style, isFull).lines(event)

const author: Author = {
  pid: 823,
  name: "iptables",
  commandLine: ["/usr/sbin/iptables", "-F"],
  parents: [{ pid: 821, name: "bash", commandLine: ["bash", "./flush.sh"] }],
  isNoPlugin: true
}

const change = (members: Partial<Change>): Change => ({
  event: "change",
  time: "2026-11-30T12:00:00.123Z",
  by: [author],
  isOneOf: false,
  changes: { host: { iptables: { added: [], removed: ["ip filter -A FORWARD -s 10.1.0.1/32 -j DROP"] } } },
  totals: { rules: { added: 0, removed: 1 } },
  tables: ["ip filter"],
  ...members
})

describe("a change", () => {
  it("has the time, the process, who started it, and each fact in words", () => {
    assert.deepStrictEqual(lines(change({})), [
      "12:00:00.123  iptables -F (process 823), started by bash ./flush.sh (process 821) · not a plugin",
      "              - filter FORWARD: from 10.1.0.1 drop"
    ])
  })

  it("names the plugin that its process works for, with what its log adds", () => {
    const plugin = { plugin: "portmap", command: "DEL", containerId: "web", ifname: "eth0" }
    const [head] = lines(change({
      by: [{ ...author, parents: [], isNoPlugin: false, plugin }],
      during: [{ ...plugin, network: "pods" }]
    }))
    assert.strictEqual(
      head,
      "12:00:00.123  iptables -F (process 823) · a plugin: DEL of portmap for eth0 of web on pods"
    )
  })

  it("without an author names the run during which it happened, and does not say that the run made it", () => {
    const run = { plugin: "bridge", command: "ADD", containerId: "3f1c", ifname: "eth0", pod: "shop/web" }
    assert.strictEqual(
      lines(change({ by: [], during: [run] }))[0],
      "12:00:00.123  unknown process · during ADD of bridge for eth0 of shop/web (3f1c)"
    )
  })

  it("says nothing of plugins if there is no log of them and the process has ended", () => {
    assert.strictEqual(lines(change({ by: [] }))[0], "12:00:00.123  unknown process")
  })

  it("says if only one of several processes made it", () => {
    const other = { pid: 9, name: "nft", parents: [], isNoPlugin: false }
    assert.include(
      lines(change({ by: [author, other], isOneOf: true }))[0],
      "one of: iptables -F (process 823), started by bash ./flush.sh (process 821), nft (process 9)"
    )
  })

  it("of many facts is one line with their numbers", () => {
    const removed = Array.from({ length: 100 }, (_, index) => `rule inet t c tcp dport ${index} accept`)
    const totals = { rules: { added: 3, removed: 10_000 }, tables: { added: 1, removed: 0 } }
    assert.deepStrictEqual(
      lines(change({ changes: { host: { nftables: { added: [], removed } } }, totals, tables: ["inet t"] })).slice(1),
      ["              ~ 10,000 rules → 3, 1 table in inet t"]
    )
  })

  it("cannot move the cursor by the name of a process", () => {
    assert.notInclude(lines(change({ by: [{ ...author, commandLine: ["a\u001b[2J"] }] })).join(), "\u001b")
  })
})

it("rules that came and went again are numbers", () => {
  assert.deepStrictEqual(
    lines({
      event: "counted",
      time: "2026-11-30T12:00:00.123Z",
      by: [author],
      isAsBefore: true,
      chains: { "ip filter INPUT": { added: 1, removed: 1 } }
    })[1],
    "              ~ ip filter INPUT: 1 added, 1 removed; the rules are as before, or in another order"
  )
})

it("flows that are cut and restored stand under each other", () => {
  const web = { network: "pods", containerId: "3f1c", ifname: "eth0", pod: "shop/web" }
  assert.deepStrictEqual(
    lines({
      event: "flows",
      time: "2026-11-30T12:00:01.000Z",
      since: "2026-11-30T12:00:00.123Z",
      cuts: [{ ...web, flow: "port 8080/tcp", check: "port-mappings", reason: "no rule leads there" }],
      restores: [{ ...web, flow: "the world" }]
    }),
    [
      "12:00:01.000  cuts:     port 8080/tcp of shop/web (3f1c): no rule leads there",
      "              restores: the world of shop/web (3f1c)"
    ]
  )
})

describe("flows that one check explains", () => {
  const web = { network: "pods", containerId: "3f1c", ifname: "eth0", pod: "shop/web" }
  const db = { ...web, containerId: "77aa", pod: "shop/db" }
  const rule = { check: "forward-rules", reason: "what web sends is dropped by -P FORWARD DROP" }
  const event = (cuts: ReadonlyArray<Flow>, restores: ReadonlyArray<Flow> = []): Event => ({
    event: "flows",
    time: "2026-11-30T12:00:01.000Z",
    since: "2026-11-30T12:00:00.123Z",
    cuts,
    restores
  })
  const cut = [
    { ...web, flow: "the world", ...rule },
    { ...web, flow: "name server 8.8.8.8", check: "forward-rules", reason: "another rule" },
    { ...db, flow: "the world", ...rule },
    { ...web, flow: "port 80/tcp", check: "port-mappings", reason: "no rule leads there" }
  ]

  it("share a line for each container, with the reason of the first", () => {
    const restored = ["the world", "port 80/tcp"].map((flow) => ({ ...web, flow }))
    assert.deepStrictEqual(lines(event(cut, [...restored, { ...db, flow: "the world" }])), [
      "12:00:01.000  cuts:     the world, name server 8.8.8.8 of shop/web (3f1c): what web sends is dropped by -P FORWARD DROP",
      "              cuts:     the world of shop/db (77aa): what web sends is dropped by -P FORWARD DROP",
      "              cuts:     port 80/tcp of shop/web (3f1c): no rule leads there",
      "              restores: the world, port 80/tcp of shop/web (3f1c)",
      "              restores: the world of shop/db (77aa)"
    ])
  })

  it("have lines of their own with --full", () => {
    assert.include(
      lines(event(cut), true).join("\n"),
      "cuts:     name server 8.8.8.8 of shop/web (3f1c): another rule"
    )
  })

  it("are counted where there are too many", () => {
    const many = Array.from({ length: 23 }, (_, index) => ({ ...web, containerId: `id-${index}`, flow: "the world" }))
    assert.strictEqual(lines(event(many)).at(-1), "              and 3 more: --json has all")
  })
})

it("flows cannot move the cursor by the name of a pod or a protocol", () => {
  const hostile = {
    network: "pods",
    containerId: "3f1c",
    ifname: "eth0",
    pod: "web\u001b[2J",
    flow: "port 1/\u001b[2J"
  }
  const event: Event = {
    event: "flows",
    time: "2026-11-30T12:00:01.000Z",
    since: "2026-11-30T12:00:00.123Z",
    cuts: [{ ...hostile, check: "port-mappings", reason: "\u001b[2J" }],
    restores: [hostile]
  }
  assert.notInclude(lines(event).join(), "\u001b")
})
