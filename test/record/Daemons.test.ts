/** Records as log daemons take them. */
import { assert, describe, it } from "@effect/vitest"
import type { SyslogTarget } from "../../src/cni/Settings.ts"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { LogRecord } from "../../src/record/LogRecord.ts"
import * as Summary from "../../src/record/Summary.ts"
import * as SyslogFormat from "../../src/record/SyslogFormat.ts"
import { make } from "../support/request.ts"

const target: SyslogTarget = {
  type: "syslog",
  address: "/dev/log",
  facility: "local0",
  tag: "tap",
  format: "json"
}
const time = Date.UTC(2026, 10, 23, 18, 58, 47, 5)
const requestRecord = (config: object = {}, variables = {}): LogRecord => ({
  event: "request",
  sequence: 1,
  request: make("ADD", config, variables),
  time
})
const errorRecord: LogRecord = {
  event: "error",
  sequence: 2,
  request: make("ADD", { label: "tap" }),
  time,
  durationMs: 3,
  error: { code: 7, msg: "wrong\nfield", details: "" }
}

describe("a syslog message", () => {
  it("is what RFC 5424 says", () => {
    const record = requestRecord({ label: "a\"b]c\\d" })
    const [message, ...more] = SyslogFormat.messages(record, target)
    assert.deepStrictEqual(more, [])
    assert.isDefined(message)
    const line = SyslogFormat.render(record, target, message!, { hostname: "node-1", pid: 42 })
    assert.strictEqual(
      line,
      "<134>1 2026-11-23T18:58:47.005Z node-1 tap 42 request [cni-passthrough@32473 command=\"ADD\" " +
        "container=\"container-1\" interface=\"eth0\" network=\"net\" label=\"a\\\"b\\]c\\\\d\" " +
        "invocation=\"0123456789abcdef\" sequence=\"1\"] " + JsonFormat.render(record).trim()
    )
  })

  it("of an error has the severity err", () => {
    assert.deepStrictEqual(SyslogFormat.messages(errorRecord, target).map(({ severity }) => severity), ["err"])
  })

  it("has long values of its structured data cut, and never those of the record", () => {
    const record = requestRecord({ label: "x".repeat(1000) })
    const [message] = SyslogFormat.messages(record, target)
    assert.include(message?.parameters.join(" "), `label="${"x".repeat(200)}"`)
    assert.include(message?.text, "x".repeat(1000))
  })

  it("is several where the record is long, none of them cut within a character", () => {
    const record = requestRecord({ pad: "é世😀".repeat(2000) })
    const messages = SyslogFormat.messages(record, target)
    assert.isAbove(messages.length, 2)
    assert.strictEqual(messages.map(({ text }) => text).join(""), JsonFormat.render(record).trim())
    assert.isTrue(messages.every(({ text }) => Buffer.byteLength(text) <= SyslogFormat.largestText))
    assert.include(messages[1]?.parameters ?? [], `part="2/${messages.length}"`)
  })
})

describe("the fields of a journal entry", () => {
  it("say what happened to whom, and have the whole record", () => {
    assert.deepStrictEqual(
      JournalFormat.render(errorRecord, "tap").filter((field) => !field.startsWith("SYSLOG_PID")),
      [
        "MESSAGE=ADD eth0 of container-1 on net [tap]: ERROR 7: wrong\\u000afield",
        "PRIORITY=3",
        "SYSLOG_IDENTIFIER=tap",
        "CNI_EVENT=error",
        "CNI_COMMAND=ADD",
        "CNI_CONTAINERID=container-1",
        "CNI_IFNAME=eth0",
        "CNI_NETNS=/run/netns/no-such-namespace",
        "CNI_NETWORK=net",
        "CNI_LABEL=tap",
        "CNI_INVOCATION=0123456789abcdef",
        `CNI_RECORD=${JsonFormat.render(errorRecord).trim()}`
      ]
    )
  })

  it("are a line each, whatever is in them", () => {
    const hostile = "a\nCNI_FORGED=1\r\u2028"
    for (const field of JournalFormat.render(requestRecord({ label: hostile, pad: hostile }), "tap")) {
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(field, /[\0-\u001f]/)
    }
  })
})

describe("the summary of a record", () => {
  const request = make("STATUS", {}, { CNI_CONTAINERID: "", CNI_IFNAME: "" })
  it("leaves out what there is not", () => {
    assert.strictEqual(
      Summary.render({ event: "result", sequence: 2, request, time, result: undefined, durationMs: 4 }),
      "STATUS on net: done in 4 ms"
    )
  })
})
