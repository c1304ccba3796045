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

  it("says at once what folder cannot be made", () => {
    const { status, stderr } = call("install", "--to", "/proc/none/bin")
    assert.strictEqual(status, 2)
    assert.include(stderr, "cannot write /proc/none/bin: there is no such file or folder")
  })
})
