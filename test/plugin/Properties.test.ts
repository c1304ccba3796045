/** What holds for every input, not only for those that came to mind. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as JsonText from "../../src/json/JsonText.ts"
import * as Settings from "../../src/plugin/Settings.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as TextFormat from "../../src/record/TextFormat.ts"
import { run } from "../support/pipeline.ts"
import { record } from "../support/request.ts"

const JsonObject = Schema.Record(Schema.String, Schema.Json)
const Space = Schema.Literals(["", " ", "\t", "\r\n"])

it.effect.prop(
  "any JSON object as prevResult comes out as it went in",
  [JsonObject, Space],
  ([object, space]) =>
    Effect.gen(function*() {
      const prevResult = JSON.stringify(object, null, space)
      const config = `{"name":"n",${space}"cniVersion":"1.1.0",${space}"prevResult":${space}${prevResult}${space}}`
      const { stdout, succeeded } = yield* run({ command: "ADD", config })
      assert.deepStrictEqual([succeeded, stdout], [true, [prevResult]])
    })
)

const Command = Schema.Union([Schema.Literals(["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]), Schema.String])
const Variables = Schema.Record(
  Schema.Literals(["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH", "CNI_ARGS"]),
  Schema.String
)
const Fields = Schema.Record(
  Schema.Literals(["cniVersion", "name", "prevResult", "hookADD", "logFile", "label", "onLogFailure", "hookTimeout"]),
  Schema.Json
)
const Stdin = Schema.Union([Schema.String, Schema.Json, JsonObject, Fields])

it.effect.prop(
  "any environment and any stdin give success, or one error document and exit status 1",
  [Command, Variables, Stdin],
  ([command, variables, stdin]) =>
    Effect.gen(function*() {
      const config = typeof stdin === "string" ? stdin : JSON.stringify(stdin)
      const { stdout, succeeded } = yield* run({ command, variables, config })
      assert.isAtMost(stdout.length, 1)
      const document = stdout[0] === undefined ? undefined : JSON.parse(stdout[0])
      if (succeeded) assert.notProperty(document ?? {}, "code")
      else {
        assert.isNumber(document.code)
        assert.isString(document.msg)
        assert.isString(document.cniVersion)
        assert.notStrictEqual(document.code, 999)
      }
    })
)

const Value = Schema.Union([
  Schema.Literals([
    "",
    "a",
    "/var/log/a\0b",
    "text",
    "json",
    "host",
    "container",
    "fail",
    "ignore",
    "1m30s",
    "0",
    "5",
    ".5s",
    "-1s"
  ]),
  Schema.Literals([0, 1, -1]),
  Schema.Json
])
const Settled = Schema.Record(Schema.Literals(Settings.names), Schema.Union([Value, Schema.Array(Value)]))

it.prop("settings read by hand are those that the schema reads", [Settled], ([fields]) => {
  const own = Object.entries(fields)
  const documents = [fields, ...own.map(([name, value]) => ({ [name]: value }))]
  for (const document of documents) {
    assert.deepStrictEqual(Settings.read(document), Settings.readBySchema(document))
  }
}, { arbitrary: { runs: 500 } })

it.prop("a JSON text keeps its value and its tokens in every layout", [Schema.Json, Space], ([value, space]) => {
  const text = JSON.stringify(value, null, space)
  for (const layout of [JsonText.indented(text), JsonText.onOneLine(text)]) {
    assert.strictEqual(JSON.stringify(JSON.parse(layout)), JSON.stringify(value))
  }
  assert.notMatch(JsonText.onOneLine(text), /[\r\n]/)
})

it.prop("a record is one line of JSON without control characters", [Command, Variables, Stdin], (inputs) => {
  const [command, variables, stdin] = inputs
  const line = JsonFormat.render(record(command, typeof stdin === "string" ? stdin : JSON.stringify(stdin), variables))
  assert.notMatch(line.slice(0, -1), /[\0-\u001f\u007f-\u009f\u2028\u2029]/)
  assert.strictEqual(JSON.parse(line).event, "request")
})

it.prop("no value can start a line of the text log", [Variables, Schema.String], ([variables, text]) => {
  const forged = `${text}\nERROR 5: forged\r\u001b[2J`
  const request = record("ADD", { label: forged }, { ...variables, CNI_ARGS: forged, CNI_NETNS: forged })
  const hook = {
    command: forged,
    netns: "host",
    exitCode: 0,
    signal: null,
    timedOut: false,
    durationMs: 1,
    stdout: forged,
    stderr: forged,
    truncated: false
  } as const
  const { invocation, time } = request
  const rendered = TextFormat.render(request, () => 0) +
    TextFormat.render({ event: "hook", invocation, time, hook, durationMs: 1 }, () => 0)
  assert.notMatch(rendered, /^ERROR/m)
  assert.notMatch(rendered, /[\0-\u0008\u000b-\u001f\u007f-\u009f]/)
})

const Keys = Schema.Literals(["secret", "a", "b"])
const Tree: Schema.Codec<Schema.Json> = Schema.Union([
  Schema.Json,
  Schema.Array(Schema.suspend(() => Tree)),
  Schema.Record(Keys, Schema.suspend(() => Tree))
])

/** What `redact: ["secret"]` should make of a value, without a word about its text. */
const withoutSecrets = (value: Schema.Json): Schema.Json => {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, key === "secret" ? "[redacted]" : withoutSecrets(member)])
  )
}

it.prop("values with a secret key are replaced, wherever they are, and nothing else is", [Tree, Space], (inputs) => {
  const [value, space] = inputs
  const config = JSON.parse(JSON.stringify(value)) // JSON has no -0
  const request = record("ADD", JSON.stringify({ redact: ["secret"], config }, null, space))
  const shown = JSON.parse(request.config ?? "")
  assert.deepStrictEqual(shown.config, withoutSecrets(config))
})
