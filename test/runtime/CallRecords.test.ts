/** A call of a plugin as records. */
import { assert, describe, it } from "@effect/vitest"
import * as NetworkConfigList from "../../src/cni/NetworkConfigList.ts"
import * as PluginAnswer from "../../src/exec/PluginAnswer.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as CallRecords from "../../src/runtime/CallRecords.ts"
import type { Call } from "../../src/runtime/Chain.ts"
import { PluginFailed } from "../../src/runtime/PluginFailed.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const callOf = (stdout: string, answer: PluginAnswer.PluginAnswer, ended: Partial<Call["execution"]> = {}): Call => ({
  invocation: "00112233aabbccdd",
  plugin: { type: "bridge", title: "bridge 2" },
  verb: "ADD",
  time: Date.UTC(2026, 0, 2, 3, 4, 5),
  env: {
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: "c1",
    CNI_NETNS: "/run/netns/x",
    CNI_IFNAME: "eth0",
    CNI_ARGS: "A=1",
    CNI_PATH: "/opt/cni/bin"
  },
  stdin: `{"type":"bridge","big":12345678901234567890}`,
  file: "/opt/cni/bin/bridge",
  execution: {
    argv: ["/opt/cni/bin/bridge"],
    stdin: "",
    exitCode: 0,
    signal: null,
    timedOut: false,
    truncated: false,
    durationMs: 12.5,
    stdout: bytes(stdout),
    stderr: bytes(""),
    ...ended
  },
  answer
})

/** The variables of an operation that is about no attachment. */
const ofNoAttachment = {
  CNI_COMMAND: "GC",
  CNI_CONTAINERID: "",
  CNI_NETNS: "",
  CNI_IFNAME: "",
  CNI_ARGS: "",
  CNI_PATH: ""
} as const

const chain = {
  list: NetworkConfigList.make({ cniVersion: "1.0.0", name: "n", plugins: [] }),
  timeout: 0,
  variables: {}
}

const parsed = (call: Call, fields: Partial<Parameters<typeof CallRecords.of>[1]> = {}) =>
  CallRecords.of(call, { ...chain, ...fields }).map((record) => JSON.parse(JsonFormat.render(record)))

const common = {
  invocation: "00112233aabbccdd",
  command: "ADD",
  containerId: "c1",
  ifname: "eth0",
  netns: "/run/netns/x",
  network: "n",
  cniVersion: "1.0.0",
  label: "bridge 2"
}

describe("a plugin that succeeds", () => {
  const result = `{"cniVersion":"1.0.0"}`
  const call = callOf(result, { _tag: "Success", document: result }, { stderr: bytes("so so") })

  it("is a request, how the plugin ended, and its result, which is told once", () => {
    const [request, plugin, end] = parsed(call)
    assert.deepStrictEqual(request, {
      ...common,
      time: "2026-01-02T03:04:05.000Z",
      event: "request",
      args: "A=1",
      path: "/opt/cni/bin",
      config: JSON.parse(call.stdin)
    })
    assert.deepStrictEqual(plugin, {
      ...common,
      time: "2026-01-02T03:04:05.013Z",
      event: "plugin",
      plugin: {
        type: "bridge",
        file: "/opt/cni/bin/bridge",
        exitCode: 0,
        signal: null,
        durationMs: 12.5,
        stderr: "so so",
        truncated: false
      },
      durationMs: 12.5
    })
    assert.deepStrictEqual(end, {
      ...common,
      time: "2026-01-02T03:04:05.013Z",
      event: "result",
      durationMs: 12.5,
      result: { cniVersion: "1.0.0" }
    })
  })

  it("has its configuration without loss", () => {
    const [request] = CallRecords.of(call, chain)
    assert.include(request === undefined ? "" : JsonFormat.render(request), "\"big\":12345678901234567890")
  })

  it("has the trace of this process, as that of a runtime is in records of wrapped plugins", () => {
    const trace = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "v=1",
      baggage: "a=1"
    }
    const { baggage: BAGGAGE, traceparent: TRACEPARENT, tracestate: TRACESTATE } = trace
    const [request] = parsed(call, { variables: { BAGGAGE, TRACEPARENT, TRACESTATE } })
    assert.deepInclude(request, trace)
  })

  it("says whether it ran out of time only where its time was limited", () => {
    assert.isFalse(parsed(call, { timeout: 1 })[1].plugin.timedOut)
    assert.notProperty(parsed(call)[1].plugin, "timedOut")
  })

  it("has what is on stdout where that is not a result", () => {
    assert.strictEqual(parsed(callOf("text", { _tag: "Success", document: undefined }))[1].plugin.stdout, "text")
  })

  it("is read back as it was", () => {
    for (const record of CallRecords.of(call, chain)) {
      assert.deepStrictEqual(JsonFormat.read(JsonFormat.render(record)), record)
    }
  })
})

describe("a plugin that fails", () => {
  const document: PluginAnswer.Failure = {
    _tag: "Failure",
    hasDocument: true,
    code: 11,
    msg: "no addresses",
    details: "full"
  }

  it("has its own error, and no stdout besides", () => {
    const [, plugin, end] = parsed(callOf("{…}", document, { exitCode: 1 }))
    assert.deepStrictEqual(end.error, { code: 11, msg: "no addresses", details: "full" })
    assert.notProperty(plugin.plugin, "stdout")
  })

  it("without a document has no code, and its output", () => {
    const killed = callOf("so far", PluginAnswer.failed("was killed by SIGKILL"), { exitCode: null, signal: "SIGKILL" })
    const [, plugin, end] = parsed(killed)
    assert.deepStrictEqual(end.error, { msg: "was killed by SIGKILL" })
    assert.deepInclude(plugin.plugin, { stdout: "so far", signal: "SIGKILL", exitCode: null })
  })

  it("that was never started has no file where there is none, and no ending", () => {
    const missing: Call = { ...callOf("", PluginAnswer.failed("not found")), file: undefined, execution: undefined }
    assert.deepStrictEqual(parsed(missing)[1].plugin, {
      type: "bridge",
      exitCode: null,
      signal: null,
      durationMs: 0,
      stderr: "",
      truncated: false
    })
  })

  it("says that its output was cut, and that its time was up", () => {
    const cut = callOf("so far", PluginAnswer.failed("did not end"), { truncated: true, timedOut: true })
    assert.deepInclude(parsed(cut, { timeout: 500 })[1].plugin, { truncated: true, timedOut: true, stdout: "so far" })
    const missing: Call = { ...callOf("", PluginAnswer.failed("not found")), file: undefined, execution: undefined }
    const [request, plugin, end] = parsed(missing, { timeout: 500 })
    assert.isFalse(plugin.plugin.timedOut)
    assert.deepStrictEqual([plugin.durationMs, end.durationMs, end.time], [0, 0, request.time])
  })

  it("has no variables in its records that are empty", () => {
    const [request] = parsed({ ...callOf("", document), env: ofNoAttachment })
    for (const name of ["containerId", "ifname", "netns", "args", "path"]) assert.notProperty(request, name)
  })

  it("is not recorded as started by another run", () => {
    for (const record of parsed(callOf("", document))) assert.notProperty(record, "parent")
  })

  it("is told with what it changed, before how it ended", () => {
    const changes = { host: [], container: [] }
    const records = CallRecords.of({ ...callOf("", document), changes: changes as never }, chain)
    assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "changes", "error"])
    assert.deepInclude(records[2], { ...changes, time: "2026-01-02T03:04:05.013Z" })
  })

  it("is told to a person with what it said", () => {
    const call = callOf("{…}", document, { exitCode: 1, stderr: bytes("1\n2\n3\n4\n5\n6\u001b[2J\n") })
    assert.strictEqual(
      new PluginFailed({ calls: [call], advice: "To undo it: run del" }).message,
      `ADD failed in bridge: code 11: no addresses, exit status 1, after 12.5 ms
  details: full
  stderr: 2
  stderr: 3
  stderr: 4
  stderr: 5
  stderr: 6\\u001b[2J
  To undo it: run del`
    )
  })

  it("that said nothing is told in one line, and without a time where it was never started", () => {
    const call: Call = { ...callOf("", PluginAnswer.failed("not found in /x")), file: undefined, execution: undefined }
    assert.strictEqual(new PluginFailed({ calls: [call], advice: "" }).message, "ADD failed in bridge: not found in /x")
  })

  it("is told with the first thousand characters of a line", () => {
    const call = callOf("x".repeat(2000), PluginAnswer.failed("no"), { exitCode: 2 })
    assert.match(new PluginFailed({ calls: [call], advice: "" }).message, /\n {2}stdout: x{1000}$/)
  })

  it("among others is told without an attachment where it has none", () => {
    const call: Call = { ...callOf("", document), verb: "GC", env: ofNoAttachment }
    assert.match(new PluginFailed({ calls: [call, call], advice: "" }).message, /^GC failed in bridge: code 11/)
  })

  it("without a document is told with its stdout", () => {
    const call = callOf("panic: nil\n", PluginAnswer.failed("exited with status 2"), { exitCode: 2 })
    assert.strictEqual(
      new PluginFailed({ calls: [call], advice: "" }).message,
      "ADD failed in bridge: exited with status 2, after 12.5 ms\n  stdout: panic: nil"
    )
  })

  it("among others that succeed is the only one that is told", () => {
    const calls = [callOf("{}", { _tag: "Success", document: "{}" }), callOf("", PluginAnswer.failed("no"))]
    assert.strictEqual(
      new PluginFailed({ calls, advice: "" }).message,
      "ADD of c1 eth0 failed in bridge: no, after 12.5 ms"
    )
  })

  it("is told without the blank lines around what it said", () => {
    const call = callOf("", document, { exitCode: 1, stderr: bytes("\n\n  one\ntwo\n\n") })
    assert.deepStrictEqual(new PluginFailed({ calls: [call], advice: "" }).message.split("\n").slice(2), [
      "  stderr: one",
      "  stderr: two"
    ])
  })

  it("among others is told with its attachment", () => {
    const call: Call = { ...callOf("", document, { exitCode: 1 }), verb: "DEL" }
    assert.strictEqual(
      new PluginFailed({ calls: [call, call], advice: "" }).message.split("\n")[0],
      "DEL of c1 eth0 failed in bridge: code 11: no addresses, exit status 1, after 12.5 ms"
    )
  })
})
