/** What docs/show.md says about the JSON of an operation. */
import { assert, it } from "@effect/vitest"
import { Collector } from "../../src/operations/Collector.ts"
import * as View from "../../src/operations/View.ts"
import * as ViewJson from "../../src/operations/ViewJson.ts"
import type { Record } from "../../src/record/Record.ts"
import { items, section } from "./markdown.ts"

const common = {
  time: "2026-11-23T20:56:12.120Z",
  invocation: "1",
  command: "ADD",
  containerId: "c",
  ifname: "eth0",
  netns: "/run/netns/c",
  network: "pods"
} as const

const records: ReadonlyArray<Record> = [
  { ...common, event: "request", args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web", config: `{"type":"bridge"}` },
  { ...common, event: "error", error: { code: 11, msg: "no addresses" }, durationMs: 1 }
]

it("docs/show.md names the fields that show --json prints", () => {
  const collector = new Collector({ full: false })
  for (const record of records) collector.add(record)
  const printed = collector.operations().map((operation) => JSON.parse(ViewJson.render(View.make(operation))))
  const text = items(section("docs/show.md", "## What to show")).find(({ names: [name] }) => name === "--json")?.text
  const named = [...(text ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name)
  assert.sameMembers(named, [...printed.flatMap(Object.keys), "leftovers"])
})
