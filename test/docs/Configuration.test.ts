/** The fields in docs/configuration.md and docs/security.md are those of the plugin. */
import { assert, describe, it } from "@effect/vitest"
import { kinds } from "../../src/network/StateKind.ts"
import * as ConfigSchema from "../../src/plugin/ConfigSchema.ts"
import * as Policy from "../../src/plugin/Policy.ts"
import * as Settings from "../../src/plugin/Settings.ts"
import * as ShimSettings from "../../src/plugin/ShimSettings.ts"
import * as Registry from "../../src/sinks/Registry.ts"
import { blocks, defaultOf, items, section } from "./markdown.ts"

const page = "docs/configuration.md"

describe("the examples of JSON", () => {
  const examples = blocks(page, "json").map((block) => block.join("\n"))

  it.each(examples)("in docs/configuration.md are right: %s", (example) => {
    const document: unknown = JSON.parse(example.startsWith("{") ? example : `{ ${example} }`)
    assert.deepStrictEqual(Settings.read(Object(document)).problems, [])
  })

  it("in docs/security.md is a policy", () => {
    const [example = []] = blocks("docs/security.md", "json")
    assert.notProperty(Policy.parse("policy.json", example.join("\n")), "problem")
  })
})

describe("the fields in docs/configuration.md", () => {
  const fields = items(section(page, "## Fields"))

  it("are all fields of the plugin", () => {
    assert.sameMembers(fields.flatMap(({ names }) => names), [...Settings.names])
  })

  it("have the defaults that the plugin has", () => {
    const properties = Object(ConfigSchema.plugin()["properties"])
    for (const field of fields) {
      for (const name of field.names) assert.deepStrictEqual(defaultOf(field), properties[name].default, name)
    }
  })

  it("are those around a plugin too, besides changes, with all its kinds", () => {
    const text = section(page, "## Around a plugin")
    const [changes] = items(text)
    assert.deepStrictEqual(changes?.names, ["changes"])
    const known = [...text.slice(text.indexOf("logged:")).matchAll(/`(\w+)`/g)].map(([, kind]) => kind)
    assert.deepStrictEqual(known, [...kinds])
    const { changes: none, label, onLogFailure } = ShimSettings.read("{}", "bridge")
    assert.deepStrictEqual({ none, label, onLogFailure }, { none: [], label: "bridge", onLogFailure: "ignore" })
  })
})

describe("the sinks in docs/configuration.md", () => {
  const [, ...parts] = section(page, "## Sinks").split(/^(?=`"type": )/m)
  const sinks = new Map(parts.map((part) => {
    const [, type = ""] = /^`"type": "(\w+)"`/.exec(part) ?? []
    return [type, items(part).filter(({ names, text }) => names.length === 1 && text.startsWith("`"))] as const
  }))

  it("are all types", () => {
    assert.deepStrictEqual([...sinks.keys()], [...Registry.types])
  })

  it.each(Registry.types)("%s has the fields of its type, with their defaults", (type) => {
    const fields = sinks.get(type) ?? []
    assert.sameMembers(["type", ...fields.flatMap(({ names }) => names)], [...Registry.fieldNames(type) ?? []])
    const complete = Object(Registry.complete({ type } as never))
    for (const field of fields.filter(({ names: [name] }) => name !== "protocol")) {
      assert.strictEqual(defaultOf(field), complete[field.names[0] ?? ""], field.text)
    }
  })

  it("name the protocol that a syslog sink has by default", () => {
    const text = sinks.get("syslog")?.find(({ names: [name] }) => name === "protocol")?.text ?? ""
    const local = Object(Registry.complete({ type: "syslog" }))["protocol"]
    const remote = Object(Registry.complete({ type: "syslog", address: "tcp://loghost" }))["protocol"]
    assert.include(text, `default: \`"${local}"\` for a local socket, otherwise \`"${remote}"\``)
  })
})

describe("the fields of a policy in docs/security.md", () => {
  const fields = items(section("docs/security.md", "## A policy for configurations"))
    .filter(({ text }) => /^`\w+` \(default/.test(text))

  it("are those that the plugin takes", () => {
    assert.deepStrictEqual(fields.flatMap(({ names }) => names), ["hooks", "logFolders"])
    const parsed = Policy.parse("policy.json", `{ "hooks": false, "logFolders": ["/var/log/cni"] }`)
    assert.deepStrictEqual(parsed, { file: "policy.json", hooks: false, logFolders: ["/var/log/cni"] })
    assert.match(
      Object(Policy.parse("policy.json", `{ "other": 1 }`)).problem,
      /no such field, expected "hooks" or "logFolders"$/
    )
  })

  it("have the defaults that the plugin has", () => {
    assert.deepStrictEqual(Policy.parse("p", "{}"), { file: "p", hooks: true, logFolders: undefined })
    assert.deepStrictEqual(fields.map(({ names: [name], text }) => [name, /\(default:? ([^)]*)\)/.exec(text)?.[1]]), [
      ["hooks", "`true`"],
      ["logFolders", "any folder"]
    ])
  })
})
