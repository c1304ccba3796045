import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as JsonFormat from "../../../src/record/JsonFormat.ts"
import * as PageOperations from "../../../src/render/html/PageOperations.ts"
import { chained, wrapped } from "../../operations/records.ts"

const made = (lines: ReadonlyArray<string>) => {
  const operations = new PageOperations.PageOperations()
  for (const [index, line] of lines.entries()) {
    const record = JsonFormat.read(line)
    if (record !== undefined) operations.add(record, index)
  }
  return operations.all().map((operation) => operations.pageOf(operation))
}

const make = (records: ReadonlyArray<object>) => made(records.map((record) => JSON.stringify(record)))

const failed = { event: "error", error: { code: 11, msg: "no addresses" } }

describe("an operation of a page", () => {
  it("has its plugins inside each other, with when each began and which records are about it", () => {
    const [outer = {}, ...rest] = wrapped("1", {
      type: "bridge",
      start: 0,
      took: 400,
      outcome: { exitCode: 1 },
      end: failed
    })
    const inner = wrapped("2", { type: "host-local", start: 100, took: 80, members: { parent: "1" }, end: failed })
    const [operation] = make([outer, ...inner, ...rest])
    const [bridge] = operation?.steps ?? []
    const [hostLocal] = bridge?.nested ?? []
    assert.deepStrictEqual([bridge?.title, bridge?.start, bridge?.durationMs, bridge?.records], ["bridge", 0, 400, [
      0,
      4,
      5
    ]])
    assert.deepStrictEqual([hostLocal?.title, hostLocal?.start, hostLocal?.records], ["host-local", 100, [1, 2, 3]])
    assert.strictEqual(operation?.failure, "host-local in bridge: code 11: no addresses")
  })

  it("has no start of a run where that has no date", () => {
    const [first = {}, ...rest] = chained
    const starts = (time: string) =>
      make([{ ...first, time }, ...rest]).flatMap(({ steps }) =>
        steps.filter(({ kind }) => kind === "tap").map(({ start }) => start)
      )
    assert.deepStrictEqual(starts("2026-11-24T10:00:00.000Z"), [0, 40])
    assert.deepStrictEqual(starts("never"), [0, undefined])
  })

  it("has plugins between taps, which no record is about", () => {
    const [operation] = make(chained)
    assert.deepStrictEqual(
      operation?.steps.map(({ kind, records, title }) => [kind, title, records]),
      [["tap", "before-portmap", [0, 1, 2]], ["between", "portmap", undefined], ["tap", "after-portmap", [3, 4, 5]]]
    )
  })

  it("has what its DEL left, and tells what others changed from what its plugins did", () => {
    const fixture = (name: string) =>
      made(
        Fs.readFileSync(new URL(`../../fixtures/changes/${name}.jsonl`, import.meta.url), "utf8").trimEnd().split("\n")
      )
    assert.deepStrictEqual(fixture("debian-plugins").flatMap(({ leftovers = [] }) => leftovers), [
      "filter CNI-FORWARD: to 10.91.0.2 state related,established accept",
      "filter CNI-FORWARD: from 10.91.0.2 accept"
    ])
    const [step] = fixture("meanwhile")[0]?.steps ?? []
    assert.isAbove(step?.stateChanges?.length ?? 0, 0)
    assert.isAbove(step?.othersChanges?.length ?? 0, 0)
    assert.deepStrictEqual(Object.keys(step?.othersChanges?.[0] ?? {}), ["kind", "what"])
  })
})
