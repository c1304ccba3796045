/**
 * What the plugins of Debian's package containernetworking-plugins 1.1.1 changed, on a host with iptables-nft: chains of
 * bridge, portmap, firewall, tuning and bandwidth; of ptp and sbr; of macvlan; and of bridge and firewall, whose DEL did
 * not get the result of its ADD, as where the cache of a runtime is lost.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as AttachmentIdentity from "../../src/operations/AttachmentIdentity.ts"
import * as Collector from "../../src/operations/Collector.ts"
import * as Operation from "../../src/operations/Operation.ts"
import * as StateChanges from "../../src/operations/StateChanges.ts"
import * as View from "../../src/operations/View.ts"
import * as OperationText from "../../src/render/terminal/OperationText.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { repository } from "../support/plugin.ts"
import { read } from "./records.ts"

const fixture = (name: string) => Fs.readFileSync(`${repository}/test/fixtures/changes/${name}`, "utf8")

const operations = Collector.operations(read(fixture("debian-plugins.jsonl").trim().split("\n")))

const find = (command: string, network: string) => {
  const found = operations.find(({ request }) => request.command === command && request.network === network)
  if (found === undefined) throw new Error(`no ${command} on ${network}`)
  return found
}

/** All changes of an operation, as seen by one who knows these marks. */
const changes = ({ steps }: Operation.Operation, marks: AttachmentIdentity.AttachmentIdentity) =>
  [...Operation.runsOf(steps)].flatMap(({ changes }) =>
    changes === undefined ? [] : StateChanges.describe(JSON.parse(changes), marks)
  )

describe("what real plugins changed", () => {
  it("reads like this, 100 columns wide", () => {
    const style = Style.make({ isTerminal: true, width: 100, minutesEast: () => 0 }, false)
    const drawn = operations.flatMap((operation) => [...OperationText.render(View.make(operation), style), ""])
    assert.strictEqual(drawn.map((line) => `${line}\n`).join(""), fixture("debian-plugins.txt"))
    assert.isAtMost(Math.max(...drawn.map((line) => line.length)), 100)
  })

  it("is all of the attachment that made it, or shared", () => {
    for (const operation of operations) {
      const others = changes(operation, AttachmentIdentity.of(operation.steps)).filter(({ whose }) =>
        whose === "others"
      )
      assert.deepStrictEqual(others, [])
    }
  })

  it("is of others, seen by another attachment, wherever it bears a mark: rules, links, addresses, reservations", () => {
    const demo = find("ADD", "demo")
    const own = changes(demo, AttachmentIdentity.of(demo.steps)).filter(({ what, whose }) =>
      whose === "attachment" && !what.startsWith("container ")
    )
    const seen = new Map(
      changes(demo, AttachmentIdentity.of(find("ADD", "p2p").steps)).map(({ what, whose }) => [what, whose])
    )
    assert.isAtLeast(own.length, 20)
    assert.deepStrictEqual(own.filter(({ what }) => seen.get(what) !== "others"), [])
  })

  it("is told apart from what another ADD on the same network made at the same time", () => {
    const [add] = Collector.operations(read(fixture("meanwhile.jsonl").trim().split("\n")))
    if (add === undefined) throw new Error("no ADD")
    const all = changes(add, AttachmentIdentity.of(add.steps))
    const ofOther = /10\.88\.0\.2(?!\d)|fd00:88::2(?!\d)|CNI-(?:DN-)?d055|9e8d7c6b5a4f|vethab79a563/
    assert.deepStrictEqual(
      all.filter(({ what, whose }) => ofOther.test(what) !== (whose === "others")),
      []
    )
    const drawn = OperationText.render(
      View.make(add),
      Style.make({
        isTerminal: true,
        width: 100,
        minutesEast: () => 0
      }, false)
    )
    assert.deepStrictEqual(drawn.filter((line) => line.includes("at the same time")), [
      "│   + 7 changes that others made at the same time",
      "│   + 6 changes that others made at the same time",
      "│   + 4 changes that others made at the same time"
    ])
  })

  it("is taken away by DEL, but for the rules of a firewall that does not get the addresses", () => {
    const left = operations.map(({ leftovers, request }) => [request.command, request.network, leftovers().length])
    assert.deepStrictEqual(left.filter(([, , count]) => count !== 0), [["DEL", "lost", 2]])
  })

  it("stays in part where the namespace of the container is gone before its DEL: bridge leaves what ipMasq made", () => {
    const [add, del] = Collector.operations(read(fixture("namespace-gone.jsonl").trim().split("\n")))
    assert.deepStrictEqual([add?.leftovers(), del?.leftovers().map((what) => what.replace(/CNI-[0-9a-f]+/, "CNI-…"))], [
      [],
      [
        "nat CNI-…: not to 224.0.0.0/4 masquerade",
        "nat CNI-…: to 10.88.0.0/16 accept",
        "nat POSTROUTING: from 10.88.0.2 jump CNI-…",
        "ip6 nat CNI-…: not to ff00::/8 masquerade",
        "ip6 nat CNI-…: to fd00:88::/64 accept",
        "ip6 nat POSTROUTING: from fd00:88::2 jump CNI-…"
      ]
    ])
  })
})
