/** What a call of a plugin takes once more, and in what another answer differs from the one of its record. */
import { assert, describe, it } from "@effect/vitest"
import type { Execution } from "../../src/exec/Execution.ts"
import type { Call } from "../../src/operations/Calls.ts"
import { Calls } from "../../src/operations/Calls.ts"
import * as Replay from "../../src/operations/Replay.ts"
import type { RequestRecord } from "../../src/record/Record.ts"
import { read, wrapped } from "./records.ts"

const config = `{"cniVersion":"1.0.0","type":"bridge"}`

/** Members of a request; undefined where it does not have one. */
type Members = { readonly [name in keyof RequestRecord]?: RequestRecord[name] | undefined }

/** A call of bridge. */
const call = (run: Partial<Parameters<typeof wrapped>[1]> = {}, request: Members = {}): Call => {
  const calls = new Calls("bridge")
  for (const record of read(wrapped("1", { type: "bridge", start: 0, took: 5, ...run }))) calls.add(record)
  const [found] = calls.newestFirst()
  if (found === undefined) throw new Error("no call of bridge")
  return { ...found, request: { ...found.request, config, ...request } as RequestRecord }
}

/** A call of which only its request is logged. */
const unfinished = (request: Members = {}): Call => ({
  ...call({}, request),
  plugin: undefined,
  end: undefined
})

const file = "/opt/cni/bin/.passthrough/plugins/bridge"
const error = { event: "error", error: { code: 11, msg: "no addresses" } }

const inputOf = (of: Call, instead?: Replay.Instead): Replay.Input => {
  const input = Replay.inputOf(of, instead)
  if (input instanceof Replay.NoStdin) throw input
  return input
}

describe("a call", () => {
  it("is told with whom it was about, and when", () => {
    const who = { ifname: undefined, containerId: undefined, network: undefined }
    const cases: ReadonlyArray<readonly [request: Members, words: string]> = [
      [{}, "ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z"],
      [{ ...who, command: "VERSION" }, "VERSION, 2026-11-24T10:00:00.000Z"],
      [{ ...who, containerId: "", network: "" }, "ADD, 2026-11-24T10:00:00.000Z"],
      [{ ifname: "a\u001bb", time: "never" }, "ADD a\\u001bb of 5c01f03d8d6d on podman, never"]
    ]
    for (const [request, words] of cases) assert.strictEqual(Replay.headline(call({}, request)), words)
  })

  it("is told with how it ended", () => {
    const cases: ReadonlyArray<readonly [call: Call, words: string]> = [
      [call(), "exit status 0"],
      [call({ outcome: { exitCode: 1 }, end: error }), "exit status 1, code 11: no addresses"],
      [
        call({ outcome: { exitCode: null, signal: "SIGKILL" }, end: { event: "error", error: { msg: "a\nb" } } }),
        "SIGKILL, a\\u000ab"
      ],
      [{ ...call(), plugin: undefined }, "done"],
      [{ ...call({ end: error }), plugin: undefined }, "code 11: no addresses"],
      [{ ...call(), end: undefined }, "exit status 0, no result was logged"],
      [unfinished(), "no result was logged"]
    ]
    for (const [of, words] of cases) assert.strictEqual(Replay.outcome(of), words)
  })

  it("is redacted in those places of its configuration where the log has nothing else", () => {
    const redacted = (config: string | undefined) => Replay.redacted(call({}, { config }))
    assert.deepStrictEqual(redacted(config), [])
    assert.deepStrictEqual(redacted(undefined), [])
    assert.deepStrictEqual(redacted(`"[redacted]"`), ["all of it"])
    assert.deepStrictEqual(
      redacted(`{"a":{"token":"[redacted]","b":["x","[redacted]"]},"c":"not [redacted]","[redacted]":1}`),
      ["a.token", "a.b[1]"]
    )
  })
})

describe("the input of a call", () => {
  it("is what its record has", () => {
    const request = { args: "A=1", path: "/opt/cni/bin", traceparent: "00-1-2-01", tracestate: "v=1", baggage: "t=2" }
    assert.deepStrictEqual(inputOf(call({}, request)), {
      file: "/opt/cni/bin/bridge",
      env: {
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "5c01f03d8d6d",
        CNI_NETNS: "/run/netns/demo",
        CNI_IFNAME: "eth0",
        CNI_ARGS: "A=1",
        CNI_PATH: "/opt/cni/bin",
        TRACEPARENT: "00-1-2-01",
        TRACESTATE: "v=1",
        BAGGAGE: "t=2"
      },
      stdin: config
    })
  })

  it("has no variable that its record does not have", () => {
    const { env } = inputOf(call({}, { netns: undefined, ifname: undefined, containerId: undefined }))
    assert.deepStrictEqual(env, { CNI_COMMAND: "ADD" })
  })

  it("has the stdin of a plugin that did not get JSON, and that of one that did not get text", () => {
    const stdin = (request: Members) => inputOf(call({}, { config: undefined, ...request })).stdin
    assert.strictEqual(stdin({ stdin: "not JSON", stdinBase64: "AP8=" }), "not JSON")
    assert.deepStrictEqual(stdin({ stdinBase64: "AP8=" }), Buffer.from([0, 255]))
  })

  it("is not known where its record does not have the stdin", () => {
    const input = Replay.inputOf(call({}, { config: undefined }))
    assert.instanceOf(input, Replay.NoStdin)
    assert.strictEqual(
      input instanceof Replay.NoStdin && input.message,
      "the record of ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z does not have the stdin of the " +
        "plugin: it cannot be called again"
    )
  })

  it("may have another namespace", () => {
    const { env, file } = inputOf(call(), { netns: "/run/netns/other" })
    assert.deepStrictEqual([file, env["CNI_NETNS"]], ["/opt/cni/bin/bridge", "/run/netns/other"])
    assert.strictEqual(inputOf(call(), { netns: "" }).env["CNI_NETNS"], "/run/netns/demo")
  })

  it("may have another CNI path, on which the plugin is looked for", () => {
    const { env, file } = inputOf(call({}, { path: "/opt/cni/bin" }), { cniPath: "/tmp/bin" })
    assert.deepStrictEqual([file, env["CNI_PATH"], env["CNI_NETNS"]], [undefined, "/tmp/bin", "/run/netns/demo"])
  })

  it("has the file of the plugin where a runtime finds it, and no other program", () => {
    const cases: ReadonlyArray<readonly [logged: string, file: string | undefined]> = [
      [file, "/opt/cni/bin/bridge"],
      ["/opt/cni/bin/bridge", "/opt/cni/bin/bridge"],
      ["/opt/.passthrough/plugins/bin/bridge", "/opt/.passthrough/plugins/bin/bridge"],
      ["/bin/sh", undefined],
      ["/bin/not-bridge", undefined],
      ["/bin/bridge/sh", undefined],
      ["bin/bridge", undefined]
    ]
    for (const [logged, found] of cases) {
      assert.strictEqual(inputOf(call({ outcome: { file: logged } })).file, found, logged)
    }
    assert.isUndefined(inputOf(unfinished()).file)
  })
})

describe("the script of a call", () => {
  const scriptOf = (of: Call) => Replay.script(of, inputOf(of))

  it("gives the plugin what it got, in a shell of any host", () => {
    assert.strictEqual(
      scriptOf(call({ outcome: { exitCode: 1 }, end: error }, { args: "A='$(id)'" })),
      `#!/bin/sh
# bridge as it was called: ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z
# It ended so: exit status 1, code 11: no addresses
# Of its environment the log has the variables of the protocol alone.
unset CNI_PATH TRACEPARENT TRACESTATE BAGGAGE CNI_NETNS_OVERRIDE CNI_PASSTHROUGH_PARENT
export CNI_COMMAND='ADD'
export CNI_CONTAINERID='5c01f03d8d6d'
export CNI_NETNS='/run/netns/demo'
export CNI_IFNAME='eth0'
export CNI_ARGS='A='\\''$(id)'\\'''
# What an ADD makes stays until its DEL: give this script the argument DEL for it.
[ $# = 0 ] || CNI_COMMAND=$1
plugin='/opt/cni/bin/bridge'
printf %s '${config}' | "$plugin"
`
    )
  })

  it("looks for the plugin on the CNI path where the record does not say where it is", () => {
    const of = unfinished({ command: "DEL", netns: undefined, ifname: undefined, containerId: undefined })
    assert.strictEqual(
      scriptOf(of),
      `#!/bin/sh
# bridge as it was called: DEL on podman, 2026-11-24T10:00:00.000Z
# It ended so: no result was logged
# Of its environment the log has the variables of the protocol alone.
unset CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_ARGS CNI_PATH TRACEPARENT TRACESTATE BAGGAGE CNI_NETNS_OVERRIDE CNI_PASSTHROUGH_PARENT
export CNI_COMMAND='DEL'
plugin=$(PATH=$CNI_PATH && command -v 'bridge') || { echo 'bridge is not on the CNI path' >&2; exit 2; }
printf %s '${config}' | "$plugin"
`
    )
  })

  it("prints what no shell can hold out of Base64", () => {
    const lastLine = (stdin: Members) => scriptOf(call({}, { config: undefined, ...stdin })).split("\n").at(-2)
    assert.strictEqual(lastLine({ stdinBase64: "AP8=" }), `printf %s 'AP8=' | base64 -d | "$plugin"`)
    assert.strictEqual(lastLine({ stdin: "\0" }), `printf %s 'AA==' | base64 -d | "$plugin"`)
  })

  it("says each place that is not as it was", () => {
    assert.deepStrictEqual(
      scriptOf(call({}, { config: `{"a\\n":"[redacted]","b":["[redacted]"]}` })).split("\n").slice(3, 6),
      [
        "# Of its environment the log has the variables of the protocol alone.",
        "# NOT AS IT WAS: the log has \"[redacted]\" as a\\u000a",
        "# NOT AS IT WAS: the log has \"[redacted]\" as b[0]"
      ]
    )
  })

  it("has no line that a record can add", () => {
    const evil = "x\ntouch /tmp/evil\n"
    const lines = scriptOf({ ...unfinished({ ifname: evil }), type: evil }).split("\n")
    assert.strictEqual(
      lines[1],
      `# x\\u000atouch /tmp/evil\\u000a as it was called: ADD ${
        evil.replaceAll("\n", "\\u000a")
      } of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z`
    )
  })
})

describe("another answer", () => {
  const answered = (stdout: string, ending: Partial<Execution> = {}): Execution => ({
    argv: ["bridge"],
    stdin: "",
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(""),
    truncated: false,
    exitCode: 0,
    signal: null,
    timedOut: false,
    durationMs: 1,
    ...ending
  })
  const refused = (details: object = {}, code = 11) =>
    answered(JSON.stringify({ cniVersion: "1.0.0", code, msg: "no addresses", ...details }), { exitCode: 1 })
  const result = { ips: [{ address: "10.88.0.2/16" }] }
  const added = call({ end: { event: "result", result } })
  const failed = call({ outcome: { exitCode: 1 }, end: error })

  const cases: ReadonlyArray<readonly [name: string, call: Call, execution: Execution, differences: Array<string>]> = [
    ["that is the same result", added, answered(JSON.stringify(result)), []],
    ["that is the same failure", failed, refused(), []],
    ["without details is the same as one with none", failed, refused({ details: "" }), []],
    ["with another result", added, answered(`{"ips":[{"address":"10.88.0.3/16"}]}`), [
      "removed address 10.88.0.2/16",
      "added address 10.88.0.3/16"
    ]],
    ["with a result where the log has none", call(), answered(JSON.stringify(result)), ["added address 10.88.0.2/16"]],
    ["with another failure", failed, refused({ msg: "no range", details: "all are taken" }, 12), [
      "changed code: 11 → 12",
      "changed msg: no addresses → no range",
      "changed details: none → all are taken"
    ]],
    [
      "without the details that the log has",
      call({ outcome: { exitCode: 1 }, end: { event: "error", error: { ...error.error, details: "all are taken" } } }),
      refused(),
      ["changed details: all are taken → none"]
    ],
    ["that is a failure now", added, refused(), [
      "changed ended: exit status 0 → exit status 1",
      "changed code: none → 11",
      "changed msg: none → no addresses"
    ]],
    ["that is a result now", failed, answered(JSON.stringify(result)), [
      "changed ended: exit status 1 → exit status 0",
      "changed code: 11 → none",
      "changed msg: no addresses → none"
    ]],
    ["of a plugin that was killed", failed, answered("", { exitCode: null, signal: "SIGKILL" }), [
      "changed ended: exit status 1 → SIGKILL",
      "changed code: 11 → none",
      "changed msg: no addresses → was killed by SIGKILL, without an error document"
    ]],
    ["without a result, as a DEL has none", call({ members: { command: "DEL" } }), answered(""), []],
    ["to a call without an end", { ...added, end: undefined }, answered("{}", { exitCode: 3 }), [
      "changed ended: exit status 0 → exit status 3",
      "added an end, of which there is no record"
    ]],
    [
      "to a call without its program",
      { ...failed, plugin: undefined },
      answered(`{"code":11,"msg":"no addresses"}`, {
        exitCode: 5
      }),
      []
    ],
    ["to a call without a verb", call({}, { command: undefined }), answered(JSON.stringify(result)), []]
  ]
  for (const [name, of, execution, differences] of cases) {
    it(name, () => {
      const found = Replay.differences(of, execution).map(({ kind, what }) => `${kind} ${what}`)
      assert.deepStrictEqual(found, differences)
    })
  }
})
