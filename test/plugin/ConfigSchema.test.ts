/** The JSON Schemas that editors use. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isObject } from "../../src/json/Json.ts"
import * as ConfigSchema from "../../src/plugin/ConfigSchema.ts"
import * as Settings from "../../src/plugin/Settings.ts"

const compile = (schema: object) => new Ajv2020({ strict: true, allErrors: true }).compile(schema)
const isPlugin = compile(ConfigSchema.plugin())
const isList = compile(ConfigSchema.list())

/** A list with this configuration of our plugin in it. */
const listOf = (config: object) => ({
  cniVersion: "1.0.0",
  name: "n",
  plugins: [{ type: "bridge" }, { type: "passthrough", ...config }]
})

/** The members of all objects that a schema describes, with their paths. */
const propertiesOf = (schema: unknown, path = ""): ReadonlyArray<readonly [path: string, words: unknown]> => {
  if (Array.isArray(schema)) return schema.flatMap((part, index) => propertiesOf(part, `${path}[${index}]`))
  if (!isObject(schema)) return []
  const { if: _, properties, ...rest } = schema
  return [
    ...Object.entries(rest).flatMap(([key, value]) => propertiesOf(value, `${path}.${key}`)),
    ...(isObject(properties) ? Object.entries(properties) : []).flatMap(([name, value]) => [
      [`${path}.${name}`, value] as const,
      ...propertiesOf(value, `${path}.${name}`)
    ])
  ]
}

describe("the schemas", () => {
  it("pass the strict mode of ajv", () => {
    assert.doesNotThrow(() => compile(ConfigSchema.plugin()))
    assert.doesNotThrow(() => compile(ConfigSchema.list()))
  })

  for (const schema of [ConfigSchema.plugin(), ConfigSchema.list()]) {
    it(`have an identifier, a title and a description: ${schema["$id"]}`, () => {
      assert.match(String(schema["$id"]), /^urn:cni-passthrough:/)
      for (const words of ["title", "description"]) assert.isString(schema[words])
      assert.strictEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
    })

    it(`say what each field is for: ${schema["$id"]}`, () => {
      const properties = propertiesOf(schema)
      assert.isAbove(properties.length, 25)
      for (const [path, words] of properties) {
        const { description, title } = isObject(words) ? words : {}
        assert.isTrue(typeof title === "string" && title !== "", `${path} has no title`)
        assert.isTrue(typeof description === "string" && description !== "", `${path} has no description`)
      }
    })
  }

  it("have the fields of the plugin, and no others", () => {
    assert.sameMembers(Object.keys(Object(ConfigSchema.plugin()["properties"])), ["type", ...Settings.names])
  })

  it("have the defaults that the plugin has", () => {
    const properties = Object(ConfigSchema.plugin()["properties"])
    const defaults = Object.fromEntries(
      Settings.names.flatMap((name) => properties[name].default === undefined ? [] : [[name, properties[name].default]])
    )
    assert.hasAllKeys(defaults, Settings.names.filter((name) => name !== "logFile" && name !== "label"))
    assert.deepStrictEqual(Settings.read(defaults), Settings.read({}))
    const sinks: ReadonlyArray<{ readonly properties: { readonly [name: string]: { readonly default?: unknown } } }> =
      properties.logSinks.items.anyOf
    const syslog = sinks.find((sink) => "facility" in sink.properties)?.properties
    assert.strictEqual(syslog?.["address"]?.default, "/dev/log")
    assert.strictEqual(syslog?.["facility"]?.default, "daemon")
  })

  it("name the operation in the words of each list of commands", () => {
    const properties = Object(ConfigSchema.plugin()["properties"])
    for (const verb of ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]) {
      const { description, title } = properties[`hook${verb}`]
      assert.strictEqual(title, `Commands on ${verb}`)
      assert.include(description, `run on ${verb}, `)
    }
  })

  it("describe each kind of sink by its name, and have no default for that", () => {
    const { logSinks } = Object(ConfigSchema.plugin()["properties"])
    const sinks: ReadonlyArray<{ readonly title: string; readonly properties: { readonly type: object } }> =
      logSinks.items.anyOf
    assert.deepStrictEqual(sinks.map(({ title }) => title), [
      "file sink",
      "syslog sink",
      "journald sink",
      "stderr sink"
    ])
    for (const { properties } of sinks) assert.notProperty(properties.type, "default")
  })

  it("leave commands without a title of their own, and let them have other members", () => {
    const { commands } = Object(ConfigSchema.plugin()["$defs"])
    const object = commands.items.anyOf.find((each: object) => "properties" in each)
    assert.notProperty(object, "title")
    assert.isTrue(object.additionalProperties)
  })

  it("say what is expected in the words of our error messages", () => {
    const { logTimeout } = Object(ConfigSchema.plugin()["properties"])
    assert.include(JSON.stringify(logTimeout), "a duration such as")
  })

  it("take a list whose switches are off by default, and versions of up to three numbers", () => {
    const { cniVersions, disableCheck, disableGC, loadOnlyInlinedPlugins } = Object(ConfigSchema.list()["properties"])
    for (const each of [disableCheck, disableGC, loadOnlyInlinedPlugins]) assert.isFalse(each.default)
    assert.strictEqual(new Set([disableCheck, disableGC, loadOnlyInlinedPlugins].map(({ title }) => title)).size, 3)
    const isVersion = (version: string) => new RegExp(cniVersions.items.pattern, "u").test(version)
    assert.deepStrictEqual(["1", "0.4", "1.1.0", "", "1.x", "1.0.0.0", "v1"].map(isVersion), [
      true,
      true,
      true,
      false,
      false,
      false,
      false
    ])
  })
})

describe("the files in conf/", () => {
  const folder = Path.join(import.meta.dirname, "../../conf")
  for (const file of Fs.readdirSync(folder).filter((name) => name.endsWith(".conflist"))) {
    it(`are right: ${file}`, () => {
      const list = JSON.parse(Fs.readFileSync(Path.join(folder, file), "utf8"))
      assert.isTrue(isList(list), JSON.stringify(isList.errors))
      for (const plugin of list.plugins) if (plugin.type === "passthrough") assert.isTrue(isPlugin(plugin))
    })
  }
})

describe("a configuration", () => {
  const right: { readonly [name: string]: object } = {
    "with all fields": {
      logFile: "/var/log/cni/${CNI_CONTAINERID}.log",
      logFormat: "json",
      logSinks: [
        { type: "file", path: "/x", format: "json", mode: "0640" },
        { type: "syslog", address: "tcp://loghost:601", facility: "daemon", tag: "t", format: "text" },
        { type: "journald", identifier: "i" },
        { type: "stderr", format: "text" }
      ],
      hookADD: ["id", { command: ["ip", "a"], netns: "container", timeout: "5s" }, { command: "id", timeout: 0 }],
      hookGC: [],
      label: "",
      redact: ["password", "/ipam/token"],
      logTimeout: "1m30s",
      hookTimeout: 0,
      hookNetns: "host",
      onLogFailure: "ignore",
      onHookFailure: "fail"
    },
    "with fields of runtimes": {
      cniVersion: "1.0.0",
      name: "n",
      prevResult: {},
      runtimeConfig: { portMappings: [] },
      capabilities: { portMappings: true },
      args: {},
      ipam: {},
      dns: {},
      instrumentedBy: "cni-passthrough",
      "cni.dev/attachments": []
    }
  }
  for (const [name, config] of Object.entries(right)) {
    it(`is right ${name}`, () => {
      assert.deepStrictEqual(Settings.read(config).problems, [])
      assert.isTrue(isPlugin({ type: "passthrough", ...config }), JSON.stringify(isPlugin.errors))
      assert.isTrue(isList(listOf(config)), JSON.stringify(isList.errors))
    })
  }

  const wrong: { readonly [name: string]: object } = {
    "a sink of no known kind": { logSinks: [{ type: "kafka" }] },
    "a field that belongs to another sink": { logSinks: [{ type: "journald", path: "/x" }] },
    "a file sink without a path": { logSinks: [{ type: "file" }] },
    "a duration without a unit": { hookTimeout: "5" },
    "a command that is empty": { hookADD: [""] },
    "a program without a name": { hookADD: [{ command: [] }] },
    "a policy that is not one": { onLogFailure: "maybe" },
    "a label that is not a text": { label: 3 }
  }
  for (const [name, config] of Object.entries(wrong)) {
    it(`is wrong with ${name}, as the plugin says too`, () => {
      assert.isAbove(Settings.read(config).problems.length, 0)
      assert.isFalse(isPlugin({ type: "passthrough", ...config }))
      assert.isFalse(isList(listOf(config)))
    })
  }

  const misspelt = [
    "logfile LogFile log_file logFiles logPath LOGFORMAT logSink logsinks lgoFile llogFile",
    "hookAdd hookadd HookADD hooksADD hook_add hookADDS hokADD hoookDEL ohokDEL hookTimeOut",
    "onlogfailure onLogFailur onLogfailure on_log_failure onHookFail onHokFailure onLgoFailure",
    "Label labels lable lebel labl redacted Redact redat readct"
  ].join(" ").split(" ")
  for (const name of misspelt) {
    it(`is wrong with ${name}, which looks like a field of ours`, () => {
      assert.isFalse(isPlugin({ type: "passthrough", [name]: [] }))
      assert.isFalse(isList(listOf({ [name]: [] })))
    })
  }
})

describe("a network configuration list", () => {
  const base = listOf({})
  const wrong: { readonly [name: string]: object } = {
    "no name": { plugins: base.plugins },
    "a name that no runtime takes": { ...base, name: "-n" },
    "no plugins": { ...base, plugins: [] },
    "a plugin without a type": { ...base, plugins: [{}] },
    "a plugin in another folder": { ...base, plugins: [{ type: "../x" }] },
    "a version that there is not": { ...base, cniVersion: "2.0.0" },
    "a switch that is neither on nor off": { ...base, disableCheck: "perhaps" },
    "a capability that is neither on nor off": {
      ...base,
      plugins: [{ type: "a", capabilities: { portMappings: "yes" } }]
    }
  }
  for (const [name, list] of Object.entries(wrong)) {
    it(`is wrong with ${name}`, () => {
      assert.isFalse(isList(list))
    })
  }

  it("may have fields of others, and plugins with any fields", () => {
    const list = {
      ...base,
      disableCheck: "true",
      cniVersions: ["0.4.0", "1.0.0"],
      x: 1,
      plugins: [{ type: "a", logfile: 1 }]
    }
    assert.isTrue(isList(list), JSON.stringify(isList.errors))
  })
})
