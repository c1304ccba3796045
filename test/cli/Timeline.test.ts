/** What people see, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as Attachment from "../../src/cli/Attachment.ts"
import * as Style from "../../src/cli/Style.ts"
import * as Timeline from "../../src/cli/Timeline.ts"

const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 24, 10) + milliseconds).toISOString()

const common = (invocation: string, time: number, label: string) => ({
  time: at(time),
  invocation,
  command: "ADD",
  containerId: "5c01f03d8d6d",
  ifname: "eth0",
  netns: "/run/netns/demo",
  network: "podman",
  label
})

const before = { cniVersion: "1.0.0", ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }] }
const after = { ...before, dns: { nameservers: ["10.88.0.1"] } }
const hook = {
  command: "iptables -t nat -S",
  exitCode: 0,
  signal: null,
  timedOut: false,
  durationMs: 12.5,
  stdout: "-P INPUT\n-P OUTPUT\n",
  stderr: ""
}

const lines = [
  {
    ...common("1", 0, "before-portmap"),
    event: "request",
    args: "K8S_POD_NAME=web",
    config: { type: "passthrough", prevResult: before }
  },
  { ...common("1", 10, "before-portmap"), event: "hook", hook, durationMs: 12.5 },
  { ...common("1", 14, "before-portmap"), event: "result", result: before, durationMs: 14 },
  { ...common("2", 40, "after-portmap"), event: "request", config: { type: "passthrough", prevResult: after } },
  {
    ...common("2", 45, "after-portmap"),
    event: "hook",
    hook: { ...hook, command: "false", exitCode: 1, stdout: "", stderr: "\u001b[31mred\u001b[0m" },
    durationMs: 1
  },
  {
    ...common("2", 47, "after-portmap"),
    event: "error",
    error: { code: 100, msg: "hook \"false\" failed with exit status 1" },
    durationMs: 7
  }
]

const entries = lines.map((line) => {
  const entry = Attachment.readLine(JSON.stringify(line))
  if (entry === undefined) throw new Error("no record")
  return entry
})

const render = (width: number, colour: boolean) => {
  const [operation] = Attachment.operations(entries)
  if (operation === undefined) throw new Error("no operation")
  return Timeline.render(operation, Style.make({ isTerminal: true, colour, width })).join("\n")
}

describe("the timeline of an operation", () => {
  it("fits into 80 columns", () => {
    assert.strictEqual(
      render(80, false),
      `ADD eth0 of 5c01f03d8d6d on podman
2026-11-24T10:00:00.000Z  /run/netns/demo
│
├─ ✓ before-portmap                                                14 ms
│   $ iptables -t nat -S  12.5 ms
│     -P INPUT
│     -P OUTPUT
│   + dns nameservers ["10.88.0.1"]
├─ ✗ after-portmap                                                  7 ms
│   $ false  (exit status 1)  12.5 ms
│     \\u001b[31mred\\u001b[0m
│   code 100: hook "false" failed with exit status 1
└─ 47 ms altogether`
    )
  })

  it("is cut for a narrow terminal, and no line is longer", () => {
    for (const line of render(30, false).split("\n")) assert.isAtMost(line.length, 30)
    assert.include(render(30, false), "│   code 100: hook \"false\" fa…")
  })

  it("is the same at 120 columns and in colour, but for the colour", () => {
    // oxlint-disable-next-line no-control-regex
    const plain = render(120, true).replace(/\u001b\[\d+m/g, "")
    assert.strictEqual(plain, render(120, false))
    assert.include(render(120, true), "\u001b[32m✓\u001b[0m")
    assert.include(render(120, true), "\u001b[31m✗\u001b[0m")
    assert.include(render(120, true), "\u001b[32m+ dns nameservers [\"10.88.0.1\"]\u001b[0m")
  })
})

describe("records", () => {
  it("of the same tap, or of another verb, are another operation", () => {
    const again = entries.map((entry) => ({
      ...entry,
      invocation: `${entry.invocation}'`,
      time: entry.time.replace("T10", "T11")
    }))
    const del = entries.map((entry) => ({
      ...entry,
      invocation: `${entry.invocation}"`,
      command: "DEL",
      time: entry.time.replace("T10", "T12")
    }))
    const found = Attachment.operations([...del, ...entries, ...again])
    assert.deepStrictEqual(found.map(({ request, steps }) => [request.command, steps.length]), [
      ["ADD", 2],
      ["ADD", 2],
      ["DEL", 2]
    ])
  })

  it("of a run that was killed say so", () => {
    const [operation] = Attachment.operations(entries.slice(0, 2))
    assert.isTrue(operation !== undefined && Attachment.hasFailed(operation))
    assert.include(
      Timeline.render(operation!, Style.make({ isTerminal: false, colour: false, width: 80 })).join("\n"),
      "no result was logged"
    )
  })

  it("are nothing else than what the plugin logs", () => {
    for (
      const line of ["", "{", "[]", "null", `{"event":"request"}`, `{"time":1,"event":"request","invocation":"x"}`]
    ) {
      assert.isUndefined(Attachment.readLine(line))
    }
  })
})
