/** What the sinks of daemons send, and where to. What daemons make of it is tested on the built plugin. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dgram from "node:dgram"
import { EventEmitter, once } from "node:events"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Environment from "../../src/cni/Environment.ts"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as SyslogFormat from "../../src/record/SyslogFormat.ts"
import { SinkFailed } from "../../src/sinks/LogSink.ts"
import * as Registry from "../../src/sinks/Registry.ts"
import { record } from "../support/request.ts"

const add = record("ADD", {})
const target = (fields: object) => Registry.complete({ type: "syslog", ...fields })

/** What `write` of a sink gives while a `logger` ends like this, and what that was started with. */
const written = async (fields: object, ending: Partial<Execution> | NotStarted = {}, what = add) => {
  const calls: Array<Invocation> = []
  const runner = ProcessRunner.of({
    run: (invocation) => {
      calls.push(invocation)
      if (ending instanceof NotStarted) return Effect.fail(ending)
      const empty = { argv: invocation.argv, stdin: "", stdout: Buffer.of(), stderr: Buffer.of(), durationMs: 1 }
      return Effect.succeed({ ...empty, truncated: false, exitCode: 0, signal: null, timedOut: false, ...ending })
    }
  })
  const reason = await Effect.runPromise(
    Effect.flatMap(Registry.open(target(fields), Environment.make({}), 1000), (sink) => sink.write(what)).pipe(
      Effect.as("written"),
      Effect.catch((error) => Effect.succeed(error instanceof SinkFailed ? `${error.sink}: ${error.reason}` : "?")),
      Effect.provideService(ProcessRunner, runner),
      Effect.provideService(HostTools.HostTools, { find: (name) => `/usr/bin/${name}`, env: {} })
    )
  )
  return { calls, reason }
}

const local = (tag: string, priority: string) => [
  "/usr/bin/logger",
  "--socket=/dev/log",
  "--socket-errors=on",
  "--size=64KiB",
  `--tag=${tag}`,
  `--id=${process.pid}`,
  `--priority=${priority}`
]

describe("a sink of syslog on a local socket", () => {
  it("starts logger with the header of syslog(3) by default, and the record as JSON", async () => {
    const { calls, reason } = await written({})
    assert.strictEqual(reason, "written")
    assert.deepStrictEqual(calls.map(({ argv }) => [...argv]), [local("cni-passthrough", "daemon.info")])
    assert.strictEqual(JSON.parse(String(calls[0]?.stdin)).command, "ADD")
    assert.match(String(calls[0]?.stdin), /[^\n]\n$/)
  })

  it("starts it with structured data for RFC 5424, and what fields say", async () => {
    const { calls } = await written({ protocol: "rfc5424", tag: "cni", facility: "local3", format: "text" })
    assert.deepStrictEqual(calls.map(({ argv }) => [...argv]), [[
      ...local("cni", "local3.info"),
      "--rfc5424=notq",
      `--msgid=${add.event}`,
      "--sd-id=cni-passthrough@32473",
      "--sd-param=command=\"ADD\"",
      "--sd-param=container=\"container-1\"",
      "--sd-param=interface=\"eth0\"",
      "--sd-param=network=\"net\"",
      "--sd-param=invocation=\"0123456789abcdef\"",
      "--sd-param=sequence=\"1\""
    ]])
    assert.match(String(calls[0]?.stdin), /ADD/)
    assert.notMatch(String(calls[0]?.stdin), /^\{/)
  })

  it("starts it for each part of a long record, in its order", async () => {
    const long = record("ADD", { x: "y".repeat(2 * SyslogFormat.largestText) })
    const { calls } = await written({}, {}, long)
    const parts = calls.map(({ stdin }) => /^\[cni-passthrough@32473 (.*?)\] (.*)\n$/s.exec(String(stdin)) ?? [])
    assert.deepStrictEqual(
      parts.map(([, ids]) => ids),
      [1, 2, 3].map((part) => `invocation="0123456789abcdef" sequence="1" part="${part}/3"`)
    )
    const whole = parts.map(([, , text]) => text).join("")
    assert.strictEqual(JSON.parse(whole).containerId, "container-1")
    assert.include(whole, "y".repeat(2 * SyslogFormat.largestText))
  })

  it("fails with what logger says, even where it exits with 0", async () => {
    const { reason } = await written({ address: "/x" }, { stderr: Buffer.from(" socket /x: refused \n") })
    assert.strictEqual(reason, "syslog /x: socket /x: refused")
  })

  it("fails with how logger ended where it says nothing", async () => {
    assert.match((await written({}, { exitCode: 3 })).reason, /^syslog \/dev\/log: logger ended with .*3/)
    assert.match((await written({}, { timedOut: true })).reason, /^syslog \/dev\/log: logger ended with /)
  })

  it("fails where logger is missing, or cannot be started", async () => {
    const notStarted = (code: string) => new NotStarted({ program: "logger", reason: "why", code, cause: undefined })
    assert.strictEqual(
      (await written({}, notStarted("ENOENT"))).reason,
      "syslog /dev/log: there is no `logger` on PATH: install util-linux (on Debian and Ubuntu the package bsdutils)"
    )
    assert.match((await written({}, notStarted("EACCES"))).reason, /cannot start logger: EACCES: why$/)
  })
})

describe("a sink of syslog in the network", () => {
  const header = `${add.time} ${Os.hostname()} cni-passthrough ${process.pid} ${add.event} [cni-passthrough@32473 `

  it("sends over TCP each message after its length, and waits until the other end has read it", async () => {
    let received = ""
    const server = Net.createServer((socket) => socket.setEncoding("utf8").on("data", (text) => received += text))
    await once(server.listen(0, "127.0.0.1"), "listening")
    const { port } = server.address() as Net.AddressInfo
    const { calls, reason } = await written({ address: `tcp://127.0.0.1:${port}` })
    server.close()
    assert.strictEqual(reason, "written")
    assert.deepStrictEqual(calls, [])
    const [, length, message = ""] = /^(\d+) (.*)$/s.exec(received) ?? []
    assert.strictEqual(Number(length), Buffer.byteLength(message))
    assert.isTrue(message.startsWith(`<30>1 ${header}`), message)
    const refused = await written({ address: `tcp://127.0.0.1:${port}` })
    assert.match(refused.reason, /^syslog tcp:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/)
  })

  for (const [family, host, address] of [["udp4", "127.0.0.1", "127.0.0.1"], ["udp6", "::1", "[::1]"]] as const) {
    it(`sends each message over UDP, to ${address}`, async () => {
      const server = Dgram.createSocket(family)
      server.bind(0, host)
      await once(server, "listening")
      const received = once(server, "message")
      const fields = { address: `udp://${address}:${server.address().port}`, protocol: "rfc3164", format: "text" }
      const { reason } = await written(fields)
      const [message] = await received
      server.close()
      assert.strictEqual(reason, "written")
      assert.match(
        String(message),
        new RegExp(`^<30>\\w{3} [ \\d]\\d [\\d:]{8} ${Os.hostname()} cni-passthrough\\[\\d+\\]: `)
      )
    })
  }

  it("sends all parts of a long record over UDP", async () => {
    const server = Dgram.createSocket("udp4")
    server.bind(0, "127.0.0.1")
    await once(server, "listening")
    const messages: Array<string> = []
    const all = new Promise<void>((resolve) =>
      server.on("message", (message) => messages.push(String(message)) === 3 && resolve())
    )
    const long = record("ADD", { x: "y".repeat(2 * SyslogFormat.largestText) })
    const { reason } = await written({ address: `udp://127.0.0.1:${server.address().port}` }, {}, long)
    assert.strictEqual(reason, "written")
    await all
    server.close()
    const parts = messages.map((message) => / part="(.*?)"/.exec(message)?.[1])
    assert.deepStrictEqual(parts.toSorted(), ["1/3", "2/3", "3/3"])
  })

  it("sends to port 601 over TCP, and to port 514 over UDP, where the address has none", async () => {
    const stream = Object.assign(new EventEmitter(), { resume: () => {}, end: () => {}, destroy: () => {} })
    using connect = vi.spyOn(process.getBuiltinModule("node:net"), "connect").mockImplementation(() => {
      queueMicrotask(() => stream.emit("close"))
      return stream as never
    })
    assert.strictEqual((await written({ address: "tcp://loghost" })).reason, "written")
    assert.deepStrictEqual(connect.mock.calls, [[{ host: "loghost", port: 601 }] as never])

    const sent: Array<unknown> = []
    const socket = Object.assign(new EventEmitter(), {
      close: () => {},
      send: (_: Buffer, port: number, host: string, done: (error: null) => void) => {
        sent.push([port, host])
        done(null)
      }
    })
    using create = vi.spyOn(process.getBuiltinModule("node:dgram"), "createSocket").mockReturnValue(socket as never)
    assert.strictEqual((await written({ address: "udp://loghost" })).reason, "written")
    assert.deepStrictEqual([create.mock.calls, sent], [[["udp4"]], [[514, "loghost"]]] as never)
  })

  it("fails over UDP where the socket does", async () => {
    const socket = Object.assign(new EventEmitter(), { close: () => {}, send: () => {} })
    using _ = vi.spyOn(process.getBuiltinModule("node:dgram"), "createSocket").mockReturnValue(socket as never)
    const outcome = written({ address: "udp://loghost" })
    await new Promise((resolve) => setImmediate(resolve))
    socket.emit("error", new Error("no network"))
    assert.strictEqual((await outcome).reason, "syslog udp://loghost: no network")
  })

  it("fails over UDP where a host has no address", async () => {
    assert.match(
      (await written({ address: "udp://256.256.256.256" })).reason,
      /^syslog udp:\/\/256.*(?:ENOTFOUND|EAI_AGAIN)/
    )
  })
})

describe("the defaults of a sink", () => {
  const defaults: ReadonlyArray<readonly [fields: Registry.Fields, completed: object]> = [
    [{ type: "syslog" }, {
      type: "syslog",
      address: "/dev/log",
      facility: "daemon",
      tag: "cni-passthrough",
      format: "json",
      protocol: "rfc3164"
    }],
    [{ type: "syslog", address: "udp://h" }, {
      type: "syslog",
      address: "udp://h",
      facility: "daemon",
      tag: "cni-passthrough",
      format: "json",
      protocol: "rfc5424"
    }],
    [{ type: "file", path: "/log" }, { type: "file", path: "/log", format: "text", mode: "0600" }],
    [{ type: "journald" }, { type: "journald", identifier: "cni-passthrough" }],
    [{ type: "stderr" }, { type: "stderr", format: "text" }],
    [{ type: "stderr", format: "json" }, { type: "stderr", format: "json" }]
  ]
  for (const [fields, completed] of defaults) {
    it(`of ${JSON.stringify(fields)}`, () => assert.deepStrictEqual<object>(Registry.complete(fields), completed))
  }

  it("are for the fields of its kind", () => {
    assert.deepStrictEqual(Registry.types, ["file", "syslog", "journald", "stderr"])
    assert.deepStrictEqual(Registry.fieldNames("stderr"), ["type", "format"])
    assert.deepStrictEqual(Registry.fieldNames("journald"), ["type", "identifier"])
    assert.isUndefined(Registry.fieldNames("other"))
  })
})
