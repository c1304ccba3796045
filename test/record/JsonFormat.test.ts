/** Records as they are read from lines. */
import { assert, describe, it } from "@effect/vitest"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"

const head = `"time":"t","event":"request","invocation":"i"`
const config = (line: string) => (JsonFormat.read(line) as { readonly config?: string } | undefined)?.config
const document = `{"a":12345678901234567890,"config":{"x":1.0},"result":[],"s":"},\\",\\"config\\":{"}`

describe("a record that is read", () => {
  const begun = { time: "t", invocation: "i" }
  const common = { ...begun, durationMs: 1 }
  const ended = { exitCode: 0, signal: null, durationMs: 1, stderr: "", truncated: false }
  const records: ReadonlyArray<Record> = [
    { ...begun, event: "request", args: "a", config: document, warnings: ["w"] },
    { ...begun, event: "request", stdin: "a" },
    { ...common, event: "hook", hook: { ...ended, command: ["a"], netns: "container", timedOut: false, stdout: "" } },
    { ...common, event: "hook", hook: { ...ended, command: "a", netns: "host", timedOut: true, stdout: "" } },
    { ...common, event: "plugin", plugin: { ...ended, type: "bridge", exitCode: null, signal: "SIGKILL" } },
    { ...common, event: "changes", changes: { host: { links: { added: ["a"], removed: ["b"] } } }, notes: ["n"] },
    { ...common, event: "result", result: document },
    { ...common, event: "error", error: { code: 7, msg: "m", details: "d" } }
  ]
  for (const record of records) {
    it(`is the one that was written: ${record.event}`, () => {
      assert.deepEqual(JsonFormat.read(JsonFormat.render(record).trimEnd()), record)
      assert.deepEqual(JsonFormat.read(JsonFormat.render(record)), record)
    })
  }

  it("is none of another event, or without one", () => {
    for (const event of ["", "other"]) {
      assert.isUndefined(JsonFormat.read(`{"time":"t","event":"${event}","invocation":"i"}`))
    }
    for (const line of ["", "{}", "[]", "null", "1", `{"time":"t","invocation":"i"}`]) {
      assert.isUndefined(JsonFormat.read(line), line)
    }
  })

  it("has its documents as they are in the line, wherever they stand", () => {
    assert.strictEqual(config(`{${head},"config":${document}}`), document)
    assert.strictEqual(config(`  {${head},"config": ${document} }  \r`), document)
    assert.strictEqual(config(`{"config":${document},${head}}`), document)
    assert.strictEqual(config(`{${head},"config":${document},"label":"x"}`), document)
    assert.strictEqual(config(`{${head},"result":{},"config":${document}}`), document)
    assert.strictEqual(config(`{${head},"config":${document},"result":{}}`), document)
  })

  it("has them as text, whatever the event is", () => {
    const ended = `"time":"t","event":"result","invocation":"i","durationMs":1`
    const shown = (line: string) => {
      const { config, result } = JsonFormat.read(line) as { readonly config?: string; readonly result?: string }
      return [config, result]
    }
    assert.deepStrictEqual(shown(`{${ended},"result":${document}}`), [undefined, document])
    assert.deepStrictEqual(shown(`{"result":${document},${ended}}`), [undefined, document])
    assert.deepStrictEqual(shown(`{${ended},"result": ${document} }`), [undefined, document])
    assert.deepStrictEqual(shown(`{${ended},"result":${document},"config":{}}`), [undefined, document])
  })

  it("has the last one of several, as JSON.parse takes it", () => {
    assert.strictEqual(config(`{${head},"config":{"first":1},"config":${document}}`), document)
    assert.strictEqual(config(`{"config":{"first":1},${head},"config":${document}}`), document)
  })

  it("has none that is only inside something else", () => {
    const others = [
      `"other":{"x":1,"config":{}}`,
      `"other":[1,{"x":1,"config":{}}],"more":{"x":1,"config":{}}`,
      `"label":",\\"config\\":{}"`
    ]
    for (const other of others) {
      assert.isUndefined(config(`{${head},${other}}`))
      assert.strictEqual(config(`{${head},${other},"config":${document}}`), document)
    }
  })

  it("is not a line that is torn, or that another one was glued to", () => {
    const line = `{${head},"config":${document}}`
    assert.strictEqual(config(line), document)
    for (let length = 1; length < line.length; length++) {
      assert.isUndefined(JsonFormat.read(line.slice(0, length)))
      assert.isUndefined(JsonFormat.read(line.slice(0, length) + line))
    }
    assert.isUndefined(JsonFormat.read(`${line}x`))
    assert.isUndefined(JsonFormat.read(`${line}}`))
    for (const end of ["]", ",", " ", ""]) assert.isUndefined(JsonFormat.read(`${line.slice(0, -1)}${end}`))
  })

  it("may have members that every object has, and 100,000 levels", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    assert.strictEqual(config(`{${head},"__proto__":{"event":"x"},"toString":1,"config":${deep}}`), deep)
  })
})
