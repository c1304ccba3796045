/** Lines of two sides, and runs of both. */
import { assert, describe, it } from "@effect/vitest"
import * as AttachmentIdentity from "../../src/operations/AttachmentIdentity.ts"
import * as Collector from "../../src/operations/Collector.ts"
import * as ComparisonSide from "../../src/operations/ComparisonSide.ts"
import { read, wrapped } from "./records.ts"

describe("the lines of which one side has more", () => {
  const signs = { added: "+", removed: "-", changed: "~" }
  const more = (left: string, right: string) =>
    ComparisonSide.lines(left.split(" "), right.split(" ")).map(({ kind, what }) => `${signs[kind]}${what}`).join(" ")

  it("are told as often as they are missing on the other", () => {
    assert.strictEqual(more("a b c", "c a b"), "")
    assert.strictEqual(more("a b", "b c"), "-a +c")
    assert.strictEqual(more("a a a", "a"), "-a -a")
    assert.strictEqual(more("a", "a a b a"), "+a +b +a")
  })
})

describe("the runs of an operation", () => {
  const tuning = { type: "tuning", took: 1, config: { type: "tuning" } }
  const [operation] = Collector.operations(read([
    ...wrapped("b", { type: "bridge", start: 0, took: 50 }),
    ...wrapped("i", { type: "host-local", start: 5, took: 1, members: { parent: "b" } }),
    ...wrapped("j", { type: "host-local", start: 9, took: 1, members: { parent: "b" } }),
    ...wrapped("d", { type: "host-local", start: 15, took: 1, members: { parent: "b", command: "DEL" } }),
    ...wrapped("t", { ...tuning, start: 60 }),
    ...wrapped("u", { ...tuning, start: 70, config: { type: "tuning", mtu: 1400 } })
  ]))

  it("are known by their names, with the plugin around them and their number", () => {
    if (operation === undefined) throw new Error("no operation")
    const marks = AttachmentIdentity.of(operation.steps)
    const { runs } = ComparisonSide.side(operation, marks, marks)
    assert.deepStrictEqual([...runs.values()].map(({ isNested, name }) => [name, isNested]), [
      ["bridge", false],
      ["bridge › host-local", true],
      ["bridge › host-local (2)", true],
      ["bridge › host-local DEL", true],
      ["tuning", false],
      ["tuning (2)", false]
    ])
    assert.deepStrictEqual([...runs.keys()], [...runs.values()].map(({ name }) => name))
  })
})
