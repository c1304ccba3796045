/** Putting the built plugin into place with the built command. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command, path, temporary } from "../support/plugin.ts"

const call = (...args: ReadonlyArray<string>) =>
  ChildProcess.spawnSync(command, args, { env: { PATH: path }, encoding: "utf8", timeout: 20_000 })

describe("cni-passthrough install", () => {
  it("puts a plugin there that answers, and takes it away again", () => {
    using folder = temporary()
    const to = Path.join(folder.path, "bin")
    const plugin = Path.join(to, "passthrough")
    Fs.mkdirSync(to)
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

  it("says at once that a folder cannot be written", () => {
    const { status, stderr } = call("install", "--to", "/proc")
    assert.strictEqual(status, 2)
    assert.match(stderr, /cannot copy \S+\/passthrough to \/proc: there is no such file or folder/)
  })

  it("takes a folder that is not there for a mistake, and makes none", () => {
    using folder = temporary()
    const { status, stderr, stdout } = call("install", "--to", Path.join(folder.path, "bni"))
    assert.deepStrictEqual([status, stdout], [2, ""])
    assert.include(stderr, `there is no folder ${folder.path}/bni: make it first (mkdir -p), if it is the one`)
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
  })

  it("says what has to lie beside the command where it was copied alone", () => {
    using folder = temporary()
    const copy = Path.join(folder.path, "cni-passthrough")
    Fs.copyFileSync(command, copy)
    const { status, stderr } = ChildProcess.spawnSync(copy, ["install", "--to", folder.path], {
      env: { PATH: path },
      encoding: "utf8",
      timeout: 20_000
    })
    assert.strictEqual(status, 2)
    assert.include(stderr, `there is no passthrough in ${folder.path}: copy it beside this command, from the folder`)
  })
})
