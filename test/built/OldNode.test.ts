/** What a Node.js that is too old says, as the script under it: an old one is pretended by a module loaded before it. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, command, plugin, temporary } from "../support/plugin.ts"

const run = (script: string, env: { readonly [name: string]: string }) => {
  using folder = temporary()
  const old = Path.join(folder.path, "old.cjs")
  Fs.writeFileSync(
    old,
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })
Object.defineProperty(process, "version", { value: "v20.20.2" })`
  )
  return ChildProcess.spawnSync(process.execPath, ["--require", old, script], { encoding: "utf8", env, input: "{}" })
}

const needs = /needs Node\.js 22\.19\.0 or newer and was started by v20\.20\.2, .*: put a newer node first on the PATH/

describe("a Node.js that is too old", () => {
  it("is named in one error document of the plugin", () => {
    const { status, stderr, stdout } = run(plugin, { ...attachment, CNI_COMMAND: "ADD" })
    const { code, msg } = JSON.parse(stdout)
    assert.deepStrictEqual([status, code, stderr], [1, 50, ""])
    assert.match(msg, needs)
  })

  it("is named in one line to a person who starts the plugin", () => {
    const { status, stderr, stdout } = run(plugin, {})
    assert.deepStrictEqual([status, stdout, stderr.split("\n").length], [1, "", 2])
    assert.match(stderr, needs)
  })

  it("is named in one line of the command", () => {
    const { status, stderr, stdout } = run(command, {})
    assert.deepStrictEqual([status, stdout, stderr.split("\n").length], [2, "", 2])
    assert.match(stderr, needs)
  })
})
