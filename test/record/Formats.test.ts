/** The two formats of a record. */
import { assert, describe, it } from "@effect/vitest"
import { contextOf } from "../../src/plugin/RequestRecord.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Hook, Record } from "../../src/record/Record.ts"
import * as TextFormat from "../../src/record/TextFormat.ts"
import { make, record } from "../support/request.ts"

const hook: Hook = {
  command: "echo hi",
  netns: "host",
  exitCode: 0,
  signal: null,
  timedOut: false,
  durationMs: 12.5,
  stdout: "hi\n",
  stderr: "",
  truncated: false
}
const request = record("ADD", { label: "tap", hookADD: ["echo hi"] }, {
  CNI_ARGS: "A=1",
  TRACEPARENT: "00-ab-cd-01",
  TRACESTATE: "vendor=1",
  BAGGAGE: "tenant=shop"
})
const { time } = request
const origin = contextOf(make("ADD", { label: "tap" }))

const json = (record: Record) => JSON.parse(JsonFormat.render(record))
const text = (record: Record) => TextFormat.render(record, () => 60)

const common = {
  time: "2026-11-23T18:58:47.005Z",
  invocation: "0123456789abcdef",
  command: "ADD",
  containerId: "container-1",
  ifname: "eth0",
  netns: "/run/netns/no-such-namespace",
  network: "net",
  cniVersion: "1.1.0",
  label: "tap"
}

describe("a JSON record of", () => {
  it("a request has what was received", () => {
    assert.deepStrictEqual(json(request), {
      ...common,
      event: "request",
      args: "A=1",
      path: "/opt/cni/bin",
      traceparent: "00-ab-cd-01",
      tracestate: "vendor=1",
      baggage: "tenant=shop",
      config: { cniVersion: "1.1.0", name: "net", label: "tap", hookADD: ["echo hi"] }
    })
  })

  it("a hook has its report", () => {
    assert.deepStrictEqual(json({ ...origin, event: "hook", time, hook, durationMs: 12.5 }), {
      ...common,
      event: "hook",
      hook,
      durationMs: 12.5
    })
  })

  it("a result has what went to stdout, or nothing", () => {
    const result = { ...origin, event: "result", time, durationMs: 7 } as const
    assert.deepStrictEqual(json({ ...result, result: `{"a":1}` }), {
      ...common,
      event: "result",
      durationMs: 7,
      result: { a: 1 }
    })
    assert.deepStrictEqual(json(result), { ...common, event: "result", durationMs: 7 })
  })

  it("an error has its document", () => {
    const error = { code: 7, msg: "wrong" }
    assert.deepStrictEqual(json({ ...origin, event: "error", time, error, durationMs: 7 }), {
      ...common,
      event: "error",
      error: { code: 7, msg: "wrong" },
      durationMs: 7
    })
  })

  it("a request leaves out what is empty", () => {
    const bare = record("GC", {}, { CNI_CONTAINERID: "", CNI_NETNS: "", CNI_IFNAME: "" })
    assert.deepStrictEqual(Object.keys(json(bare)), [
      "time",
      "event",
      "invocation",
      "command",
      "network",
      "cniVersion",
      "path",
      "config"
    ])
  })

  it("a document has every number and key as it came, on one line", () => {
    const document = `{\n  "name": "n",\r\n  "2": 12345678901234567890, "1": 1.0\n}`
    const line = JsonFormat.render(record("ADD", document))
    assert.include(line, `"config":{"name": "n","2": 12345678901234567890, "1": 1.0}`)
    assert.strictEqual(line.split("\n").length, 2)
  })

  it("stdin that is not a JSON object has its text, or its bytes in Base64", () => {
    assert.strictEqual(json(record("ADD", "[1]\n")).stdin, "[1]\n")
    const bytes = record("ADD", Buffer.from([0xff, 0x00]))
    assert.strictEqual(json(bytes).stdinBase64, "/wA=")
  })

  it("anything has no character that moves a cursor or turns text around", () => {
    const hostile = "\u001b[2J\u009b2J\u202e\u2028\u0007"
    const line = JsonFormat.render(record("ADD", `{"name":"n","x":"\u009b\u202e"}`, { CNI_ARGS: hostile }))
    assert.notMatch(line, /[\0-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
    assert.strictEqual(JSON.parse(line).args, hostile)
    assert.strictEqual(JSON.parse(line).config.x, "\u009b\u202e")
  })
})

describe("a text record of", () => {
  it("a request has the layout of the ancestor", () => {
    const lines = text(request).split("\n")
    assert.strictEqual(lines[0], "")
    assert.strictEqual(lines[1], "Mon, 23 Nov 2026 19:58:47 +0100")
    assert.deepStrictEqual(lines.slice(2), [
      "CNI_COMMAND: ADD",
      "CNI_CONTAINERID: container-1",
      "CNI_IFNAME: eth0",
      "CNI_NETNS: /run/netns/no-such-namespace",
      "CNI_ARGS: A=1",
      "CNI_PATH: /opt/cni/bin",
      "LABEL: tap",
      "{",
      "  \"cniVersion\": \"1.1.0\",",
      "  \"name\": \"net\",",
      "  \"label\": \"tap\",",
      "  \"hookADD\": [",
      "    \"echo hi\"",
      "  ]",
      "}",
      "Executing hook ADD commands:",
      ""
    ])
  })

  it("a request says when there is no hook, and nothing of hooks when it is refused", () => {
    assert.match(text(record("DEL", {})), /\nNo DEL hook\n$/)
    assert.notMatch(text(record("ADD", { name: "" })), /hook/)
  })

  const ends: ReadonlyArray<readonly [report: Partial<Hook>, lines: ReadonlyArray<string>]> = [
    [{}, ["  hi", "EXIT STATUS: 0"]],
    [{ exitCode: 3, stderr: "no\nway\n" }, ["  hi", "  no", "  way", "EXIT STATUS: 3"]],
    [{ exitCode: null, signal: "SIGSEGV" }, ["  hi", "KILLED: SIGSEGV"]],
    [{ exitCode: null, signal: "SIGKILL", timedOut: true }, ["  hi", "KILLED: out of time after 12.5 ms"]],
    [{ exitCode: null, stdout: "", stderr: "cannot start x" }, ["  cannot start x", "NOT STARTED"]],
    [{ truncated: true }, ["  hi", "OUTPUT TRUNCATED: only its first MiB is kept", "EXIT STATUS: 0"]]
  ]
  for (const [report, expected] of ends) {
    it(`a hook says how it ended: ${expected.at(-1)}`, () => {
      const lines = text({ ...origin, event: "hook", time, hook: { ...hook, ...report }, durationMs: 12.5 })
        .trimEnd().split("\n")
      assert.deepStrictEqual(lines, ["COMMAND: echo hi", ...expected])
    })
  }

  it("a failure ends with its code and its message", () => {
    const error = { code: 7, msg: "wrong", details: "very" }
    assert.strictEqual(
      text({ ...origin, event: "error", time, error, durationMs: 1 }),
      "ERROR 7: wrong; very\n"
    )
  })

  it("a result has it on one line", () => {
    const result = { ...origin, event: "result", time, durationMs: 1 } as const
    assert.strictEqual(text({ ...result, result: "{\n  \"a\": 1.0\n}" }), "RESULT: {\"a\": 1.0}\n")
  })
})
