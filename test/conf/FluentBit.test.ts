/** The configuration for Fluent Bit says what our records are, and where they are. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Yaml from "yaml"
import * as Config from "../../src/cli/commands/wrap/Config.ts"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as JournaldSink from "../../src/sinks/JournaldSink.ts"
import { repository } from "../support/plugin.ts"

type Section = { readonly [key: string]: string }

const { parsers: [parser = {}, ...others], pipeline }: {
  readonly parsers: ReadonlyArray<Section>
  readonly pipeline: { readonly [kind: string]: ReadonlyArray<Section> }
} = Yaml.parse(Fs.readFileSync(Path.join(repository, "conf/fluent-bit.yaml"), "utf8"))

const [file = {}, journal = {}] = pipeline["inputs"] ?? []
const [filter = {}] = pipeline["filters"] ?? []

const time = "2026-11-26T08:20:00.123Z"
const record = JsonFormat.read(`{"time":"${time}","event":"request","invocation":"i","command":"ADD","config":{}}`)
assert.isDefined(record)

/** The directives of strptime(3) and of Fluent Bit that are used, as patterns. */
const pattern = (format: string): RegExp => {
  const directives: Section = { Y: "\\d{4}", L: "\\d+" }
  const text = format.replace(/[.]/g, "\\.").replace(/%(\w)/g, (_, letter) => directives[letter] ?? "\\d\\d")
  return new RegExp(`^${text}$`)
}

describe("conf/fluent-bit.yaml", () => {
  it("has one parser, for lines of JSON with our time in them", () => {
    assert.deepStrictEqual(others, [])
    assert.strictEqual(parser["format"], "json")
    const line = JSON.parse(JsonFormat.render(record))
    assert.match(line[parser["time_key"] ?? ""], pattern(parser["time_format"] ?? ""))
  })

  it("reads the log of wrapped plugins by that parser", () => {
    const asked = { log: Option.none(), sink: Option.none(), changes: [], redact: [] }
    const { logFile } = JSON.parse(Config.text(asked))
    assert.isTrue(Path.matchesGlob(logFile, file["path"] ?? ""))
    assert.strictEqual(file["parser"], parser["name"])
  })

  it("reads records of the journal out of the field that has them", () => {
    const { identifier } = JournaldSink.kind.complete({})
    const fields = JournalFormat.render(record, { identifier, pid: 1 })
    assert.include(fields, journal["systemd_filter"])
    assert.include(fields, `${filter["key_name"]}=${JsonFormat.render(record).trim()}`)
    assert.deepStrictEqual([filter["match"], filter["parser"]], [journal["tag"], parser["name"]])
  })

  it("sends both on", () => {
    const [output = {}] = pipeline["outputs"] ?? []
    for (const { tag = "" } of [file, journal]) assert.isTrue(Path.matchesGlob(tag, output["match"] ?? ""))
  })
})
