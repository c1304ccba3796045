/** Which records belong together. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import * as Operation from "../../src/operations/Operation.ts"
import * as View from "../../src/operations/View.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"
import { called, chained, common, hook, plugin, read, wrapped } from "./records.ts"

const records = read(chained)

/** The same records, told apart by `mark`, of another hour. */
const again = (mark: string, hour: string, members: Partial<Record> = {}): ReadonlyArray<Record> =>
  records.map((record) => ({
    ...record,
    ...members as object,
    invocation: `${record.invocation}${mark}`,
    time: record.time.replace("T10", hour)
  }))

const shape = (operations: ReadonlyArray<Operation.Operation>) =>
  operations.map(({ request, steps }) => [request.command, ...steps.map(({ title }) => title)])

describe("the title of a run", () => {
  const titleOf = (label: string | undefined, type: string) => {
    const run = wrapped("1", { type, start: 0, took: 5, members: { label } })
    return shape(Collector.operations(read(run)))[0]?.[1]
  }

  it("is its label where that begins with the type of its plugin, and else that type", () => {
    assert.strictEqual(titleOf("bridge", "bridge"), "bridge")
    assert.strictEqual(titleOf("bridge of pods", "bridge"), "bridge of pods")
    assert.strictEqual(titleOf("node-1", "bridge"), "bridge")
    assert.strictEqual(titleOf(undefined, "bridge"), "bridge")
    assert.strictEqual(titleOf("node-1", "passthrough"), "node-1")
  })
})

describe("a hook", () => {
  it("is compared with the one of its number at the step before, where a command is there several times", () => {
    const ran = (invocation: string, time: number, command: string, stdout: string) => ({
      ...common(invocation, time),
      event: "hook",
      hook: { ...hook, command, stdout },
      durationMs: 1
    })
    const tap = (invocation: string, time: number, ...outputs: ReadonlyArray<readonly [string, string]>) => [
      { ...common(invocation, time, invocation), event: "request" },
      ...outputs.map(([command, stdout], index) => ran(invocation, time + 1 + index, command, stdout)),
      { ...common(invocation, time + 9, invocation), event: "result", durationMs: 9 }
    ]
    const [operation] = Collector.operations(read([
      ...tap("one", 0, ["ip", "a\nb\n"], ["ip", "c\nd\n"], ["nft", "e\n"]),
      ...tap("two", 20, ["nft", "e\n"], ["ip", "a\nb\n"], ["ip", "c\nx\n"], ["ip", "c\n"])
    ]))
    if (operation === undefined) throw new Error("no operation")
    const differences = View.make(operation).steps.map(({ hooks }) => hooks.map(({ difference }) => difference))
    assert.deepStrictEqual(differences, [
      [undefined, undefined, undefined],
      [
        [],
        [],
        [{ kind: "same", what: "c" }, { kind: "removed", what: "d" }, { kind: "added", what: "x" }],
        undefined
      ]
    ])
  })
})

describe("taps of one label", () => {
  it("are the same one, whatever their configurations say; without a label these tell them apart", () => {
    const tap = (invocation: string, start: number, label: string | undefined, note: string) => [
      { ...common(invocation, start, label), event: "request", config: { type: "passthrough", note } },
      { ...common(invocation, start + 1, label), event: "result", durationMs: 1 }
    ]
    const operations = (label: string | undefined, note: string) =>
      Collector.operations(read([...tap("1", 0, label, "a"), ...tap("2", 9, label, note)])).length
    assert.strictEqual(operations("one", "b"), 2)
    assert.strictEqual(operations(undefined, "b"), 1)
    assert.strictEqual(operations(undefined, "a"), 2)
  })
})

describe("records", () => {
  it("of the same tap, or of another verb, are another operation", () => {
    const found = Collector.operations([...again("\"", "T12", { command: "DEL" }), ...records, ...again("'", "T11")])
    assert.deepStrictEqual(shape(found), [
      ["ADD", "before-portmap", "after-portmap"],
      ["ADD", "before-portmap", "after-portmap"],
      ["DEL", "before-portmap", "after-portmap"]
    ])
  })

  describe("of one ID, of plugins that were called one by one,", () => {
    const prevResult = { cniVersion: "1.0.0" }
    const error = { event: "error", error: { code: 1, msg: "no" } }
    const result = { event: "result", result: prevResult }
    const run = (type: string, start: number, end: object, members = {}, config: object = { type, prevResult }) =>
      wrapped(type, { type, start, took: 5, end, members, config })
    const found = (...runs: ReadonlyArray<ReadonlyArray<object>>) => shape(Collector.operations(read(runs.flat())))

    it("are one operation where each got the result of the one before it", () => {
      assert.deepStrictEqual(found(run("bridge", 0, result), run("portmap", 9, result), run("tuning", 18, error)), [
        ["ADD", "bridge", "portmap", "tuning"]
      ])
    })

    it("are operations of their own in different namespaces", () => {
      const inOther = { netns: "/run/netns/other" }
      assert.deepStrictEqual(found(run("bridge", 0, result), run("portmap", 9, result, inOther)), [
        ["ADD", "bridge"],
        ["ADD", "portmap"]
      ])
      // At the same time too.
      const runs = [run("bridge", 0, result), run("ptp", 2, result, inOther)]
      assert.deepStrictEqual(found(...runs, run("portmap", 9, result), run("tuning", 11, result, inOther)), [
        ["ADD", "bridge", "portmap"],
        ["ADD", "ptp", "tuning"]
      ])
    })

    it("are operations of their own after one that failed, but in a DEL, which may go on", () => {
      for (const command of ["ADD", "CHECK", "STATUS"]) {
        assert.deepStrictEqual(found(run("bridge", 0, error, { command }), run("portmap", 9, result, { command })), [
          [command, "bridge"],
          [command, "portmap"]
        ])
      }
      const command = "DEL"
      assert.deepStrictEqual(found(run("bridge", 0, error, { command }), run("portmap", 9, result, { command })), [
        ["DEL", "bridge", "portmap"]
      ])
    })

    it("are an ADD of its own where one got no result, after one that gave one", () => {
      assert.deepStrictEqual(found(run("bridge", 0, result), run("ptp", 9, result, {}, { type: "ptp" })), [
        ["ADD", "bridge"],
        ["ADD", "ptp"]
      ])
      const command = "DEL"
      assert.deepStrictEqual(
        found(run("bridge", 0, result, { command }), run("ptp", 9, result, { command }, { type: "ptp" })),
        [["DEL", "bridge", "ptp"]]
      )
    })

    it("are one operation where the configuration of the second is not shown", () => {
      const [request = {}, ...rest] = run("portmap", 9, result)
      assert.deepStrictEqual(found(run("bridge", 0, result), [{ ...request, config: "[redacted]" }, ...rest]), [
        ["ADD", "bridge", "portmap"]
      ])
    })
  })

  it("of taps without labels are told apart by their configurations, without what changes", () => {
    const tap = (invocation: string, time: number, config: object) => [
      { ...common(invocation, time), event: "request", config: { type: "passthrough", ...config } },
      { ...common(invocation, time + 1), event: "result", durationMs: 1 }
    ]
    const chain = (time: number) => [
      ...tap(`${time}a`, time, { x: 1, prevResult: { time } }),
      ...tap(`${time}b`, time + 5, { x: 2, prevResult: { time } })
    ]
    assert.deepStrictEqual(shape(Collector.operations(read([...chain(0), ...chain(100)]))), [
      ["ADD", "passthrough", "passthrough"],
      ["ADD", "passthrough", "passthrough"]
    ])
  })

  it("are put together in whatever order they come", () => {
    assert.deepStrictEqual(
      Collector.operations(records.toReversed()).map(View.make),
      Collector.operations(records).map(View.make)
    )
  })

  it("of a run that was killed say that it failed", () => {
    const [operation] = Collector.operations(records.slice(0, 2))
    assert.isTrue(operation !== undefined && Operation.hasFailed(operation))
  })

  it("of a run without its request are passed over", () => {
    assert.deepStrictEqual(Collector.operations(records.slice(1, 3)), [])
  })

  it("of a failed hook say that it failed, even where the request did not", () => {
    const request = { ...common("1", 0, "tap"), event: "request" }
    const end = { ...common("1", 1), event: "result", durationMs: 1 }
    const ran = (exitCode: number) => ({ ...common("1", 1), event: "hook", hook: { ...hook, exitCode }, durationMs: 1 })
    const failed = (lines: ReadonlyArray<object>) => Collector.operations(read(lines)).map(Operation.hasFailed)
    assert.deepStrictEqual(failed([request, ran(1), end]), [true])
    assert.deepStrictEqual(failed([request, ran(0), end]), [false])
  })

  it("of members called like those of every object are nothing special", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      const named = chained.map((record) => ({
        ...record,
        invocation: name,
        containerId: name,
        network: name,
        label: name
      }))
      assert.strictEqual(Collector.operations(read(named)).length, 1)
    }
  })

  it("keep no more than the last lines of what programs wrote", () => {
    const stdout = Array.from({ length: 100_000 }, (_, index) => `line ${index}`).join("\n")
    const ran = { ...common("1", 1), event: "hook", hook: { ...hook, stdout }, durationMs: 1 }
    const [operation] = Collector.operations(read([{ ...common("1", 0), event: "request" }, ran]))
    const kept = operation?.steps[0]?.hooks[0]?.stdout
    assert.strictEqual(kept?.lines.length, 12)
    assert.strictEqual(kept?.lines.at(-1), "line 99999")
    assert.strictEqual(kept?.linesBefore, 99_988)
  })

  it("that were shown are forgotten", () => {
    const collector = new Collector.Collector()
    for (const record of records) collector.add(record)
    for (const operation of collector.operations()) collector.forget(operation)
    assert.deepStrictEqual(collector.operations(), [])
  })

  it("are nothing else than what the plugin logs", () => {
    for (
      const line of ["", "{", "[]", "null", `{"event":"request"}`, `{"time":1,"event":"request","invocation":"x"}`]
    ) {
      assert.isUndefined(JsonFormat.read(line))
    }
  })
})

describe("the view of an operation", () => {
  const view = (lines: ReadonlyArray<object>) => Collector.operations(read(lines)).map(View.make)[0]

  it("has what happened before the first tap, and the plugin that stands between two with what it did", () => {
    const steps = view(chained)?.steps.map(({ changes, changesBefore, title }) => [title, changesBefore, changes])
    assert.deepStrictEqual(steps, [
      ["before-portmap", [{ kind: "added", what: "address 10.88.0.2/16 (gateway 10.88.0.1)" }], []],
      ["portmap", [], [{ kind: "added", what: "dns nameservers [\"10.88.0.1\"]" }]],
      ["after-portmap", [], []]
    ])
  })

  it("of another verb begins with the result of the ADD, which is not its own doing", () => {
    const del = chained.map((record) => ({ ...record, command: "DEL" }))
    assert.deepStrictEqual(view(del)?.steps[0]?.changesBefore, [])
  })

  it("has the whole time from its first record to its last", () => {
    assert.strictEqual(view(chained)?.durationMs, 47)
    assert.isUndefined(view(chained.slice(0, 4))?.durationMs)
  })

  it("has how a plugin ended, and its own time", () => {
    const step = (outcome: object, end: object) => view(called(outcome, end))?.steps[0]
    const succeeded = step({}, { event: "result", result: { cniVersion: "1.0.0" } })
    assert.deepStrictEqual([succeeded?.state, succeeded?.plugin?.ending, succeeded?.durationMs], [
      "done",
      "exit status 0",
      12.5
    ])
    const killed = step({ exitCode: null, signal: "SIGSEGV" }, { event: "error", error: { msg: "killed by SIGSEGV" } })
    assert.deepStrictEqual([killed?.state, killed?.plugin?.ending, killed?.failure], ["failed", "SIGSEGV", [
      "killed by SIGSEGV"
    ]])
  })

  it("says of a plugin without an end after it that it is not finished", () => {
    const step = view([{ ...common("1", 0), event: "request" }, {
      ...common("1", 1),
      event: "plugin",
      plugin,
      durationMs: 1
    }])
    assert.strictEqual(step?.steps[0]?.state, "unfinished")
  })
})
