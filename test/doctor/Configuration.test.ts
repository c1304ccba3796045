/** What is wrong with a network configuration, with its place. */
import { assert, describe, it } from "@effect/vitest"
import * as Configuration from "../../src/doctor/Configuration.ts"
import type { PluginFact } from "../../src/doctor/PluginFacts.ts"
import * as JsonSource from "../../src/json/JsonSource.ts"

const speaking: PluginFact = { _tag: "Versions", file: "/bin/x", versions: ["0.4.0", "1.0.0"] }

const found = (text: string, facts: Partial<Configuration.Facts> = {}): ReadonlyArray<string> =>
  Configuration.findings({ text, outcome: JsonSource.parse(text), isLoaded: true, plugins: undefined, ...facts })
    .map(({ column, line, message }) => `${line}:${column} ${message}`)

const chain = `{
  "cniVersion": "1.0.0",
  "name": "n",
  "plugins": [
    { "type": "bridge" },
    { "type": "passthrough" }
  ]
}`

describe("a network configuration", () => {
  it("has no findings where all is right", () => {
    const plugins = new Map([["bridge", speaking], ["passthrough", speaking]])
    assert.deepStrictEqual(found(chain, { plugins }), [])
    assert.deepStrictEqual(found(chain), [])
  })

  it("has every problem of the document and of our fields, in the order of the file", () => {
    const text = `{
  "cniVersion": "1.0.0",
  "name": "-n",
  "plugins": [
    { "type": "passthrough", "hookADD": 3, "logSinks": [{ "type": "kafka" }] },
    4,
    {}
  ]
}`
    assert.deepStrictEqual(found(text), [
      `3:11 name: found "-n", expected a letter or digit, then letters, digits, '_', '.' or '-'`,
      "5:41 plugins[0].hookADD: found 3, expected a list of commands",
      `5:67 plugins[0].logSinks[0].type: found "kafka", expected "file" or "syslog" or "journald" or "stderr"`,
      "6:5 plugins[1]: found 4, expected an object",
      "7:5 plugins[2].type: found nothing, expected the name of a plugin, which is a file on the CNI path"
    ])
  })

  it("keeps the places of plugins apart where one before them is not an object", () => {
    const text = `{"name": "n", "plugins": [1, {"type": "passthrough", "logFile": 2}]}`
    assert.deepStrictEqual(found(text), [
      "1:27 plugins[0]: found 1, expected an object",
      "1:65 plugins[1].logFile: found 2, expected a string that is not empty"
    ])
  })

  it("may be of one plugin", () => {
    const text = `{"name": "n", "type": "passthrough", "hookADD": 3}`
    assert.deepStrictEqual(found(text), ["1:49 hookADD: found 3, expected a list of commands"])
  })

  it("has fields of ours that are misspelt, which the plugin would pass over", () => {
    const text = `{"name": "n", "type": "passthrough", "logfile": "/x", "hookAdds": [], "lable": "y", "log_level": 3}`
    assert.deepStrictEqual(found(text), [
      "1:49 logfile: the plugin does not know this field: did you mean logFile?",
      "1:67 hookAdds: the plugin does not know this field: did you mean " +
      "hookADD or hookDEL or hookCHECK or hookGC or hookSTATUS or hookVERSION or hookTimeout or hookNetns?",
      "1:80 lable: the plugin does not know this field: did you mean label?",
      "1:98 log_level: the plugin does not know this field: did you mean logFile or logFormat or logSinks or logTimeout?"
    ])
    assert.deepStrictEqual(found(text.replace(`"passthrough"`, `"bridge"`)), [])
  })

  it("that is not JSON has one finding", () => {
    assert.deepStrictEqual(found(`{"name": "n",\n"plugins": [{"type": "bridge"},]}`), [
      "2:31 a trailing comma before \"]\""
    ])
  })

  it("is not loaded under any name", () => {
    assert.deepStrictEqual(found(chain, { isLoaded: false }), [
      "1:1 runtimes load only files that end with .conflist, .conf or .json"
    ])
  })

  it("may be a value of any type", () => {
    assert.deepStrictEqual(found("[]"), ["1:1 found an empty list, expected an object"])
  })
})

describe("a plugin on this host", () => {
  const cases: { readonly [name: string]: readonly [fact: PluginFact, message: string] } = {
    "that is missing": [{ _tag: "Missing", folders: ["/a", "/b"] }, "the plugin bridge is not in /a:/b"],
    "that does not answer": [
      { _tag: "Silent", file: "/a/bridge", reason: "exit status 3" },
      "/a/bridge does not answer VERSION: exit status 3"
    ],
    "that does not speak the version": [
      { _tag: "Versions", file: "/a/bridge", versions: ["0.3.1", "0.4.0"] },
      "/a/bridge speaks 0.3.1, 0.4.0, and not 1.0.0"
    ]
  }
  for (const [name, [fact, message]] of Object.entries(cases)) {
    it(`${name} is a finding at its type`, () => {
      const plugins = new Map([["bridge", fact], ["passthrough", speaking]])
      assert.deepStrictEqual(found(chain, { plugins }), [`5:15 plugins[0].type: ${message}`])
    })
  }

  it("is not asked for where its type is not a name", () => {
    const plugins = new Map<string, PluginFact>([["a/b", { _tag: "Missing", folders: ["/a"] }]])
    const findings = found(`{"name": "n", "plugins": [{"type": "a/b"}]}`, { plugins })
    assert.strictEqual(findings.length, 1)
  })
})
