/** Which step is named as the one that failed. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import * as View from "../../src/operations/View.ts"
import { common, hook, read, wrapped } from "./records.ts"

const refused = { end: { event: "error", error: { code: 11, msg: "no addresses" } } }

const failure = (...records: ReadonlyArray<object>): string | undefined =>
  Collector.operations(read(records)).map(View.make)[0]?.failure

describe("the culprit", () => {
  const tolerant = [
    ...wrapped("b", { type: "bridge", start: 0, took: 9 }),
    ...wrapped("i", { type: "host-local", start: 2, took: 1, members: { parent: "b" }, ...refused })
  ]
  const failing = wrapped("p", { type: "portmap", start: 20, took: 5, ...refused })
  const withHook = [
    ...wrapped("t", { type: "tuning", start: 12, took: 5 }),
    { ...common("t", 16), event: "hook", hook: { ...hook, command: "false", exitCode: 1 }, durationMs: 1 }
  ]

  it("is the plugin that failed before one that another did not mind, and before a hook", () => {
    assert.strictEqual(failure(...tolerant, ...withHook, ...failing), "portmap: code 11: no addresses")
  })

  it("is one that another did not mind before a hook", () => {
    assert.strictEqual(failure(...tolerant, ...withHook), "host-local in bridge: code 11: no addresses")
  })

  it("is a hook where nothing else failed, and nothing where it succeeded", () => {
    assert.strictEqual(failure(...withHook), "tuning: hook false: exit status 1")
    assert.isUndefined(failure(...wrapped("t", { type: "tuning", start: 12, took: 5 })))
  })

  it("has its own words where it gave no code: the last line of stderr, or else the first one of stdout", () => {
    const said = (outcome: object) =>
      failure(...wrapped("p", {
        type: "portmap",
        start: 0,
        took: 5,
        outcome: { exitCode: 2, ...outcome },
        end: { event: "error", error: { msg: "exited with status 2" } }
      }))
    assert.strictEqual(said({}), "portmap: exited with status 2")
    assert.strictEqual(said({ stderr: "a\n b \n", stdout: "c\n" }), "portmap: exited with status 2: b")
    assert.strictEqual(said({ stdout: "c\nd\n" }), "portmap: exited with status 2: c")
    const coded = wrapped("p", { type: "portmap", start: 0, took: 5, outcome: { stderr: "a" }, ...refused })
    assert.strictEqual(failure(...coded), "portmap: code 11: no addresses")
  })

  it("has the first line of its message, of which 300 characters are shown", () => {
    const msg = (text: string) =>
      failure(...wrapped("p", { type: "p", start: 0, took: 5, end: { event: "error", error: { code: 1, msg: text } } }))
    assert.strictEqual(msg("a\nb"), "p: code 1: a")
    assert.strictEqual(msg("x".repeat(292)), `p: code 1: ${"x".repeat(292)}`)
    assert.strictEqual(msg("x".repeat(293)), `p: code 1: ${"x".repeat(292)}…`)
  })

  it("was killed, or is still running, where it has no end", () => {
    assert.strictEqual(
      failure(...wrapped("p", { type: "portmap", start: 0, took: 5 }).slice(0, 1)),
      "portmap was killed, or is still running"
    )
  })
})
