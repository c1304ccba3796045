/** What happened, in a line and in lines for people, and what daemons call it. */
import { assert, describe, it } from "@effect/vitest"
import { contextOf } from "../../src/plugin/RequestRecord.ts"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import type { Changes, Hook, Plugin, Record } from "../../src/record/Record.ts"
import * as Summary from "../../src/record/Summary.ts"
import * as SyslogFormat from "../../src/record/SyslogFormat.ts"
import * as TextFormat from "../../src/record/TextFormat.ts"
import { make, record } from "../support/request.ts"

const request = record("ADD", { label: "tap" })
const origin = { ...contextOf(make("ADD", { label: "tap" })), time: request.time, durationMs: 12 }
const ended = {
  exitCode: 0 as number | null,
  signal: null as string | null,
  timedOut: false,
  durationMs: 12,
  stdout: "",
  stderr: "",
  truncated: false
}
const hook = (fields: Partial<Hook>): Record => ({
  ...origin,
  event: "hook",
  hook: { command: "echo hi", netns: "host", ...ended, ...fields } as Hook
})
const plugin = (fields: Partial<Plugin>): Record => ({
  ...origin,
  event: "plugin",
  plugin: { type: "bridge", ...ended, ...fields } as Plugin
})
const changes = (changes: Changes, notes?: ReadonlyArray<string>): Record => ({
  ...origin,
  event: "changes",
  changes,
  ...(notes === undefined ? {} : { notes })
} as Record)
const result = (result?: string): Record => ({ ...origin, event: "result", ...(result ? { result } : {}) } as Record)
const error = (error: object): Record => ({ ...origin, event: "error", error: { msg: "wrong", ...error } } as Record)

const twoWays: Changes = {
  host: { links: { added: ["a", "b"], removed: ["c"] } },
  container: { routes: { added: ["d"], removed: [] }, addresses: { added: [], removed: ["e"] } }
}

/** What `leaks` removed. */
const removal = {
  time: request.time,
  event: "removal",
  invocation: "1",
  containerId: "container-1",
  network: "net",
  removal: { kind: "reservation", text: "10.9.0.2 in /networks/net/10.9.0.2", reason: "/run/netns/a does not exist" },
  durationMs: 3
} satisfies Record

describe("a removal", () => {
  it("is one line that names the container, what was removed, and the evidence", () => {
    assert.strictEqual(
      Summary.render(removal),
      "of container-1 on net: removed reservation 10.9.0.2 in /networks/net/10.9.0.2 (/run/netns/a does not exist)"
    )
    assert.isFalse(Summary.isAlarming(removal))
  })

  it("has lines for people", () => {
    const [blank, , ...lines] = TextFormat.render(removal, () => 0).split("\n")
    assert.strictEqual(blank, "")
    assert.deepStrictEqual(lines, [
      "CNI_CONTAINERID: container-1",
      "NETWORK: net",
      "REMOVED: reservation 10.9.0.2 in /networks/net/10.9.0.2 (/run/netns/a does not exist)",
      ""
    ])
  })
})

describe("a record in one line", () => {
  const who = "ADD eth0 of container-1 on net [tap]"
  const cases: ReadonlyArray<readonly [Record, line: string, isAlarming: boolean]> = [
    [request, "request", false],
    [hook({}), "hook echo hi: exit status 0 (12 ms)", false],
    [hook({ command: ["echo", "a b"], exitCode: 3 }), "hook echo a b: exit status 3 (12 ms)", true],
    [hook({ exitCode: null, signal: "SIGKILL" }), "hook echo hi: SIGKILL (12 ms)", true],
    [hook({ exitCode: null, signal: "SIGKILL", timedOut: true }), "hook echo hi: out of time (12 ms)", true],
    [hook({ exitCode: null }), "hook echo hi: not started (12 ms)", true],
    [plugin({}), "plugin bridge: exit status 0 (12 ms)", false],
    [plugin({ timedOut: true }), "plugin bridge: out of time (12 ms)", false],
    [plugin({ exitCode: 1 }), "plugin bridge: exit status 1 (12 ms)", true],
    [changes({}), "0 changes of state", false],
    [changes(twoWays), "5 changes of state", false],
    [result(), "done in 12 ms", false],
    [error({ code: 7 }), "ERROR 7: wrong", true],
    [error({ msg: "a\nb" }), "ERROR: a\\u000ab", true]
  ]
  for (const [record, line, isAlarming] of cases) {
    it(`says what happened to whom: ${line}`, () => {
      assert.strictEqual(Summary.render(record), `${who}: ${line}`)
      assert.strictEqual(Summary.isAlarming(record), isAlarming)
    })
  }

  it("says how a plugin ended whose time was not limited", () => {
    const { timedOut: _, ...unlimited } = ended
    assert.strictEqual(Summary.ending(unlimited), "exit status 0")
    assert.strictEqual(Summary.ending({}), "not started")
  })

  it("has only the words that it knows", () => {
    const { command: _, containerId: _1, ifname: _2, label: _3, ...rest } = request
    assert.strictEqual(Summary.render({ ...rest, network: "" } as Record), ": request")
    assert.strictEqual(Summary.render({ ...rest, command: "GC" } as Record), "GC on net: request")
  })

  it("names a failure by its code, if it has one", () => {
    assert.strictEqual(Summary.failure({ code: 11, msg: "no addresses" }), "code 11: no addresses")
    assert.strictEqual(Summary.failure({ msg: "killed by SIGKILL" }), "killed by SIGKILL")
  })

  it("leaves out the code that the reference plugins give every error, unless there is nothing else", () => {
    assert.strictEqual(Summary.failure({ code: 999, msg: "no addresses" }), "no addresses")
    assert.strictEqual(Summary.failure({ code: 999, msg: "" }), "code 999: ")
  })
})

describe("a record in lines for people", () => {
  const lines = (record: Record): ReadonlyArray<string> => TextFormat.render(record, () => 0).split("\n")

  it("has the facts that went and came, those of the host first, and notes", () => {
    assert.deepStrictEqual(lines(changes(twoWays, ["a note"])), [
      "CHANGES:",
      "  - host links: c",
      "  + host links: a",
      "  + host links: b",
      "  + container routes: d",
      "  - container addresses: e",
      "  a note",
      ""
    ])
    assert.deepStrictEqual(lines(changes({}, [])), ["CHANGES: none", ""])
    assert.deepStrictEqual(lines(changes({}, ["a note"])), ["CHANGES: none", "  a note", ""])
  })

  it("has the file of a plugin, or its type, its output, and how it ended", () => {
    assert.deepStrictEqual(lines(plugin({ file: "/opt/cni/bin/bridge", stdout: "{}\n", stderr: "a\nb\n" })), [
      "PLUGIN: /opt/cni/bin/bridge",
      "  {}",
      "  a",
      "  b",
      "EXIT STATUS: 0",
      ""
    ])
    assert.deepStrictEqual(lines(plugin({ truncated: true, exitCode: null, signal: "SIGSEGV" })), [
      "PLUGIN: bridge",
      "OUTPUT TRUNCATED: only its first MiB is kept",
      "KILLED: SIGSEGV",
      ""
    ])
    assert.strictEqual(lines(plugin({ exitCode: null }))[1], "NOT STARTED")
    assert.strictEqual(lines(plugin({ timedOut: true }))[1], "KILLED: out of time after 12 ms")
  })

  it("has the words of a hook that is a list", () => {
    assert.strictEqual(lines(hook({ command: ["a", "b c"] }))[0], `COMMAND: ["a","b c"]`)
    assert.strictEqual(lines(hook({}))[0], "COMMAND: echo hi")
  })

  it("has a result, or says that none is right", () => {
    assert.deepStrictEqual(lines(result(`{\n "a": 1}`)), [`RESULT: {"a": 1}`, ""])
    assert.deepStrictEqual(lines(result()), ["RESULT: nothing, as it should be", ""])
  })

  it("has the details of an error after its message", () => {
    assert.deepStrictEqual(lines(error({ code: 7, details: "more" })), ["ERROR 7: wrong; more", ""])
    assert.deepStrictEqual(lines(error({})), ["ERROR: wrong", ""])
  })

  it("has stdin by what it was", () => {
    const stdin = (config: string | Uint8Array) => {
      const all = lines(record("ADD", config))
      return all.slice(all.findIndex((line) => line.startsWith("CNI_PATH")) + 1, -1)
    }
    assert.deepStrictEqual(stdin("[1,\n2]").slice(0, 3), ["STDIN (not a JSON object):", "  [1,", "  2]"])
    assert.deepStrictEqual(stdin(Buffer.from([0x61, 0xff])).slice(0, 2), ["STDIN (not UTF-8):", "  a\ufffd"])
    assert.deepStrictEqual(stdin("").slice(0, 1), ["STDIN: nothing"])
  })

  it("has an empty line for each parameter that is not there, and all warnings", () => {
    const bare: Record = { time: origin.time, invocation: "i", event: "request", warnings: ["a", "b\nc"] }
    assert.deepStrictEqual(lines(bare), [
      "",
      "Mon, 23 Nov 2026 18:58:47 +0000",
      "CNI_COMMAND: ",
      "CNI_CONTAINERID: ",
      "CNI_IFNAME: ",
      "CNI_NETNS: ",
      "CNI_ARGS: ",
      "CNI_PATH: ",
      "STDIN: nothing",
      "WARNING: a",
      "WARNING: b\\u000ac",
      ""
    ])
  })

  it("has a plugin without stdout, where the next record has that", () => {
    const { stdout: _, ...silent } = ended
    const record: Record = { ...origin, event: "plugin", plugin: { type: "bridge", ...silent, stderr: "a" } }
    assert.deepStrictEqual(lines(record), ["PLUGIN: bridge", "  a", "EXIT STATUS: 0", ""])
  })

  it("has a configuration on one line from 64 KiB on", () => {
    const config = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`
    const shown = (length: number) =>
      lines({ time: origin.time, invocation: "i", event: "request", config: config(length) }).slice(8, -1)
    assert.deepStrictEqual(shown(65_536), ["{", `  ${config(65_536).slice(1, -1).replace(":", ": ")}`, "}"])
    assert.deepStrictEqual(shown(65_537), [config(65_537)])
  })

  it("has a configuration on one line where nobody could read it", () => {
    const long = (length: number) =>
      lines(record("ADD", { x: "y".repeat(length) })).filter((line) => line.includes("yyy"))
    assert.match(long(1000)[0]!, /^ {2}"x": "y+",?$/)
    assert.match(long(65_536)[0]!, /^\{"cniVersion":"1\.1\.0","name":"net","x":"y+"\}$/)
  })
})

describe("a record in the journal", () => {
  it("has the priority of what a person should look at, or of a message", () => {
    const priority = (record: Record) =>
      JournalFormat.render(record, { identifier: "tap", pid: 1 }).find((line) => line.startsWith("PRIORITY="))
    assert.strictEqual(priority(request), "PRIORITY=6")
    assert.strictEqual(priority(error({})), "PRIORITY=3")
  })
})

describe("a record for syslog", () => {
  const partsOf = (text: string) => SyslogFormat.messages(request, text, 1).map((message) => message.text)

  it("is one message of at most 6000 bytes, and else several", () => {
    assert.deepStrictEqual(partsOf(`${"x".repeat(6000)}\n`), ["x".repeat(6000)])
    assert.deepStrictEqual(partsOf("x".repeat(6001)), ["x".repeat(6000), "x"])
    assert.deepStrictEqual(partsOf("a\nb\n"), ["a#012b"])
  })

  it("is never cut within a character", () => {
    assert.deepStrictEqual(partsOf(`${"x".repeat(5998)}€y`), ["x".repeat(5998), "€y"])
    assert.deepStrictEqual(partsOf(`${"x".repeat(5997)}€y`), [`${"x".repeat(5997)}€`, "y"])
  })
})

describe("facilities and severities of syslog", () => {
  const sender = { protocol: "rfc5424", tag: "t", hostname: "h", pid: 1, minutesEast: () => 0 } as const

  it("have the codes of RFC 5424", () => {
    assert.deepStrictEqual(
      SyslogFormat.facilities,
      {
        ...Object.fromEntries(
          "user mail daemon auth syslog lpr news uucp cron authpriv ftp".split(" ").map((
            name,
            index
          ) => [name, index + 1])
        ),
        ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((number) => [`local${number}`, 16 + number]))
      } as typeof SyslogFormat.facilities
    )
  })

  it("are the priority in front of a message", () => {
    const priority = (record: Record, facility: keyof typeof SyslogFormat.facilities) => {
      const [message] = SyslogFormat.messages(record, "text", 1)
      return /^<(\d+)>1 /.exec(SyslogFormat.render(record, message!, { ...sender, facility }))?.[1]
    }
    assert.strictEqual(priority(request, "user"), "14")
    assert.strictEqual(priority(request, "local7"), "190")
    assert.strictEqual(priority(error({}), "daemon"), "27")
  })
})
