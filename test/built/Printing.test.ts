/** What the command prints, to readers that are slow. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { command, path, temporary } from "../support/plugin.ts"

describe("a command that fails", () => {
  it("prints all of it first, to a pipe that is full for a while too", () => {
    using folder = temporary()
    const file = `${folder.path}/n.conflist`
    // More findings than fit into a pipe, each with a path that is quoted in full.
    const long = "x".repeat(2000)
    const plugins = Array.from({ length: 90 }, () => ({ type: "bridge", [`hairpinMod${long}`]: true, mtu: long }))
    Fs.writeFileSync(file, JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins }))
    const { stdout } = ChildProcess.spawnSync(
      "bash",
      ["-c", "{ \"$1\" validate \"$2\" --json; echo \"status $?\" >&2; } | { sleep 1; cat; }", "bash", command, file],
      { env: { PATH: path }, encoding: "utf8" }
    )
    assert.isAbove(stdout.length, 65_536)
    assert.isAbove(JSON.parse(stdout).findings.length, 80)
  })
})
