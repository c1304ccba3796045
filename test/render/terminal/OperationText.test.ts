/** What people see, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../../src/operations/Collector.ts"
import * as View from "../../../src/operations/View.ts"
import type * as ViewStep from "../../../src/operations/ViewStep.ts"
import * as LineWrap from "../../../src/render/terminal/LineWrap.ts"
import * as OperationText from "../../../src/render/terminal/OperationText.ts"
import * as Style from "../../../src/render/terminal/Style.ts"
import { called, chained, common, hook, read, tapped, wrapped } from "../../operations/records.ts"
import * as CpuTime from "../../support/cpuTime.ts"

const style = (width: number, colour = false) => Style.make({ isTerminal: true, width, minutesEast: () => 60 }, colour)

const render = (
  records: ReadonlyArray<object | string>,
  options: { readonly width?: number; readonly colour?: boolean; readonly full?: boolean } = {}
) => {
  const { colour = false, full = false, width = 80 } = options
  const [operation] = Collector.operations(read(records), { full })
  if (operation === undefined) throw new Error("no operation")
  return OperationText.render(View.make(operation), style(width, colour), { full }).join("\n")
}

/** All text without the frame, as one line. */
const words = (drawn: string) => drawn.replace(/^[│├└─ ]*/gm, "").replace(/\s+/g, " ")

describe("an operation on a terminal", () => {
  it("fits into 80 columns", () => {
    assert.strictEqual(
      render(chained),
      `ADD eth0 of web (5c01f03d8d6d) on podman
✗ after-portmap: code 100: hook "false" failed with exit status 1
2026-11-24 11:00:00.000 +01:00  /run/netns/demo
│
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
├─ · before-portmap                                                14 ms
│   $ iptables -t nat -S  12.5 ms
│     -P INPUT
│     -P OUTPUT
├─ ✓ portmap                                                       26 ms
│   + dns nameservers ["10.88.0.1"]
├─ ✗ after-portmap                                                  7 ms
│   code 100: hook "false" failed with exit status 1
│   $ false  (exit status 1)  12.5 ms
│     \\u001b[31mred\\u001b[0m
└─ 47 ms in total`
    )
  })

  it("is wrapped on a narrow terminal: no line is longer, and no word is missing", () => {
    for (const width of [1, 5, 12, 30, 47]) {
      const drawn = render(chained, { width })
      if (width >= 12) { for (const line of drawn.split("\n")) assert.isAtMost(LineWrap.columns(line), width) }
      assert.strictEqual(drawn.replace(/[│├└─ \n]/g, ""), render(chained).replace(/[│├└─ \n]/g, ""))
    }
    assert.include(
      render(chained, { width: 30 }),
      `│   code 100: hook "false"
│     failed with exit status
│     1`
    )
  })

  it("has the signs and names of its steps in the colours of how they ended", () => {
    const { bold, dim, green, red } = style(100, true)
    const lines = (records: ReadonlyArray<object>, full = false) =>
      render(records, { colour: true, width: 100, full }).split("\n").filter((line) => /├|└.* \S/.test(line)).map((
        line
      ) => line.replace(/ {2,}\S*\[2m[\d.]+ ms\S*$/, ""))
    const line = (sign: string, name: string) => `${dim("├─")} ${sign} ${name}`
    const failed = { event: "error", error: { code: 1, msg: "no" } }
    assert.deepStrictEqual(lines(wrapped("b", { type: "bridge", start: 0, took: 5 })).slice(0, 1), [
      line(green("✓"), bold("bridge"))
    ])
    assert.deepStrictEqual(lines(wrapped("b", { type: "bridge", start: 0, took: 5, end: failed })).slice(0, 1), [
      line(red("✗"), bold("bridge"))
    ])
    const taps = ["after-portmap", "after-bridge"]
    assert.deepStrictEqual(lines(tapped("one", "DEL", 0, taps, { result: {} }), true).slice(0, 4), [
      line(dim("·"), dim("after-portmap")),
      line(green("✓"), bold("portmap")),
      line(dim("·"), dim("after-bridge")),
      line(dim("·"), dim("bridge  no tap after it"))
    ])
  })

  it("says with --full how a plugin ended that did not fail", () => {
    const records = wrapped("b", { type: "bridge", start: 0, took: 5 })
    assert.include(render(records, { full: true }), "\n│   exit status 0\n")
    assert.notInclude(render(records), "exit status")
  })

  it("has documents on one line where they are larger than a mebibyte", () => {
    const first = (length: number) => {
      const start = `{"type":"passthrough","x":"`
      const config = `${start}${"x".repeat(length - start.length - 2)}"}`
      const request = { ...common("1", 0), event: "request" }
      const drawn = render([`${JSON.stringify(request).slice(0, -1)},"config":${config}}`], { full: true })
      return drawn.split("\n").find((line) => line.includes("{"))?.trim()
    }
    assert.strictEqual(first(1_048_576), "│     {")
    assert.match(first(1_048_577) ?? "", /^│ {5}\{"type"/)
  })

  it("is the same at 120 columns and in colour, but for the colour", () => {
    const coloured = render(chained, { width: 120, colour: true })
    // oxlint-disable-next-line no-control-regex
    assert.strictEqual(coloured.replace(/\u001b\[\d+m/g, ""), render(chained, { width: 120 }))
    assert.include(coloured, "\u001b[32m✓\u001b[0m")
    assert.include(coloured, "\u001b[31m✗\u001b[0m")
    assert.include(coloured, "\u001b[32m+ dns nameservers [\"10.88.0.1\"]\u001b[0m")
  })

  it("has the first 12 characters of an ID of 64, and with --full all of them", () => {
    const id = "0123456789abcdef".repeat(4)
    const records = chained.map((record) => ({ ...record, containerId: id }))
    assert.include(render(records), "ADD eth0 of web (0123456789ab) on podman\n")
    assert.include(words(render(records, { full: true })), `ADD eth0 of web (${id}) on podman`)
  })

  it("has a time that is not a date as it was logged", () => {
    assert.include(
      render([{ ...common("1", 0), time: "yesterday", event: "request" }]),
      "\nyesterday  /run/netns/demo\n"
    )
  })

  it("has with --full what went into and came out of each plugin", () => {
    const drawn = render(chained, { full: true })
    assert.include(drawn, "│   CNI_ARGS=K8S_POD_NAME=web\n│   stdin\n│     {\n│       \"type\": \"passthrough\",\n")
    assert.include(drawn, "│   stdout\n│     {\n│       \"cniVersion\": \"1.0.0\",\n")
  })
})

describe("a plugin on a terminal", () => {
  it("that succeeded is drawn with what it did, its own time, and its stderr", () => {
    const result = {
      cniVersion: "1.0.0",
      ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }],
      routes: [{ dst: "::/0" }]
    }
    assert.strictEqual(
      render(called({ stderr: "careful\n" }, { event: "result", result })),
      `ADD eth0 of 5c01f03d8d6d on podman
2026-11-24 11:00:00.000 +01:00  /run/netns/demo
│
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
├─ ✓ portmap                                                     12.5 ms
│   + route ::/0
│   stderr:
│     careful
└─ 14 ms in total`
    )
  })

  describe("with many lines of stderr", () => {
    const stderr = Array.from({ length: 214 }, (_, index) => `debug ${index}`).join("\n")
    const result = { event: "result", result: { cniVersion: "1.0.0" } }

    it("that went well has one line for them, and with --full all", () => {
      const drawn = render(called({ stderr }, result))
      assert.include(drawn, "\n│   stderr: 214 lines, --full shows them\n└─")
      assert.notInclude(drawn, "debug")
      const full = render(called({ stderr }, result), { full: true })
      assert.include(full, "│   stderr:\n│     debug 0\n│     debug 1\n")
      assert.notInclude(full, "shows them")
    })

    it("that failed has the last of them", () => {
      const drawn = render(called({ exitCode: 1, stderr }, { event: "error", error: { code: 1, msg: "no" } }))
      assert.include(drawn, "│   stderr:\n│     … 202 lines more\n│     debug 202\n")
      assert.include(drawn, "│     debug 213\n└─")
    })

    it("that was killed, or in which another failed, or a hook, has the last of them", () => {
      assert.include(render(called({ stderr }, result).slice(0, 2)), "│     debug 213\n")
      const around = wrapped("m", { type: "multus", start: 0, took: 9, outcome: { stderr } })
      const inner = (end: object) => wrapped("b", { type: "bridge", start: 1, took: 5, members: { parent: "m" }, end })
      assert.include(render([...around, ...inner({ event: "error", error: { code: 1, msg: "no" } })]), "debug 213")
      assert.include(render([...around, ...inner({ event: "result" })]), "stderr: 214 lines, --full shows them")
      const failing = { ...common("m", 5), event: "hook", hook: { ...hook, exitCode: 1 }, durationMs: 1 }
      assert.include(render([...around, failing]), "debug 213")
    })
  })

  it("that failed is drawn with its error document, its exit status and its stderr", () => {
    const error = { code: 11, msg: "no addresses", details: "in 10.88.0.0/16" }
    assert.include(
      render(called({ exitCode: 1, stderr: "warn: x\n" }, { event: "error", error })),
      `├─ ✗ portmap                                                     12.5 ms
│   code 11: no addresses
│   in 10.88.0.0/16
│   exit status 1
│   stderr:
│     warn: x
└─`
    )
  })

  it("that a signal killed is drawn with the signal, and with what it wrote instead of an answer", () => {
    const drawn = render(
      called({ exitCode: null, signal: "SIGKILL", stdout: "half an ans", truncated: true }, {
        event: "error",
        error: { msg: "gave no answer" }
      })
    )
    assert.include(
      drawn,
      `│   gave no answer
│   SIGKILL
│   stdout:
│     half an ans
│   more output was not logged
└─`
    )
  })

  it("that ran out of time is drawn so", () => {
    const drawn = render(
      called({ exitCode: null, signal: "SIGKILL", timedOut: true }, {
        event: "error",
        error: { msg: "gave no answer" }
      })
    )
    assert.include(drawn, "│   out of time\n")
  })

  it("whose end is not logged is drawn so", () => {
    assert.include(
      render(chained.slice(0, 2)),
      "✗ before-portmap\n│   no result was logged: it was killed, or is still running\n│   $ iptables"
    )
  })
})

describe("a hostile log on a terminal", () => {
  it("has no control characters", () => {
    const evil = "\u001b[2J\r\n\u202e\u0007"
    const drawn = render([
      { ...common("1", 0, evil), event: "request", network: evil, netns: evil, args: evil, path: evil },
      { ...common("1", 1), event: "hook", hook: { ...hook, command: evil, stdout: evil, stderr: evil }, durationMs: 1 },
      {
        ...common("1", 1),
        event: "plugin",
        plugin: {
          ...called({}, {}),
          type: evil,
          exitCode: 1,
          signal: evil,
          durationMs: 1,
          stderr: evil,
          truncated: true
        },
        durationMs: 1
      },
      { ...common("1", 2), event: "error", error: { code: 1, msg: evil, details: evil }, durationMs: 1 }
    ], { full: true })
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(drawn, /[\0-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  it("does not hide the rest: what is drawn of one run is bounded, with --full too", () => {
    const deep = `${"[".repeat(5000)}1${"]".repeat(5000)}`
    const routes = Array.from({ length: 5000 }, () => ({ dst: "10.0.0.0/8" }))
    const long = "x ".repeat(1_000_000)
    const document = `{"routes":${JSON.stringify(routes)},"x":${deep},"y":"${long}","__proto__":${deep},"toString":[]}`
    const withDocument = (members: object, name: string) =>
      `${JSON.stringify(members).slice(0, -1)},"${name}":${document}}`
    const lines = (full: boolean) =>
      render([
        withDocument({ ...common("1", 0, "tap"), event: "request", args: long }, "config"),
        {
          ...common("1", 1),
          event: "hook",
          hook: { ...hook, command: long, stdout: long, stderr: long },
          durationMs: 1
        },
        withDocument({ ...common("1", 1), event: "result", durationMs: 1 }, "result"),
        { ...common("2", 2, "next"), event: "request" },
        { ...common("2", 3), event: "error", error: { code: 1, msg: long, details: long }, durationMs: 1 }
      ], { full }).split("\n")
    assert.isBelow(lines(false).length, 400)
    assert.isBelow(lines(true).length, 20_000)
    assert.include(lines(false), "│   … 4984 changes more")
  })

  it("is drawn in time that grows with its size", () => {
    const took = CpuTime.of(() =>
      render([
        { ...common("1", 0, "tap"), event: "request", config: { prevResult: { x: "é".repeat(5_000_000) } } },
        { ...common("1", 1), event: "error", error: { code: 1, msg: "é ".repeat(5_000_000) }, durationMs: 1 }
      ], { full: true })
    )
    assert.isBelow(took, 50_000) // with the square of its size it would take hours
  })
})

describe("what is drawn of each part", () => {
  const step: ViewStep.Step = {
    invocation: "a",
    title: "bridge",
    kind: "plugin",
    command: undefined,
    ifname: undefined,
    network: undefined,
    parent: undefined,
    state: "done",
    isQuiet: false,
    durationMs: undefined,
    changesBefore: [],
    changes: [],
    stateChanges: undefined,
    notes: [],
    hooks: [],
    plugin: undefined,
    code: undefined,
    failure: [],
    args: undefined,
    path: undefined,
    config: undefined,
    result: undefined,
    nested: []
  }
  const view: View.View = {
    command: "ADD",
    ifname: "eth0",
    containerId: "web-1",
    pod: undefined,
    network: "pods",
    netns: undefined,
    time: "2026-11-24T10:00:00Z",
    hasFailed: false,
    failure: undefined,
    durationMs: undefined,
    lookingMs: undefined,
    steps: [],
    leftovers: []
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))
  /** What is drawn below the head. An operation without a total ends with an empty branch, which is left out. */
  const lines = (parts: Partial<View.View>, full = false, width = 80) => {
    const drawn = OperationText.render({ ...view, ...parts }, style(width), { full }).slice(3)
    return drawn.at(-1) === "└─" ? drawn.slice(0, -1) : drawn
  }
  const under = (parts: Partial<ViewStep.Step>, full = false) => lines({ steps: [{ ...step, ...parts }] }, full)
  const excerpt = { lines: ["said"], linesBefore: 0, charactersAfter: 0 }
  const nothing = { lines: [], linesBefore: 0, charactersAfter: 0 }
  const calm: ViewStep.Hook = {
    command: "ip link",
    failure: undefined,
    durationMs: 1,
    stdout: nothing,
    stderr: nothing,
    difference: undefined
  }
  const stateChange = (what: string, whose: "own" | "others" = "own") =>
    ({ kind: "added", what, whose }) as unknown as NonNullable<ViewStep.Step["stateChanges"]>[number]

  it("leftovers are 20 at most, and the number of the others", () => {
    const few = lines({ leftovers: numbers(20) })
    assert.deepStrictEqual([few.length, few[0], few.at(-1)], [20, "│ leftover: 0", "│ leftover: 19"])
    assert.deepStrictEqual(lines({ leftovers: numbers(22) }).slice(19), ["│ leftover: 19", "│ … 2 leftovers more"])
    assert.strictEqual(lines({ leftovers: numbers(21) }).at(-1), "│ … 1 leftover more")
    assert.strictEqual(lines({ leftovers: numbers(22) }, true).length, 22)
  })

  it("the total goes on below itself where it is wider than the screen", () => {
    const total = { durationMs: 12, lookingMs: 3.14 }
    assert.deepStrictEqual(lines(total), ["└─ 12 ms in total; our looks at what changed took 3.1 ms"])
    assert.deepStrictEqual(lines(total, false, 33), [
      "└─ 12 ms in total; our looks at",
      "     what changed took 3.1 ms"
    ])
    assert.deepStrictEqual(lines(total, false, 56).length, 1)
    assert.deepStrictEqual(lines(total, false, 55).length, 2)
  })

  it("an operation is named by what is known of it", () => {
    const who = (parts: Partial<View.View>) => OperationText.render({ ...view, ...parts }, style(80))[0]
    assert.strictEqual(who({}), "ADD eth0 of web-1 on pods")
    assert.strictEqual(who({ pod: "shop/web" }), "ADD eth0 of shop/web (web-1) on pods")
    assert.strictEqual(who({ pod: "shop/web", containerId: undefined }), "ADD eth0 of shop/web on pods")
    assert.strictEqual(who({ containerId: undefined, ifname: undefined, network: undefined }), "ADD")
  })

  it("folded, it is one line with its time", () => {
    const { folded } = OperationText.make(style(80))
    assert.deepStrictEqual(folded({ ...view, durationMs: 7 }), ["✓ ADD eth0 of web-1 on pods  7 ms"])
    assert.deepStrictEqual(folded(view), ["✓ ADD eth0 of web-1 on pods"])
  })

  it("notes are 20 at most", () => {
    const drawn = (count: number, full = false) => under({ stateChanges: [], notes: numbers(count) }, full)
    assert.deepStrictEqual(drawn(21).slice(0, 3), ["├─ ✓ bridge", "│   changed nothing", "│   0"])
    assert.strictEqual(drawn(21).length, 22)
    assert.strictEqual(drawn(21, true).length, 23)
  })

  it("changes of state are 40 at most, and the number of the others", () => {
    const drawn = (count: number) => under({ stateChanges: numbers(count).map((what) => stateChange(what)) })
    assert.deepStrictEqual([drawn(40).length, drawn(40).at(-1)], [41, "│   + 39"])
    assert.deepStrictEqual(drawn(42).slice(40), ["│   + 39", "│   … 2 changes more"])
  })

  it("changes that others made are counted, and listed with --full", () => {
    const changes = [stateChange("ours"), stateChange("theirs", "others"), stateChange("too", "others")]
    assert.deepStrictEqual(under({ stateChanges: changes }).slice(1), [
      "│   + ours",
      "│   + 2 changes that others made at the same time"
    ])
    assert.deepStrictEqual(under({ stateChanges: changes }, true).slice(1), [
      "│   + ours",
      "│   + 2 changes that others made at the same time:",
      "│   + theirs",
      "│   + too"
    ])
  })

  it("a plugin that changed nothing, around one that changed something, changed nothing itself", () => {
    const inside = { ...step, stateChanges: [stateChange("link")] }
    assert.deepStrictEqual(under({ stateChanges: [], nested: [inside] }).at(-1), "│   changed nothing itself")
    assert.deepStrictEqual(under({ stateChanges: [], nested: [step] }).at(-1), "│   changed nothing")
  })

  it("hooks are 50 at most, with what they wrote and how they failed", () => {
    assert.deepStrictEqual(under({ hooks: [{ ...calm, stdout: excerpt, stderr: { ...excerpt, lines: ["bad"] } }] }), [
      "├─ ✓ bridge",
      "│   $ ip link  1 ms",
      "│     said",
      "│     bad"
    ])
    assert.strictEqual(under({ hooks: [{ ...calm, failure: "SIGKILL" }] })[1], "│   $ ip link  (SIGKILL)  1 ms")
    const many = (count: number) => under({ hooks: numbers(count).map(() => calm) })
    assert.deepStrictEqual([many(50).length, many(51).at(-1), many(51).length], [51, "│   … 1 hook more", 52])
  })

  it("a hook whose output differs from the one before is drawn by its differences, and with --full as it is", () => {
    const hook = { ...calm, stdout: excerpt, difference: [] }
    assert.strictEqual(under({ hooks: [hook] }).at(-1), "│     as before")
    assert.strictEqual(under({ hooks: [hook] }, true).at(-1), "│     said")
    assert.strictEqual(under({ hooks: [{ ...hook, stdout: nothing }] }).length, 2)
    const differing = { ...hook, difference: [{ kind: "added", what: "new" }, { kind: "leftOut", what: "9 lines" }] }
    assert.deepStrictEqual(under({ hooks: [differing as unknown as ViewStep.Hook] }).slice(2), [
      "│     + new",
      "│     … 9 lines"
    ])
    const differences = (count: number) =>
      under({ hooks: [{ ...hook, difference: numbers(count).map((what) => ({ kind: "added", what })) } as never] })
        .slice(2)
    assert.deepStrictEqual([differences(24).length, differences(26).length], [24, 25])
    assert.strictEqual(differences(26).at(-1), "│   … 2 lines more")
  })

  it("runs inside a step are 20 at most, and the last one that is drawn ends the branch", () => {
    const inner = (count: number) => under({ nested: numbers(count).map((title) => ({ ...step, title })) })
    assert.deepStrictEqual(inner(2).slice(1), ["│   ├─ ✓ 0", "│   └─ ✓ 1"])
    assert.strictEqual(inner(20).at(-1), "│   └─ ✓ 19")
    assert.deepStrictEqual(inner(21).slice(-2), ["│   ├─ ✓ 19", "│   … 1 run more"])
  })

  it("how an excerpt was cut is said before and after it", () => {
    const stderr = { lines: ["said"], linesBefore: 1, charactersAfter: 2 }
    const plugin = { ending: "exit status 1", stdout: nothing, stderr, truncated: false }
    assert.deepStrictEqual(under({ state: "failed", failure: ["no"], plugin }).slice(1), [
      "│   no",
      "│   exit status 1",
      "│   stderr:",
      "│     … 1 line more",
      "│     said",
      "│     … 2 characters more"
    ])
  })

  it("an ending that the failure names already is not repeated, but with --full", () => {
    const plugin = { ending: "exit status 3", stdout: nothing, stderr: nothing, truncated: false }
    const failed = (failure: string, full = false) => under({ state: "failed", failure: [failure], plugin }, full)
    assert.notInclude(failed("the plugin exited with status 3"), "│   exit status 3")
    assert.include(failed("the plugin exited with status 3", true), "│   exit status 3")
    assert.include(failed("the plugin exited with status 4"), "│   exit status 3")
  })

  it("a DEL that never had an ADD, and a run of a parent that is not logged, say so", () => {
    assert.include(
      under({ state: "stopped", command: "ADD" }),
      "│   no tap saw an ADD, and this DEL came without the result of one"
    )
    assert.notInclude(under({ state: "stopped", command: "DEL" }).join("\n"), "no tap saw")
    assert.include(under({ parent: "x" }), "│   started by a run that is not in the log")
  })

  it("a quiet step is drawn with --full alone", () => {
    assert.deepStrictEqual(under({ isQuiet: true }), [])
    assert.deepStrictEqual(under({ isQuiet: true }, true), ["├─ ✓ bridge"])
  })

  it("times end in column 72, and stand below a name that leaves no room", () => {
    const timed = (title: string, width = 80) => lines({ steps: [{ ...step, title, durationMs: 1.26 }] }, false, width)
    assert.strictEqual(timed("bridge")[0]?.length, 72)
    assert.isTrue(timed("bridge")[0]?.endsWith("  1.3 ms"))
    assert.strictEqual(timed("x".repeat(65))[0], `├─ ✓ ${"x".repeat(65)}  1.3 ms`)
    assert.deepStrictEqual(timed("x".repeat(68)), [`├─ ✓ ${"x".repeat(68)}  1.3 ms`.slice(0, 73), "│   1.3 ms"])
  })

  it("tabs are four spaces, and values are cut after 1000 characters, or 65,536 with --full", () => {
    const change = (what: string, full = false) =>
      lines({ steps: [{ ...step, changes: [{ kind: "changed", what }] }] }, full, 100_000)[1] ?? ""
    assert.strictEqual(change("a\tb"), "│   ~ a    b")
    assert.strictEqual(change("x".repeat(998)), `│   ~ ${"x".repeat(998)}`)
    assert.strictEqual(change("x".repeat(999)), `│   ~ ${"x".repeat(998)}…`)
    assert.strictEqual(change("x".repeat(999), true), `│   ~ ${"x".repeat(999)}`)
    assert.strictEqual(change("x".repeat(70_000), true).length, 4 + 65_536 + 1)
  })

  it("what went into and came out of a step is drawn with --full alone", () => {
    const parts = { args: "A=B", path: "/opt/cni/bin", config: "{\"a\":1}", result: "{\"b\":2}" }
    assert.deepStrictEqual(under(parts), ["├─ ✓ bridge"])
    assert.deepStrictEqual(under(parts, true), [
      "├─ ✓ bridge",
      "│   CNI_ARGS=A=B",
      "│   CNI_PATH=/opt/cni/bin",
      "│   stdin",
      "│     {",
      "│       \"a\": 1",
      "│     }",
      "│   stdout",
      "│     {",
      "│       \"b\": 2",
      "│     }"
    ])
  })
})
