/** What is different between two operations, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../../src/operations/Collector.ts"
import type { Comparison } from "../../../src/operations/Comparison.ts"
import * as ComparisonText from "../../../src/render/terminal/ComparisonText.ts"
import * as Style from "../../../src/render/terminal/Style.ts"
import { read, wrapped } from "../../operations/records.ts"

const nothing: Comparison = { configuration: [], plugins: [], results: [], changes: [], times: [], notes: [] }

const sided = (log: string, members: object = {}): ComparisonText.Sided => {
  const [operation] = Collector.operations(read(wrapped("1", { type: "bridge", start: 0, took: 5, members })))
  if (operation === undefined) throw new Error("no operation")
  return { log, operation }
}

const [good, bad] = [sided("good.jsonl"), sided("bad.jsonl", { containerId: "77ab01de9f00" })]

const styled = (width: number, isColoured = false) =>
  ComparisonText.make(Style.make({ isTerminal: true, width, minutesEast: () => 60 }, isColoured))

const pair = (comparison: Partial<Comparison>, width = 200) =>
  styled(width).pair(good, bad, { ...nothing, ...comparison })

const heads: readonly [string, string] = [
  "- ADD eth0 of 5c01f03d8d6d on podman  2026-11-24 11:00:00.000 +01:00  good.jsonl",
  "+ ADD eth0 of 77ab01de9f00 on podman  2026-11-24 11:00:00.000 +01:00  bad.jsonl"
]

const id = "0123456789abcdef".repeat(4)

describe("differences as lines", () => {
  it("stand in their sections, after the two operations, with the notes in the end", () => {
    const comparison: Comparison = {
      configuration: [{ kind: "changed", what: "bridge: mtu: 1500 → 1450" }],
      plugins: [{ kind: "removed", what: "tuning" }],
      results: [{ kind: "added", what: "a result" }],
      changes: [{ kind: "added", what: `bridge added link of ${id}` }],
      times: [{ kind: "changed", what: "bridge: 1 ms → 90 ms" }],
      notes: ["first", "second"]
    }
    assert.deepStrictEqual(pair(comparison), [
      ...heads,
      "configuration",
      "  ~ bridge: mtu: 1500 → 1450",
      "plugins",
      "  - tuning",
      "results",
      "  + a result",
      "changes",
      "  + bridge added link of 0123456789ab",
      "times",
      "  ~ bridge: 1 ms → 90 ms",
      "first",
      "second"
    ])
  })

  it("are none where nothing is different, whatever the notes say", () => {
    assert.deepStrictEqual(pair({ notes: ["note"] }), [...heads, "no difference", "note"])
  })

  it("are fifty of a section, and the number of the others", () => {
    const list = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ kind: "added", what: `line ${index + 1}` }) as const)
    assert.deepStrictEqual(pair({ results: list(50) }).slice(-2), ["  + line 49", "  + line 50"])
    assert.deepStrictEqual(pair({ results: list(52) }).slice(-2), ["  + line 50", "  … 2 more"])
  })

  it("are cut after a thousand characters, and broken to the width of the screen", () => {
    const what = (length: number) => pair({ results: [{ kind: "added", what: "x".repeat(length) }] }, 2000).at(-1)
    assert.strictEqual(what(996), `  + ${"x".repeat(996)}`)
    assert.strictEqual(what(997), `  + ${"x".repeat(996)}…`)
    assert.deepStrictEqual(pair({ results: [{ kind: "added", what: "one two three" }] }, 12).slice(-2), [
      "  + one two",
      "  three"
    ])
  })

  it("have the colours of what is only in the first, only in the second, and in both", () => {
    const { bold, dim, green, red, yellow } = Style.make({ isTerminal: true, width: 200, minutesEast: () => 60 }, true)
    const comparison: Comparison = {
      ...nothing,
      results: [{ kind: "removed", what: "a" }, { kind: "added", what: "b" }, { kind: "changed", what: "c" }],
      notes: ["note"]
    }
    assert.deepStrictEqual(styled(200, true).pair(good, bad, comparison), [
      bold(red(heads[0])),
      bold(green(heads[1])),
      bold("results"),
      red("  - a"),
      green("  + b"),
      yellow("  ~ c"),
      dim("note")
    ])
  })

  it("have no control characters of a log", () => {
    const evil = sided("a\u001b.jsonl", { network: "\u001b[2J" })
    const drawn = [
      ...styled(200).pair(evil, evil, { ...nothing, notes: ["\u001b"] }),
      ...styled(200).alone(evil, "removed")
    ]
    assert.notMatch(drawn.join(""), /\u001b/) // oxlint-disable-line no-control-regex
  })

  it("name no more of an operation than its records do", () => {
    const members = { containerId: undefined, ifname: undefined, network: "" }
    assert.strictEqual(
      styled(200).alone(sided("a", members), "added")[0],
      "+ ADD  2026-11-24 11:00:00.000 +01:00  a"
    )
  })
})

describe("an operation without another one", () => {
  it("is named, with the side that it is on", () => {
    const other = "the other log has no such operation on this network"
    assert.deepStrictEqual(styled(200).alone(good, "removed"), [heads[0], other])
    assert.deepStrictEqual(styled(200).alone(bad, "added"), [heads[1], other])
  })

  it("is a member of a document", () => {
    const { first, second } = ComparisonText.json(good, bad, nothing) as { first: object; second: object }
    assert.deepStrictEqual(ComparisonText.jsonAlone(good, "first"), { first })
    assert.deepStrictEqual(ComparisonText.jsonAlone(bad, "second"), { second })
  })
})

describe("differences as JSON", () => {
  const name = (log: string, containerId: string) => ({
    log,
    command: "ADD",
    containerId,
    ifname: "eth0",
    network: "podman",
    time: "2026-11-24T10:00:00.000Z"
  })
  const { notes: _, ...sections } = nothing
  const named = { first: name("good.jsonl", "5c01f03d8d6d"), second: name("bad.jsonl", "77ab01de9f00"), ...sections }

  it("have all sections, and notes where there are some", () => {
    assert.deepStrictEqual(ComparisonText.json(good, bad, nothing), named)
    const results = [{ kind: "added", what: "a result" }] as const
    assert.deepStrictEqual(ComparisonText.json(good, bad, { ...nothing, results, notes: ["note"] }), {
      ...named,
      results,
      notes: ["note"]
    })
  })
})
