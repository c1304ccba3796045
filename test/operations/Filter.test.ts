/** Which operations are asked for. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import * as Filter from "../../src/operations/Filter.ts"
import { at, called, chained, read, wrapped } from "./records.ts"

const [operation] = Collector.operations(
  read(chained.map((record) => ({ ...record, args: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web" })))
)
const matches = (filter: Filter.Filter) => operation !== undefined && Filter.matches(filter, operation)

describe("a filter", () => {
  it("without anything asked for matches", () => assert.isTrue(matches({})))

  it("compares what was asked for", () => {
    const began = Date.parse(at(0))
    const cases: ReadonlyArray<readonly [Filter.Filter, Filter.Filter]> = [
      [{ container: "5c01" }, { container: "c01" }],
      [{ pod: "web" }, { pod: "we" }],
      [{ pod: "default/web" }, { pod: "other/web" }],
      [{ network: "podman" }, { network: "pod" }],
      [{ command: "add" }, { command: "DEL" }],
      [{ label: "after-portmap" }, { label: "portmap" }],
      [{ since: began }, { since: began + 1 }],
      [{ until: began + 1 }, { until: began }],
      [{ failed: true, network: "podman" }, { failed: true, network: "other" }]
    ]
    for (const [yes, no] of cases) {
      assert.isTrue(matches(yes), JSON.stringify(yes))
      assert.isFalse(matches(no), JSON.stringify(no))
    }
  })

  it("without anything asked for leaves out each VERSION that went well", () => {
    const matched = (filter: Filter.Filter, end: object) => {
      const records = called({}, end).map((record) => ({ ...record, command: "VERSION" }))
      return Collector.operations(read(records)).some((operation) => Filter.matches(filter, operation))
    }
    assert.isFalse(matched({}, { event: "result" }))
    assert.isTrue(matched({}, { event: "error", error: { code: 5, msg: "broken" } }))
    assert.isTrue(matched({ command: "VERSION" }, { event: "result" }))
  })

  it("for what failed matches nothing else", () => {
    const [fine] = Collector.operations(read(chained.slice(0, 3)))
    assert.isFalse(fine !== undefined && Filter.matches({ failed: true }, fine))
  })

  it("for a network or a label finds plugins inside others too", () => {
    const [inner] = Collector.operations(read([
      ...wrapped("m", { type: "multus", start: 0, took: 9 }),
      ...wrapped("v", { type: "macvlan", start: 2, took: 5, members: { parent: "m", network: "other" } })
    ]))
    assert.isTrue(inner !== undefined && Filter.matches({ network: "other", label: "macvlan" }, inner))
    assert.isFalse(inner !== undefined && Filter.matches({ network: "third" }, inner))
  })
})
