/** The settings of a run around a plugin, out of the text of their file. */
import { assert, describe, it } from "@effect/vitest"
import { kinds } from "../../src/network/StateKind.ts"
import * as ShimSettings from "../../src/plugin/ShimSettings.ts"

const read = (document: unknown) => ShimSettings.read(JSON.stringify(document), "demo")

describe("the settings around a plugin", () => {
  it("change nothing of what the plugin does, where there is no file", () => {
    const { changes, hooks, label, logFile, onLogFailure, sinks, warnings } = ShimSettings.read(undefined, "demo")
    assert.deepStrictEqual([changes, label, logFile, onLogFailure, sinks, warnings], [
      [],
      "demo",
      undefined,
      "ignore",
      [],
      []
    ])
    assert.deepStrictEqual(hooks.ADD, [])
  })

  it("are the fields of the file, with the label of the plugin only where they have none", () => {
    const settings = read({ label: "mine", onLogFailure: "fail", logFile: "/log" })
    assert.deepInclude(settings, { label: "mine", onLogFailure: "fail", logFile: "/log", warnings: [] })
    assert.deepStrictEqual(settings.sinks.map(({ type }) => type), ["file"])
    assert.strictEqual(read({ label: "" }).label, "demo")
  })

  for (const text of ["", "[1]", "null", "{", `"text"`]) {
    it(`are the defaults, with a warning, where the file has ${JSON.stringify(text)}`, () => {
      const { changes, label, onLogFailure, sinks, warnings } = ShimSettings.read(text, "demo")
      assert.deepStrictEqual([changes, label, onLogFailure, sinks], [[], "demo", "ignore", []])
      assert.deepStrictEqual(warnings, ["the configuration of the shim is not a JSON object"])
    })
  }

  it("warn of each field that is wrong, and take the others", () => {
    const { label, warnings } = read({ label: "mine", logFile: 5, changes: "links", hookADD: [{ command: "" }] })
    assert.strictEqual(label, "mine")
    assert.deepStrictEqual(warnings.map((warning) => warning.replace(/:.*/, "")), [
      "changes",
      "logFile",
      "hookADD[0].command"
    ])
    assert.match(warnings[1] ?? "", /^logFile: found 5, expected /)
  })
})

describe("the kinds of state to compare", () => {
  const expected = `expected true, false, or a list of ${kinds.join(", ")}`

  it("are none, all, or some in our own order", () => {
    assert.deepStrictEqual(read({}).changes, [])
    assert.deepStrictEqual(read({ changes: false }).changes, [])
    assert.deepStrictEqual(read({ changes: true }).changes, kinds)
    assert.deepStrictEqual(read({ changes: ["ipam", "links"] }).changes, ["links", "ipam"])
    assert.deepStrictEqual(read({ changes: [] }).changes, [])
    for (const changes of [false, true, ["links"], []]) assert.deepStrictEqual(read({ changes }).warnings, [])
  })

  it("are those that are right, with a warning of the first that is not", () => {
    const { changes, warnings } = read({ changes: ["links", "colours", 3] })
    assert.deepStrictEqual([changes, warnings], [["links"], [`changes: found "colours", ${expected}`]])
    assert.deepStrictEqual(read({ changes: [["links"]] }).warnings, [`changes: found a list, ${expected}`])
  })

  for (const [value, found] of [["links", `"links"`], [1, "1"], [null, "null"], [{}, "an object"]] as const) {
    it(`are none, with a warning, where the field is ${found}`, () => {
      const { changes, warnings } = read({ changes: value })
      assert.deepStrictEqual([changes, warnings], [[], [`changes: found ${found}, ${expected}`]])
    })
  }
})
