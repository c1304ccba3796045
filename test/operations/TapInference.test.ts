/** Which plugin stands between two taps. */
import { assert, describe, it } from "@effect/vitest"
import * as TapInference from "../../src/operations/TapInference.ts"

const tap = (title: string): TapInference.Neighbour => ({ title, isTap: true })
const plugin = (title: string): TapInference.Neighbour => ({ title, isTap: false })

describe("the plugin between two steps", () => {
  const cases: ReadonlyArray<
    readonly [
      left: TapInference.Neighbour | undefined,
      right: TapInference.Neighbour | undefined,
      name: string | undefined
    ]
  > = [
    [tap("before-portmap"), tap("after-portmap"), "portmap"],
    [tap("before-portmap"), tap("other"), "portmap"],
    [tap("other"), tap("after-portmap"), "portmap"],
    [tap("before-bridge"), tap("after-portmap"), "bridge … portmap"],
    [undefined, tap("after-bridge"), "bridge"],
    [tap("before-bridge"), undefined, "bridge"],
    [tap("after-bridge"), tap("before-portmap"), undefined],
    [tap("one"), tap("two"), undefined],
    [undefined, undefined, undefined],
    [plugin("before-portmap"), plugin("after-portmap"), undefined],
    // It is one of the two itself.
    [tap("before-portmap"), plugin("portmap"), undefined],
    [plugin("portmap"), tap("after-portmap"), undefined],
    [plugin("port map"), tap("after-port-map"), undefined],
    [plugin("portmap"), tap("after-portmap-2"), undefined],
    [plugin("portmap"), tap("after-portmap-x2"), "portmap-x2"],
    [plugin("portmap"), tap("after-hostmap-2"), "hostmap-2"],
    [plugin("portmap"), tap("after-portmapper"), "portmapper"],
    [tap("portmap"), tap("after-portmap"), "portmap"]
  ]
  it("is told by the names of taps, in the direction of the chain", () => {
    for (const [left, right, name] of cases) {
      assert.strictEqual(TapInference.plugin("ADD", left, right), name, JSON.stringify([left, right]))
    }
  })

  it("is told in a DEL against the direction of the chain", () => {
    assert.strictEqual(TapInference.plugin("DEL", tap("after-portmap"), tap("before-portmap")), "portmap")
    assert.strictEqual(TapInference.plugin("DEL", tap("after-portmap"), tap("after-bridge")), "portmap")
    assert.isUndefined(TapInference.plugin("DEL", tap("before-portmap"), tap("after-bridge")))
  })

  it("is told in words where no name tells", () => {
    assert.strictEqual(TapInference.words("ADD", tap("before-portmap"), tap("two")), "portmap")
    assert.strictEqual(TapInference.words("ADD", tap("one"), tap("two")), "the plugin after one")
    assert.strictEqual(TapInference.words("ADD", undefined, tap("two")), "the plugin before two")
  })
})

describe("a tap", () => {
  it("is named after a plugin with a word before it", () => {
    assert.deepStrictEqual(
      [tap("before-x"), tap("after-x"), tap("x"), tap("beforex"), plugin("before-x")].map(TapInference.isNamed),
      [true, true, false, false, false]
    )
  })

  it("tells of the plugin before it in those verbs in which a runtime stops at a failure", () => {
    for (const verb of ["ADD", "CHECK", "DEL", "STATUS"]) assert.isTrue(TapInference.isTold(verb))
    for (const verb of ["GC", "VERSION", "", undefined]) assert.isFalse(TapInference.isTold(verb))
  })
})
