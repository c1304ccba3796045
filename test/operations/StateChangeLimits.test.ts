/** How much of what changed is kept. */
import { assert, describe, it } from "@effect/vitest"
import * as StateChanges from "../../src/operations/StateChanges.ts"

const facts = (count: number) => Array.from({ length: count }, (_, index) => `link${index}`)

const bounded = (full: boolean, added: ReadonlyArray<string>, removed: ReadonlyArray<string> = []) => {
  const found = {
    changes: { host: { links: { added, removed } }, container: { routes: { added, removed } } },
    notes: ["a"]
  }
  const { changes, notes, ...rest } = StateChanges.bounded(found as never, full)
  return { host: changes.host?.["links"], container: changes.container?.["routes"], notes, rest }
}

describe("what changed", () => {
  for (const [full, most, longest] of [[false, 500, 500], [true, 5000, 4096]] as const) {
    it(`has at most ${most} facts of ${longest} characters ${full ? "with" : "without"} --full`, () => {
      const { container, host, notes } = bounded(full, facts(most), ["x".repeat(longest)])
      for (const kept of [host, container]) {
        assert.deepStrictEqual(kept, { added: facts(most), removed: ["x".repeat(longest)] })
      }
      assert.deepStrictEqual(notes, ["a"])
      const more = bounded(full, facts(most + 2), [...facts(most), "y"])
      assert.deepStrictEqual([more.host?.added.length, more.host?.removed.length], [most, most])
      assert.deepStrictEqual(more.notes, [
        "a",
        "3 more changes of host links are in the log",
        "3 more changes of container routes are in the log"
      ])
      assert.deepStrictEqual(bounded(full, ["x".repeat(longest + 1)]).host?.added, [`${"x".repeat(longest)}…`])
    })
  }

  it("has a time, a duration and places only where it had them", () => {
    assert.deepStrictEqual(StateChanges.bounded({ changes: {} }, false), { changes: {}, notes: [] })
    const timed = { changes: {}, time: "2026-11-24T10:00:00.000Z", durationMs: 3 }
    assert.deepStrictEqual(StateChanges.bounded(timed, false), { ...timed, notes: [] })
  })
})
