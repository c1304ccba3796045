/** Records as log daemons take them. */
import { assert, describe, it } from "@effect/vitest"
import { contextOf } from "../../src/plugin/RequestRecord.ts"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"
import * as Summary from "../../src/record/Summary.ts"
import * as SyslogFormat from "../../src/record/SyslogFormat.ts"
import { make as makeRequest, record as make } from "../support/request.ts"

const requestRecord = (config: object = {}, variables = {}): Record => make("ADD", config, variables)
const time = "2026-11-23T18:58:47.005Z"
const errorRecord: Record = {
  ...contextOf(makeRequest("ADD", { label: "tap" })),
  event: "error",
  time,
  durationMs: 3,
  error: { code: 7, msg: "wrong\nfield" }
}
const messages = (record: Record) => SyslogFormat.messages(record, JsonFormat.render(record), 1)
const sender = { identifier: "tap", pid: 42 }
const syslogSender = {
  protocol: "rfc5424",
  facility: "local0",
  tag: "tap",
  hostname: "node-1",
  pid: 42,
  minutesEast: () => 60
} as const

describe("a syslog message", () => {
  it("is what RFC 5424 says", () => {
    const record = requestRecord({ label: "a\"b]c\\d" })
    const [message, ...more] = messages(record)
    assert.deepStrictEqual(more, [])
    assert.isDefined(message)
    const line = SyslogFormat.render(record, message!, syslogSender)
    assert.strictEqual(
      line,
      "<134>1 2026-11-23T18:58:47.005Z node-1 tap 42 request [cni-passthrough@32473 command=\"ADD\" " +
        "container=\"container-1\" interface=\"eth0\" network=\"net\" label=\"a\\\"b\\]c\\\\d\" " +
        "invocation=\"0123456789abcdef\" sequence=\"1\"] " + JsonFormat.render(record).trim()
    )
  })

  it("is what syslog(3) writes where that is asked for, with the parts of a long record told in front of its text", () => {
    const old = { ...syslogSender, protocol: "rfc3164" } as const
    const record = requestRecord()
    const [message] = messages(record)
    assert.strictEqual(
      SyslogFormat.render(record, message!, old),
      `<134>Nov 23 19:58:47 node-1 tap[42]: ${JsonFormat.render(record).trim()}`
    )
    const [first] = messages(requestRecord({ pad: "x".repeat(7000) }))
    assert.match(
      SyslogFormat.render(record, first!, old),
      /tap\[42\]: \[cni-passthrough@32473 invocation="0123456789abcdef" sequence="1" part="1\/2"\] \{"time"/
    )
  })

  it("of an error has the severity err", () => {
    assert.deepStrictEqual(messages(errorRecord).map(({ severity }) => severity), ["err"])
  })

  it("has long values of its structured data cut, and never those of the record", () => {
    const record = requestRecord({ label: "x".repeat(1000) })
    const [message] = messages(record)
    assert.include(message?.parameters.join(" "), `label="${"x".repeat(200)}"`)
    assert.include(message?.text, "x".repeat(1000))
  })

  it("is several where the record is long, none of them cut within a character", () => {
    const record = requestRecord({ pad: "é世😀".repeat(2000) })
    const parts = messages(record)
    assert.isAbove(parts.length, 2)
    assert.strictEqual(parts.map(({ text }) => text).join(""), JsonFormat.render(record).trim())
    assert.isTrue(parts.every(({ text }) => Buffer.byteLength(text) <= SyslogFormat.largestText))
    assert.include(parts[1]?.parameters ?? [], `part="2/${parts.length}"`)
  })
})

describe("the fields of a journal entry", () => {
  it("say what happened to whom, and have the whole record", () => {
    assert.deepStrictEqual(
      JournalFormat.render(errorRecord, sender),
      [
        "MESSAGE=ADD eth0 of container-1 on net [tap]: ERROR 7: wrong\\u000afield",
        "PRIORITY=3",
        "SYSLOG_IDENTIFIER=tap",
        "SYSLOG_PID=42",
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
    for (const field of JournalFormat.render(requestRecord({ label: hostile, pad: hostile }), sender)) {
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(field, /[\0-\u001f]/)
    }
  })
})

describe("the summary of a record", () => {
  it("leaves out what there is not", () => {
    const request = makeRequest("STATUS", {}, { CNI_CONTAINERID: "", CNI_IFNAME: "" })
    assert.strictEqual(
      Summary.render({ ...contextOf(request), event: "result", time, durationMs: 4 }),
      "STATUS on net: done in 4 ms"
    )
  })
})
