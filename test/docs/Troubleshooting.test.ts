/** The messages of doctor that docs/troubleshooting.md quotes are those that doctor prints. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "../support/plugin.ts"
import { section } from "./markdown.ts"

/** The sources that make messages of findings, and the tests that expect them, with concatenated texts as one. */
const sources = ["src/doctor", "src/json", "test/doctor"].flatMap((folder) =>
  Fs.readdirSync(Path.join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => Fs.readFileSync(Path.join(repository, folder, file), "utf8"))
).join("\n").replaceAll(/["`] \+\s+["`]/g, "")

/** What differs from one message to the next: names, numbers, addresses, paths, chains, kinds. */
const values = [
  "…",
  "\"\\w\"",
  "\\/[\\w./:-]+",
  "x86-64",
  "\\d[\\w.:/-]*",
  "\\b(?:eth0 of web|brigde|bridge|vethX(?: is)?|cni0|mine|host-local|riscv)\\b",
  "\\b(?:read-only file system|default route|blackhole|connections|(?:a rule|the policy) of [A-Z]+)\\b"
].join("|")

/** The words between values, without punctuation around them. */
const fragments = (message: string): ReadonlyArray<string> =>
  message.split(new RegExp(values)).map((text) => text.replaceAll(/^[\s:,.?]+|[\s:,.?]+$/g, ""))
    .filter((text) => text.length >= 12)

const messages = [...section("docs/troubleshooting.md", "## By symptom, as doctor says it").matchAll(/^- `([^`]+)`/gm)]
  .map(([, message = ""]) => message)

describe("docs/troubleshooting.md", () => {
  it("quotes messages", () => {
    assert.isAbove(messages.length, 20)
  })

  it.each(messages)("%s", (message) => {
    if (sources.includes(message)) return
    for (const words of fragments(message)) assert.include(sources, words)
    assert.isNotEmpty(fragments(message))
  })
})
