/** The configuration of logrotate, with a folder of the test in place of /var/log/cni. */
import { assert, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { repository, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"

/** A folder of logs, and how to rotate them. */
const setUp = (mode = 0o755) => {
  const root = temporary()
  const logs = `${root.path}/logs`
  Fs.mkdirSync(logs)
  Fs.chmodSync(logs, mode)
  const text = Fs.readFileSync(`${repository}/conf/passthrough.logrotate`, "utf8")
  Fs.writeFileSync(`${root.path}/conf`, text.replaceAll("/var/log/cni", logs))
  return {
    logs,
    write: (name: string, daysAgo = 0) => {
      Fs.writeFileSync(`${logs}/${name}`, "{}\n")
      const time = Date.now() / 1000 - daysAgo * 86_400
      Fs.utimesSync(`${logs}/${name}`, time, time)
    },
    rotate: () => {
      const args = ["--force", "--state", `${root.path}/state`, `${root.path}/conf`]
      const { status, stderr } = ChildProcess.spawnSync("logrotate", args, { encoding: "utf8" })
      return { status, stderr, files: Fs.readdirSync(logs).sort() }
    },
    [Symbol.dispose]: root[Symbol.dispose]
  }
}

describeWith(["logrotate"], "the configuration of logrotate", () => {
  it("rotates logs, and compresses them the next time", () => {
    using host = setUp()
    host.write("passthrough.jsonl")
    host.write("debug.log")
    host.write("other")
    assert.deepStrictEqual(host.rotate(), {
      status: 0,
      stderr: "",
      files: ["debug.log.1", "other", "passthrough.jsonl.1"]
    })
    host.write("passthrough.jsonl")
    assert.deepStrictEqual(host.rotate().files, [
      "debug.log.1",
      "other",
      "passthrough.jsonl.1",
      "passthrough.jsonl.2.gz"
    ])
  })

  it("removes old logs of single containers, which are not written any more", () => {
    using host = setUp()
    for (const name of ["gone.jsonl.1", "gone.log.2.gz", "gone.notes"]) host.write(name, 40)
    for (const name of ["recent.jsonl.1", "here.jsonl"]) host.write(name, 20)
    assert.deepStrictEqual(host.rotate().files, ["gone.notes", "here.jsonl.1", "recent.jsonl.1"])
  })

  it("works in a folder that a group may write to", () => {
    using host = setUp(0o2775)
    Fs.chownSync(host.logs, 0, 4)
    host.write("passthrough.jsonl")
    assert.deepStrictEqual(host.rotate(), { status: 0, stderr: "", files: ["passthrough.jsonl.1"] })
  })
})
