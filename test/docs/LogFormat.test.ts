/** The fields of records in docs/log-format.md are those of their schema. */
import { assert, describe, it } from "@effect/vitest"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as Record from "../../src/record/Record.ts"
import * as TextFormat from "../../src/record/TextFormat.ts"
import { blocks, items, section } from "./markdown.ts"
import * as Transcript from "./transcript.ts"

const schemas = {
  request: Record.RequestRecord,
  hook: Record.HookRecord,
  plugin: Record.PluginRecord,
  changes: Record.ChangesRecord,
  result: Record.ResultRecord,
  error: Record.ErrorRecord,
  removal: Record.RemovalRecord
}

const text = section("docs/log-format.md", "## JSON")
const [common = "", ...parts] = text.split(/^(?=`\w+` also has:$)/m)
const namesIn = (part: string) => items(part).flatMap(({ names }) => names)
const ofEvent = (event: string) => parts.find((part) => part.startsWith(`\`${event}\``)) ?? ""

describe("the records in docs/log-format.md", () => {
  it("are all kinds", () => {
    assert.deepStrictEqual(parts.map((part) => /\w+/.exec(part)?.[0]), Object.keys(schemas))
  })

  it.each(Object.entries(schemas))("%s has all fields of its schema", (event, { fields }) => {
    assert.sameMembers([...namesIn(common), ...namesIn(ofEvent(event))], Object.keys(fields))
  })

  it.each(
    [
      ["hook", Record.Hook, ["exitCode", "signal", "durationMs", "stderr", "truncated"]],
      ["plugin", Record.Plugin, []],
      ["error", Record.ErrorDocument, []],
      ["removal", Record.Removal, []]
    ] as const
  )("%s says what its object has", (event, { fields }, elsewhere) => {
    const object = items(ofEvent(event)).find(({ names: [name] }) => name === event)?.text ?? ""
    const named = [...object.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name)
    for (const name of Object.keys(fields)) assert.include([...named, ...elsewhere], name)
  })
})

describe("the fields of the journal in docs/log-format.md", () => {
  it("are those that a journald sink writes", () => {
    const record = {
      time: "2026-11-23T20:56:12.120Z",
      event: "request",
      invocation: "1",
      command: "ADD",
      containerId: "c",
      ifname: "eth0",
      netns: "/n",
      network: "n",
      label: "l"
    } as const
    const written = JournalFormat.render(record, { identifier: "i", pid: 1 }).map((line) => line.split("=")[0])
    const journal = section("docs/log-format.md", "## Journal")
    assert.sameMembers([...new Set(journal.match(/\b(?:MESSAGE|PRIORITY|SYSLOG_\w+|CNI_[A-Z]+)\b/g))], written)
  })
})

describe("the examples in docs/log-format.md", () => {
  const common = {
    invocation: "73ba9017dc4a6b33",
    command: "ADD",
    containerId: "78f25a65c53b",
    ifname: "eth0",
    netns: "/run/netns/netns-d6dedf4e",
    network: "podman",
    cniVersion: "0.4.0",
    label: "after-portmap"
  }
  const result =
    `{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.88.0.17/16","gateway":"10.88.0.1"}],"dns":{}}`
  const ours = `"label":"after-portmap","hookADD":["iptables -t nat -S CNI-HOSTPORT-DNAT"]`
  const config = `{"cniVersion":"0.4.0","name":"podman","type":"passthrough",${ours},"prevResult":${result}}`
  const chain = "chain `CNI-HOSTPORT-DNAT' in table `nat' is incompatible, use 'nft' tool."
  const records: ReadonlyArray<Record.Record> = [
    {
      time: "2026-11-23T20:56:12.120Z",
      event: "request",
      ...common,
      args: "IgnoreUnknown=1;K8S_POD_NAME=test",
      path: "/usr/lib/cni",
      config,
      hooks: 1
    },
    {
      time: "2026-11-23T20:56:12.157Z",
      event: "hook",
      ...common,
      hook: {
        command: "iptables -t nat -S CNI-HOSTPORT-DNAT",
        netns: "host",
        exitCode: 1,
        signal: null,
        timedOut: false,
        durationMs: 25.2,
        stdout: "",
        stderr: `iptables v1.8.9 (nf_tables): ${chain}\n`,
        truncated: false
      },
      durationMs: 25.2
    },
    { time: "2026-11-23T20:56:12.158Z", event: "result", ...common, durationMs: 38, result }
  ]

  it("are what a tap writes as JSON", () => {
    const [shown = []] = blocks("docs/log-format.md", "jsonl")
    assert.isUndefined(Transcript.missing(shown, records.map((record) => JsonFormat.render(record).trimEnd())))
  })

  it("are what a tap writes as text", () => {
    const [shown = []] = blocks("docs/log-format.md")
    const written = records.map((record) => TextFormat.render(record, () => 0)).join("")
    assert.isUndefined(Transcript.missing(shown, written.trim().split("\n")), written)
  })
})
