/** The fields of records in docs/log-format.md are those of their schema. */
import { assert, describe, it } from "@effect/vitest"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as Record from "../../src/record/Record.ts"
import { items, section } from "./markdown.ts"

const schemas = {
  request: Record.RequestRecord,
  hook: Record.HookRecord,
  plugin: Record.PluginRecord,
  changes: Record.ChangesRecord,
  result: Record.ResultRecord,
  error: Record.ErrorRecord
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
      ["error", Record.ErrorDocument, []]
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
