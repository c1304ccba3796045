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

const expectedName = "a letter or digit, then letters, digits, '_', '.' or '-'"

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
    ["for no name", { name: undefined }, `name: found nothing, expected ${expectedName}`],
    ["for a name with a slash", { name: "a/b" }, `name: found "a/b", expected ${expectedName}`],
    ["for a name that is a number", { name: 1 }, `name: found 1, expected ${expectedName}`],
    [
      "for plugins that are missing",
      { plugins: undefined },
      "plugins: found nothing, expected a list of at least one plugin"
    ],
    ["for a plugin that is a text", { plugins: ["bridge"] }, "plugins[0]: found \"bridge\", expected an object"],
    ...["a/b", "a b", "", 1].map((type) =>
      [
        `for the type ${JSON.stringify(type)}`,
        { plugins: [{ type: "a" }, { type }] },
        `plugins[1].type: found ${JSON.stringify(type)}, expected the name of a plugin, which is a file on the CNI path`
      ] as const
    ),
    ...["name", "cniVersion"].map((member) =>
      [
        `for a ${member} of a plugin that is a number`,
        { plugins: [{ type: "a", [member]: 1 }] },
        `plugins[0].${member}: found 1, expected a string`
      ] as const
    ),
    ...["ipam", "dns", "prevResult"].map((member) =>
      [
        `for ${member} that is a text`,
        { plugins: [{ type: "a", [member]: "x" }] },
        `plugins[0].${member}: found "x", expected an object`
      ] as const
    ),
    ...["nameservers", "search", "options"].map((member) =>
      [
        `for ${member} with a number`,
        { plugins: [{ type: "a", dns: { [member]: ["a", 1] } }] },
        `plugins[0].dns.${member}[1]: found 1, expected a string`
      ] as const
    ),
    [
      "for a domain that is a number",
      { plugins: [{ type: "a", dns: { domain: 1 } }] },
      "plugins[0].dns.domain: found 1, expected a string"
    ],
    [
      "for a stated version that is not one, beside several",
      { cniVersion: "new", cniVersions: ["1.0.0"] },
      "cniVersion: found \"new\", expected a version such as \"1.0.0\""
    ],
    [
      "for a version that is a number",
      { cniVersion: 1 },
      "cniVersion: found 1, expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ],
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

describe("a document", () => {
  it("is a plugin where it has a type and no plugins, and otherwise a list", () => {
    const forms = [{ type: "a" }, { type: "a", plugins: [] }, { type: 1 }, {}, null, "a", [1]].map((value) =>
      NetworkConfigList.formOf(value)
    )
    assert.deepStrictEqual(forms, ["plugin", "list", "list", "list", "list", "list", "list"])
  })

  it("that is not an object is refused as a whole", () => {
    assert.deepStrictEqual(problems([1]), [": found a list, expected an object"])
    assert.deepStrictEqual(problems(null), [": found null, expected an object"])
  })

  it("is read as what runtimes take it for", () => {
    const plugin = { name: "n", type: "ptp", disableGC: true }
    assert.deepStrictEqual(NetworkConfigList.make(plugin, { form: "list" }).plugins, [])
    assert.isTrue(NetworkConfigList.make(plugin, { form: "list" }).disableGC)
    assert.isFalse(NetworkConfigList.make(plugin).disableGC)
    assert.lengthOf(NetworkConfigList.problems(plugin, { form: "list" }), 1)
  })

  it("that is none has no plugins", () => {
    assert.deepStrictEqual(NetworkConfigList.make(null).plugins, [])
    assert.deepStrictEqual(NetworkConfigList.make({ name: "n", plugins: {} }).plugins, [])
    assert.deepStrictEqual(NetworkConfigList.make({ name: "n", plugins: [1, { type: "a" }] }).plugins.length, 1)
  })

  it("names plugins by their labels, where these are not empty", () => {
    const plugins = [{ type: "a", label: "x" }, { type: "b", label: "" }, { type: "c", label: 1 }, { type: "x" }]
    assert.deepStrictEqual(
      NetworkConfigList.make(list({ plugins })).plugins.map(({ title, type }) => `${type} ${title}`),
      ["a x", "b b", "c c", "x x 2"]
    )
  })

  it("says the version that plugins get, which is empty where none is stated", () => {
    const stated = (fields: object) => NetworkConfigList.make(list(fields)).statedVersion
    assert.strictEqual(stated({ cniVersion: undefined }), "")
    assert.strictEqual(stated({ cniVersion: "" }), "")
    assert.strictEqual(stated({ cniVersion: "9.0.0" }), "9.0.0")
    assert.strictEqual(stated({ cniVersion: "0.4.0", cniVersions: [1, "x", "0.4.0", "0.4.0"] }), "0.4.0")
    assert.deepStrictEqual(problems(list({ cniVersion: "" })), [])
    assert.deepStrictEqual(problems(list({ cniVersion: "", cniVersions: ["", "1.0.0"] })), [])
  })
})

describe("a configuration of one plugin", () => {
  it("is a list of one plugin for runtimes", () => {
    const text = `{"cniVersion":"0.4.0", "name":"n", "type":"ptp", "mtu":1400}\n`
    const made = NetworkConfigList.make(JSON.parse(text), { text })
    assert.deepStrictEqual(made.plugins.map(({ type }) => type), ["ptp"])
    assert.strictEqual(made.text, `{"cniVersion":"0.4.0","name":"n","plugins":[${text.trim()}]}`)
  })

  it("has an empty name and version in the list where it has none", () => {
    const { text } = NetworkConfigList.make({ type: "ptp" })
    assert.strictEqual(text, `{"cniVersion":"","name":"","plugins":[{"type":"ptp"}]}`)
  })

  it("is asked for its version, and not for several", () => {
    assert.lengthOf(problems({ name: "n", type: "ptp", cniVersion: "9.0.0", cniVersions: ["1.0.0"] }), 1)
    assert.strictEqual(NetworkConfigList.make({ name: "n", type: "ptp", cniVersions: ["1.0.0"] }).cniVersion, "0.1.0")
  })

  it("is asked for the same types of its members", () => {
    assert.deepStrictEqual(problems({ name: "n", type: "ptp", ipam: [] }), [
      "ipam: found an empty list, expected an object"
    ])
  })
})
