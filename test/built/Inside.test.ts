/** `cni-passthrough run`, with a plugin that starts another one. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { command, path, temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

/** Answers VERSION, and otherwise does what it is told to. */
const plugin = (script: string) =>
  `case $CNI_COMMAND in VERSION) exec echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}' ;; esac
${script}`

/** A folder with `outer`, which starts `inner` as the CNI path has it, and hands on its error. */
const make = () => {
  const folder = temporary()
  Scripts.script(`${folder.path}/outer`, plugin(`PATH=$CNI_PATH:$PATH exec inner`))
  Scripts.script(`${folder.path}/inner`, plugin(`echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses"}'; exit 1`))
  const conf = `${folder.path}/n.conflist`
  Fs.writeFileSync(conf, JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "outer" }] }))
  const call = (...args: ReadonlyArray<string>) =>
    ChildProcess.spawnSync(command, args, { env: { PATH: path }, encoding: "utf8" })
  return {
    call,
    path: folder.path,
    add: () =>
      call(
        "run",
        "add",
        conf,
        "--netns",
        "/x",
        "--cni-path",
        folder.path,
        "--cache-dir",
        `${folder.path}/cache`,
        "--tap"
      ),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

describe("the plugin that failed inside another one is named by run", () => {
  it("where both are as they were installed", () => {
    using host = make()
    assert.include(host.add().stdout, "✗ inner in outer: code 11: no addresses")
  })

  it("where both are wrapped, and their own log has both, too", () => {
    using host = make()
    const log = `${host.path}/log.jsonl`
    assert.strictEqual(host.call("wrap", "outer", "inner", "--dir", host.path, "--log", log).status, 0)
    assert.include(host.add().stdout, "✗ inner in outer: code 11: no addresses")
    assert.include(host.call("show", "--failed", log).stdout, "✗ inner in outer: code 11: no addresses")
  })
})
