/** What a plugin says of its failure besides what the plugins inside it said. */
import { assert, describe, it } from "@effect/vitest"
import * as Repetition from "../../src/operations/Repetition.ts"
import type { Step } from "../../src/operations/ViewStep.ts"

const excerpt = (...lines: ReadonlyArray<string>) => ({ lines, linesBefore: 0, charactersAfter: 0 })

/** A step that failed, with what it wrote. */
const step = (failure: ReadonlyArray<string>, members: Partial<Step> = {}): Step => ({
  invocation: "1",
  title: "bridge",
  kind: "plugin",
  command: undefined,
  ifname: undefined,
  network: undefined,
  parent: undefined,
  state: "failed",
  isQuiet: false,
  durationMs: 1,
  changesBefore: [],
  changes: [],
  stateChanges: undefined,
  notes: [],
  hooks: [],
  plugin: undefined,
  code: 1,
  failure,
  args: undefined,
  path: undefined,
  config: undefined,
  result: undefined,
  nested: [],
  ...members
})

const plugin = (stderr: ReadonlyArray<string>, stdout: ReadonlyArray<string> = []) => ({
  ending: "exit status 1",
  stderr: excerpt(...stderr),
  stdout: excerpt(...stdout),
  truncated: false
})

const failureOf = (failure: ReadonlyArray<string>, ...nested: ReadonlyArray<Step>) =>
  Repetition.removed(step(failure, { nested })).failure

describe("the words of a failure", () => {
  it("are all of them where nothing inside failed", () => {
    const own = plugin(["a"])
    const { failure, plugin: shown } = Repetition.removed(
      step(["code 1: a"], { plugin: own, nested: [step(["code 1: a"], { state: "done", plugin: own })] })
    )
    assert.deepStrictEqual([failure, shown], [["code 1: a"], own])
  })

  it("are without those of the runs inside it, at any depth, in one that did not fail too", () => {
    assert.deepStrictEqual(failureOf(["code 1: no"], step(["code 11: no"])), [])
    assert.deepStrictEqual(failureOf(["no", "details"], step(["code 11: no"])), ["details"])
    assert.deepStrictEqual(failureOf(["[web]: no"], step(["code 11: no"])), ["[web]: …"])
    assert.deepStrictEqual(failureOf(["code 1: b of a"], step(["a"], { nested: [step(["b"])] })), ["code 1: … of …"])
    assert.deepStrictEqual(failureOf(["b"], step(["b"], { state: "done", nested: [step(["c"])] })), ["b"])
    assert.deepStrictEqual(failureOf(["c"], step(["b"], { state: "done", nested: [step(["c"])] })), [])
  })

  it("are without the longest of them first, and as they are where nothing was said inside", () => {
    assert.deepStrictEqual(failureOf(["x: no address left"], step(["no"]), step(["no address"])), ["x: … left"])
    assert.deepStrictEqual(failureOf(["a"], step([""])), ["a"])
  })

  it("are not less where the code is inside the message", () => {
    assert.deepStrictEqual(failureOf(["a code 1: no b"], step(["a code 1: no b"])), [])
    assert.deepStrictEqual(failureOf(["no"], step(["a code 1: no"])), ["no"])
  })
})

describe("the output of a plugin that failed", () => {
  it("is without the lines that the plugins inside it wrote", () => {
    const nested = [step([], { plugin: plugin(["a", "b"], ["c"]) }), step([])]
    const removed = Repetition.removed(step([], { nested, plugin: plugin(["a", "x", "c"], ["b", "y"]) })).plugin
    assert.deepStrictEqual(removed, plugin(["x"], ["y"]))
  })

  it("is as it was where it repeats nothing", () => {
    const own = { ...plugin(["x"]), stderr: { lines: ["x"], linesBefore: 5, charactersAfter: 1 } }
    const nested = [step([], { plugin: plugin(["a"]) })]
    assert.deepStrictEqual(Repetition.removed(step([], { nested, plugin: own })).plugin, own)
  })
})
