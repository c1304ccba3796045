/** Network configuration lists, as libcni reads them. */
import { assert, describe, it } from "@effect/vitest"
import * as NetworkConfigList from "../../src/cni/NetworkConfigList.ts"
import * as JsonText from "../../src/json/JsonText.ts"

const list = (fields: object) => ({ name: "n", cniVersion: "1.0.0", plugins: [{ type: "bridge" }], ...fields })

const problems = (value: unknown): ReadonlyArray<string> =>
  NetworkConfigList.problems(value).map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)

describe("the version of a list", () => {
  const chosen: ReadonlyArray<readonly [why: string, fields: object, version: string]> = [
    ["is the stated one", { cniVersion: "0.4.0" }, "0.4.0"],
    ["is 0.1.0 where none is stated", { cniVersion: undefined }, "0.1.0"],
    ["is the newest that is offered", { cniVersions: ["0.4.0", "1.1.0", "1.0.0"] }, "1.1.0"],
    ["is the stated one where that is newer", { cniVersion: "1.0.0", cniVersions: ["0.4.0"] }, "1.0.0"],
    ["is never newer than the newest that we know", { cniVersions: ["0.4.0", "9.0.0"] }, "1.0.0"],
    ["passes over a stated one that is too new", { cniVersion: "9.0.0", cniVersions: ["0.4.0"] }, "0.4.0"],
    ["compares numbers, not texts", { cniVersion: "0.4.0", cniVersions: ["0.10.0", "0.9.0"] }, "0.10.0"]
  ]
  for (const [why, fields, version] of chosen) {
    it(why, () => {
      assert.strictEqual(NetworkConfigList.make(list(fields)).cniVersion, version)
      assert.deepStrictEqual(problems(list(fields)), [])
    })
  }
})

describe("a list is refused", () => {
  const refused: ReadonlyArray<readonly [why: string, fields: object, problem: string]> = [
    ["for a switch that is a number", { disableCheck: 1 }, "disableCheck: found 1, expected true or false"],
    ["for a switch that is another word", { disableGC: "yes" }, "disableGC: found \"yes\", expected true or false"],
    [
      "for a switch that is null",
      { loadOnlyInlinedPlugins: null },
      "loadOnlyInlinedPlugins: found null, expected true or false"
    ],
    [
      "for versions that are not a list",
      { cniVersions: "1.0.0" },
      "cniVersions: found \"1.0.0\", expected a list of versions"
    ],
    [
      "for a version that is not one",
      { cniVersions: ["1.0.0", "new"] },
      "cniVersions[1]: found \"new\", expected a version such as \"1.0.0\""
    ],
    [
      "for a version that no plugin speaks",
      { cniVersion: "9.0.0" },
      "cniVersion: found \"9.0.0\", expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ],
    [
      "for plugins that are not a list",
      { plugins: {} },
      "plugins: found an object, expected a list of at least one plugin"
    ],
    ["for no plugin", { plugins: [] }, "plugins: found an empty list, expected a list of at least one plugin"],
    [
      "for a plugin without a type",
      { plugins: [{}] },
      "plugins[0].type: found nothing, expected the name of a plugin, which is a file on the CNI path"
    ],
    [
      "for capabilities that are a list",
      { plugins: [{ type: "a", capabilities: ["portMappings"] }] },
      "plugins[0].capabilities: found a list, expected an object with true or false for each capability"
    ],
    [
      "for a capability that is a text",
      { plugins: [{ type: "a", capabilities: { ips: "true" } }] },
      "plugins[0].capabilities.ips: found \"true\", expected true or false"
    ],
    [
      "for name servers that are a text",
      { plugins: [{ type: "a", dns: { nameservers: "8.8.8.8" } }] },
      "plugins[0].dns.nameservers: found \"8.8.8.8\", expected a list of strings"
    ],
    [
      "for a type of IPAM that is a number",
      { plugins: [{ type: "a", ipam: { type: 1 } }] },
      "plugins[0].ipam.type: found 1, expected a string"
    ]
  ]
  for (const [why, fields, problem] of refused) {
    it(why, () => assert.deepStrictEqual(problems(list(fields)), [problem]))
  }
})

describe("a list", () => {
  it("takes switches as words, in any case", () => {
    const made = NetworkConfigList.make(
      list({ disableCheck: "True", disableGC: "false", loadOnlyInlinedPlugins: true })
    )
    assert.deepStrictEqual(
      [made.disableCheck, made.disableGC, made.loadOnlyInlinedPlugins],
      [true, false, true]
    )
    assert.deepStrictEqual(problems(list({ disableCheck: "True", disableGC: "FALSE" })), [])
  })

  it("takes members of plugins that are null, and those that it does not know", () => {
    assert.deepStrictEqual(
      problems(list({ plugins: [{ type: "a", capabilities: null, ipam: null, dns: { domain: null }, mtu: [] }] })),
      []
    )
  })

  it("may have its plugins in a folder, unless it wants those in the list alone", () => {
    const without = { name: "n", cniVersion: "1.1.0" }
    const inFolder = { hasPluginsInFolder: true }
    assert.deepStrictEqual(NetworkConfigList.problems(without, inFolder), [])
    assert.strictEqual(NetworkConfigList.problems(without).length, 1)
    assert.strictEqual(NetworkConfigList.problems({ ...without, loadOnlyInlinedPlugins: true }, inFolder).length, 1)
  })

  it("has the plugins of the folder after its own, and numbers names that come again", () => {
    const made = NetworkConfigList.make(list({}), { fromFolder: [`{"type":"tuning"}`, `{"type":"bridge"}`] })
    assert.deepStrictEqual(
      made.plugins.map(({ isInlined, title }) => [title, isInlined]),
      [["bridge", true], ["tuning", false], ["bridge 2", false]]
    )
  })

  it("keeps the text of each plugin without loss", () => {
    const text = `{"name":"n","plugins":[ {"type":"a","big":12345678901234567890,"1":1.0} , {"type":"b"}]}`
    const made = NetworkConfigList.make(JSON.parse(text), { text })
    assert.deepStrictEqual(
      made.plugins.map((plugin) => plugin.text),
      [`{"type":"a","big":12345678901234567890,"1":1.0}`, `{"type":"b"}`]
    )
    assert.strictEqual(made.text, text)
  })
})

describe("a configuration of one plugin", () => {
  it("is a list of one plugin for runtimes", () => {
    const text = `{"cniVersion":"0.4.0", "name":"n", "type":"ptp", "mtu":1400}\n`
    const made = NetworkConfigList.make(JSON.parse(text), { text })
    assert.deepStrictEqual(made.plugins.map(({ type }) => type), ["ptp"])
    assert.strictEqual(made.text, `{"cniVersion":"0.4.0","name":"n","plugins":[${text.trim()}]}`)
  })

  it("is asked for the same types of its members", () => {
    assert.deepStrictEqual(problems({ name: "n", type: "ptp", ipam: [] }), [
      "ipam: found an empty list, expected an object"
    ])
  })
})
