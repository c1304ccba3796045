/** Operations for scripts. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import * as View from "../../src/operations/View.ts"
import * as ViewJson from "../../src/operations/ViewJson.ts"
import { chained, common, read, wrapped } from "./records.ts"

const render = (lines: ReadonlyArray<object | string>) =>
  Collector.operations(read(lines), { full: true }).map((operation) => ViewJson.render(View.make(operation)))

describe("an operation as JSON", () => {
  it("says to whom it happened, whether it failed, and what each step did", () => {
    const [operation] = render(chained).map((line) => JSON.parse(line))
    const { command, containerId, durationMs, failed, steps } = operation
    assert.deepStrictEqual([command, containerId, durationMs, failed], ["ADD", "5c01f03d8d6d", 47, true])
    assert.deepStrictEqual(steps[0].hooks[0].stdout, "-P INPUT\n-P OUTPUT")
    assert.deepStrictEqual([steps[1].title, steps[1].kind, steps[1].changes], [
      "portmap",
      "between",
      [{ kind: "added", what: "dns nameservers [\"10.88.0.1\"]" }]
    ])
    assert.deepStrictEqual([steps[2].state, steps[2].code, steps[2].failure], [
      "failed",
      100,
      "code 100: hook \"false\" failed with exit status 1"
    ])
    assert.strictEqual(operation.failure, "after-portmap: code 100: hook \"false\" failed with exit status 1")
  })

  it("has the plugins inside a step in it, as steps of the same form", () => {
    const members = { parent: "m", ifname: "net1", network: "macvlan" }
    const [operation] = render([
      ...wrapped("m", { type: "multus", start: 0, took: 9 }),
      ...wrapped("v", { type: "macvlan", start: 2, took: 5, members }),
      { ...common("v", 7), event: "changes", changes: {}, durationMs: 1, notes: ["nft is not on PATH"] },
      ...wrapped("i", { type: "host-local", start: 3, took: 1, members: { ...members, parent: "v" } })
    ]).map((line) => JSON.parse(line))
    const [multus] = operation.steps
    const [macvlan] = multus.nested
    assert.deepStrictEqual([multus.title, multus.kind, multus.durationMs], ["multus", "plugin", 9])
    assert.deepStrictEqual([macvlan.title, macvlan.ifname, macvlan.network], ["macvlan", "net1", "macvlan"])
    assert.deepStrictEqual([macvlan.stateChanges, macvlan.notes], [[], ["nft is not on PATH"]])
    assert.deepStrictEqual(macvlan.nested.map(({ nested, title }: typeof macvlan) => [title, nested]), [
      ["host-local", []]
    ])
  })

  it("is one line, has documents without loss, and nothing that a terminal obeys", () => {
    const document = `{"a":12345678901234567890, "b": 1.0,\n "c":"\u009b"}`
    const request = `${JSON.stringify({ ...common("1", 0), event: "request" }).slice(0, -1)},"config":${
      document.replace("\n", "")
    }}`
    const [line = ""] = render([request])
    assert.include(line, `"config":{"a":12345678901234567890, "b": 1.0, "c":"\\u009b"}`)
    assert.notInclude(line, "\n")
    JSON.parse(line)
  })
})
