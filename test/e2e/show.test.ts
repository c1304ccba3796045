/** The journal, as `cni-passthrough show` reads it. */
import { assert, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Daemons from "../support/daemons.ts"
import { call, command, path } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import { until } from "../support/until.ts"

describeWith(["systemd", "bsdutils"], "cni-passthrough show --journald", () => {
  it("shows the records of the journal", async () => {
    await using daemon = await Daemons.journald()
    await call("ADD", { logSinks: [{ type: "journald" }], pad: "é" }, { CNI_CONTAINERID: "one" }, daemon.enter)
    daemon.find("CNI_COMMAND=ADD") // waits until it is there
    const [program = "", ...args] = [...daemon.enter, command, "show", "--journald"]
    const { stdout } = ChildProcess.spawnSync(program, args, { env: { PATH: path }, encoding: "utf8" })
    assert.match(stdout, /^ADD eth0 of one on testing-net$/m)
  })

  it("goes on with new ones, with --follow", async () => {
    await using daemon = await Daemons.journald()
    const [program = "", ...args] = [...daemon.enter, command, "show", "--journald", "--follow"]
    const child = ChildProcess.spawn(program, args, { env: { PATH: path } })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    for (const id of ["one", "two"]) {
      await call("ADD", { logSinks: [{ type: "journald" }], pad: "é" }, { CNI_CONTAINERID: id }, daemon.enter)
      await until(`${id} is shown`, () => stdout.includes(`ADD eth0 of ${id} on testing-net\n`))
    }
    child.kill("SIGINT")
    await new Promise((resolve) => child.on("close", resolve))
  })
})
