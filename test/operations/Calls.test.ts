/** The calls of one plugin in a log. */
import { assert, describe, it } from "@effect/vitest"
import { Calls } from "../../src/operations/Calls.ts"
import { common, read, wrapped } from "./records.ts"

const callsOf = (wanted: string, ...records: ReadonlyArray<object>) => {
  const calls = new Calls(wanted)
  for (const record of read(records)) calls.add(record)
  return calls
}
const names = (calls: Calls) => calls.newestFirst().map(({ request }) => request.invocation)

describe("the calls of a plugin", () => {
  const log = [
    ...wrapped("a", { type: "bridge", start: 0, took: 5 }),
    ...wrapped("b", { type: "bridge", start: 20, took: 5 }),
    ...wrapped("p", { type: "portmap", start: 9, took: 5 })
  ]

  it("are those of its type, the newest first, whatever order their records come in", () => {
    assert.deepStrictEqual(names(callsOf("bridge", ...log)), ["b", "a"])
    assert.deepStrictEqual(names(callsOf("bridge", ...log.toReversed())), ["b", "a"])
    assert.deepStrictEqual(names(callsOf("portmap", ...log)), ["p"])
    assert.deepStrictEqual(names(callsOf("tuning", ...log)), [])
  })

  it("of the same time are the later one of the log first", () => {
    const same = ["1", "2"].flatMap((name) => wrapped(name, { type: "bridge", start: 0, took: 5 }))
    assert.deepStrictEqual(names(callsOf("bridge", ...same)), ["2", "1"])
  })

  it("have all that their records have, also without an end", () => {
    const [call] = callsOf("bridge", ...log).newestFirst()
    assert.deepStrictEqual([call?.plugin?.type, call?.end?.event], ["bridge", "result"])
    const [open] = callsOf("bridge", ...log.slice(0, 1)).newestFirst()
    assert.deepStrictEqual([open?.request.invocation, open?.plugin, open?.end], ["a", undefined, undefined])
  })

  it("leave out the answers to VERSION, but not the failures", () => {
    const version = (name: string, end: object) =>
      wrapped(name, { type: "bridge", start: 0, took: 1, members: { command: "VERSION" }, end })
    const failed = version("f", { event: "error", error: { code: 1, msg: "no" } })
    assert.deepStrictEqual(names(callsOf("bridge", ...version("v", { event: "result" }), ...failed)), ["f"])
  })

  it("are known by the label inside another plugin, and by the configuration otherwise", () => {
    const request = (name: string, members: object) => [
      { ...common(name, 0, "labelled"), event: "request", config: { type: "bridge" }, ...members },
      { ...common(name, 1, "labelled"), event: "result", durationMs: 1 }
    ]
    assert.deepStrictEqual(names(callsOf("bridge", ...request("1", {}))), ["1"])
    assert.deepStrictEqual(names(callsOf("labelled", ...request("1", { parent: "x" }))), ["1"])
    assert.deepStrictEqual(names(callsOf("labelled", ...request("1", { config: {} }))), ["1"])
    assert.deepStrictEqual(names(callsOf("labelled", ...request("1", { config: { type: 1 } }))), ["1"])
  })

  it("have beside them the types of all that were called", () => {
    assert.deepStrictEqual(callsOf("bridge", ...log).types(), ["bridge", "portmap"])
    assert.deepStrictEqual(callsOf("x", ...log.slice(0, 1)).types(), ["bridge"])
  })
})
