/** What `leaks` removed, as `show` draws it and as metrics count it. */
import { assert, describe, it } from "@effect/vitest"
import * as Export from "../../src/export/Export.ts"
import * as Collector from "../../src/operations/Collector.ts"
import * as View from "../../src/operations/View.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"
import * as OperationText from "../../src/render/terminal/OperationText.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { parse } from "../support/prometheus.ts"
import { at } from "./records.ts"

const removal = (invocation: string, time: number, containerId: string, kind: string) => {
  const line = JSON.stringify({
    time: at(time),
    event: "removal",
    invocation,
    containerId,
    network: "pods",
    removal: { kind, text: `${kind} of ${containerId}`, reason: "no namespace" },
    durationMs: 3
  })
  return JsonFormat.read(line) as Record
}

const records = [
  removal("1", 0, "web", "rule"),
  removal("2", 1, "api", "rule"),
  removal("1", 10, "web", "reservation")
]

describe("removals", () => {
  it("are drawn together for each container, as one step of leaks that went well", () => {
    const style = Style.make({ isTerminal: false, width: 80, minutesEast: () => 0 }, false)
    const [web = [], api = []] = Collector.operations(records).map((operation) =>
      OperationText.render(View.make(operation), style)
    )
    assert.deepStrictEqual(web.map((line) => line.replace(/ {2,}/, " … ")), [
      "leaks of web on pods",
      "2026-11-24 10:00:00.000 +00:00",
      "│",
      "├─ ✓ leaks … 6 ms",
      "│ … - rule rule of web (no namespace)",
      "│ … - reservation reservation of web (no namespace)",
      "└─ 10 ms in total"
    ])
    assert.strictEqual(api[0], "leaks of api on pods")
  })

  it("are counted by network and kind, and not as calls of plugins", () => {
    const { seriesOf, typeOf, value } = parse(Export.metrics(records))
    const counter = "cni_leftovers_removed_total"
    assert.strictEqual(typeOf(counter), "COUNTER")
    assert.strictEqual(value(counter, { network: "pods", kind: "rule" }), 2)
    assert.strictEqual(value(counter, { network: "pods", kind: "reservation" }), 1)
    assert.deepStrictEqual(seriesOf("cni_plugin_operations_total"), [])
  })
})
