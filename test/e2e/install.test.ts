/** Putting the plugin into place. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { companion, path, temporary } from "../support/plugin.ts"

const call = (...args: ReadonlyArray<string>) =>
  ChildProcess.spawnSync(companion, args, { env: { PATH: path }, encoding: "utf8" })

describe("cni-passthrough install", () => {
  it("puts a plugin there that answers, and takes it away again", () => {
    using folder = temporary()
    const to = Path.join(folder.path, "bin")
    const plugin = Path.join(to, "passthrough")
    assert.strictEqual(call("install", "--to", to).status, 0)
    assert.deepStrictEqual(Fs.readdirSync(to), ["passthrough"])
    const answer = ChildProcess.execFileSync(plugin, {
      env: { PATH: path, CNI_COMMAND: "VERSION" },
      input: "{}",
      encoding: "utf8"
    })
    assert.include(JSON.parse(answer).supportedVersions, "1.1.0")
    assert.strictEqual(call("install", "--to", to, "--uninstall").status, 0)
    assert.deepStrictEqual(Fs.readdirSync(to), [])
  })

  it("says what it cannot do", () => {
    const { status, stderr } = call("install", "--to", "/proc/none", "--uninstall")
    assert.strictEqual(status, 2)
    assert.include(stderr, "/proc/none/passthrough")
  })
})

describe("cni-passthrough schema", () => {
  it("describes every field of the plugin", () => {
    const { properties } = JSON.parse(call("schema").stdout)
    const fields = ["logFile", "logFormat", "logSinks", "logTimeout", "hookADD", "hookNetns", "redact", "onHookFailure"]
    assert.includeMembers(Object.keys(properties), fields)
    assert.deepInclude(properties.logFormat, { enum: ["text", "json"] })
    assert.match(
      "tcp://loghost:601",
      new RegExp(
        properties.logSinks.items.properties.address.allOf?.[0]?.pattern ??
          properties.logSinks.items.properties.address.pattern,
        "u"
      )
    )
  })
})

describe("cni-passthrough without a subcommand", () => {
  it("prints its help, with examples", () => {
    const { stdout } = call("--help")
    assert.match(stdout, /run .*\n\s+show .*\n\s+instrument .*\n\s+validate .*\n\s+install .*\n\s+schema /)
    assert.include(stdout, "EXAMPLES")
  })

  it("completes commands in a shell", () => {
    assert.include(call("--completions", "bash").stdout, "instrument")
  })

  it("refuses what it does not know, with status 1", () => {
    assert.strictEqual(call("frobnicate").status, 1)
  })
})
