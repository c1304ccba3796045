/** What runtimes ask again and again is one line for each time that it goes well without a break. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import * as Polling from "../../src/operations/Polling.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import { at, common, plugin } from "./records.ts"

/** A STATUS of a plugin that takes 10 ms and more. */
const status = (number: number, isBad = false, command = "STATUS") => {
  const time = number * 5000
  const context = (moment: number) => ({
    ...common(`${command}${number}`, moment, "bridge"),
    command,
    containerId: undefined,
    ifname: undefined,
    netns: undefined
  })
  const end = isBad ? { event: "error", error: { code: 50, msg: "not ready" } } : { event: "result" }
  return [
    { ...context(time), event: "request", config: { type: "bridge" } },
    { ...context(time + 10), event: "plugin", plugin: { ...plugin, type: "bridge" }, durationMs: 10 },
    { ...context(time + 10 + number), ...end, durationMs: 10 }
  ]
}

const folded = (...records: ReadonlyArray<object>) => {
  const read = records.map((record) => JsonFormat.read(JSON.stringify(record)))
  const operations = Collector.operations(read.filter((record) => record !== undefined))
  return Polling.fold(operations).map((each) =>
    "operations" in each ? Polling.inWords(each) : `${each.request.command} at ${each.time}`
  )
}

describe("operations that are polled", () => {
  it("are one line as long as they go well, with how often and how long", () => {
    const all = Array.from({ length: 100 }, (_, number) => status(number)).flat()
    assert.deepStrictEqual(folded(...all), ["100 times in 8 min, 10 to 109 ms"])
    assert.deepStrictEqual(folded(...status(0)), ["10 ms"])
  })

  it("went on for a time in one unit", () => {
    const times: ReadonlyArray<readonly [seconds: number, words: string]> = [
      [119, "119 s"],
      [120, "2 min"],
      [7199, "120 min"],
      [7200, "2 h"]
    ]
    for (const [seconds, words] of times) {
      const late = status(1).map((record) => ({
        ...record,
        time: at(Date.parse(record.time) - Date.parse(at(5000)) + seconds * 1000)
      }))
      const [line = ""] = folded(...status(0), ...late)
      assert.isTrue(line.startsWith(`2 times in ${words}, `), line)
    }
  })

  it("are told where they begin to fail, and where they go well again", () => {
    assert.deepStrictEqual(
      folded(...status(0), ...status(1), ...status(2, true), ...status(3), ...status(4)),
      ["2 times in 5 s, 10 to 11 ms", `STATUS at ${at(10_000)}`, "2 times in 5 s, 13 to 14 ms"]
    )
  })

  it("are not those of another kind, which stay as they are", () => {
    assert.deepStrictEqual(
      folded(...status(0), ...status(1, false, "VERSION"), ...status(2, false, "CHECK"), ...status(3)),
      ["2 times in 15 s, 10 to 13 ms", "11 ms", `CHECK at ${at(10_000)}`]
    )
  })
})
