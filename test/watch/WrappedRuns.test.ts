/** Which run of a wrapped plugin covers a moment. */
import { assert, describe, it } from "@effect/vitest"
import type { Record } from "../../src/record/Record.ts"
import { WrappedRuns } from "../../src/watch/WrappedRuns.ts"

const start = Date.parse("2026-11-30T12:00:00.000Z")
const at = (ms: number): string => new Date(start + ms).toISOString()

const begins = (invocation: string, ms: number, more: Partial<Record> = {}): Record => ({
  event: "request",
  time: at(ms),
  invocation,
  command: "ADD",
  containerId: "web",
  ifname: "eth0",
  network: "pods",
  label: "bridge",
  config: "{\"type\":\"bridge\"}",
  ...more
} as Record)

const ends = (invocation: string, ms: number): Record => ({
  event: "result",
  time: at(ms),
  invocation,
  durationMs: 1
})

/** The plugins during whose runs something happened. */
const pluginsDuring = (records: ReadonlyArray<Record>, from: number, to: number) => {
  const runs = new WrappedRuns()
  for (const record of records) runs.add(record, start)
  return runs.during({ from: start + from, to: start + to }).map(({ plugin }) => plugin)
}

describe("a change", () => {
  const run = [begins("a", 100), ends("a", 200)]

  it("falls into the run that had begun and not ended", () => {
    assert.deepStrictEqual(pluginsDuring(run, 150, 150), ["bridge"])
  })

  it("falls into no run before it begins or after it ended", () => {
    assert.deepStrictEqual(pluginsDuring(run, 50, 90), [])
    assert.deepStrictEqual(pluginsDuring(run, 210, 220), [])
  })

  it("falls into a run that has not ended", () => {
    assert.deepStrictEqual(pluginsDuring([begins("a", 100)], 5000, 5000), ["bridge"])
  })

  it("falls into the inner run, and not also into the one that started it", () => {
    const inner = begins("b", 120, { label: "host-local", parent: "a" })
    assert.deepStrictEqual(pluginsDuring([begins("a", 100), inner], 130, 130), ["host-local"])
  })

  it("falls into the outer run if the inner one did not last for the whole time", () => {
    const inner = begins("b", 120, { label: "host-local", parent: "a" })
    assert.deepStrictEqual(pluginsDuring([begins("a", 100), inner, ends("b", 140)], 130, 180), ["bridge"])
  })

  it("falls into all runs at that time", () => {
    const other = begins("b", 120, { label: "portmap", containerId: "db" })
    assert.deepStrictEqual(pluginsDuring([begins("a", 100), other], 130, 130), ["bridge", "portmap"])
  })
})

it("a tap is named as a tap, whatever its label is", () => {
  const tap = begins("a", 100, { label: "after-bridge", config: "{\"type\":\"passthrough\"}" })
  assert.deepStrictEqual(pluginsDuring([tap], 150, 150), ["passthrough"])
})

it("an old log has no runs that count as running", () => {
  assert.deepStrictEqual(pluginsDuring([begins("a", -3_600_000)], 0, 0), [])
})
