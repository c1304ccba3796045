/** Logs of the built plugin, as `cni-passthrough show` reads them. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Daemons from "../support/daemons.ts"
import { call, command, path, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"

const show = (args: ReadonlyArray<string>, via: ReadonlyArray<string> = []) => {
  const [program = command, ...rest] = [...via, command, "show", ...args]
  return ChildProcess.spawnSync(program, rest, { env: { PATH: path }, encoding: "utf8" })
}

/** The first lines of all operations that are shown. */
const shown = (...args: ReadonlyArray<string>) => show(args).stdout.match(/^[A-Z]+ .*of .*$/gm) ?? []

/** Three attachments, of which one fails. */
const makeLog = async (folder: string) => {
  const log = Path.join(folder, "all.jsonl")
  const config = {
    logFile: log,
    logFormat: "json",
    hookADD: ["[ $CNI_CONTAINERID != bad ]"],
    onHookFailure: "fail",
    label: "tap"
  }
  for (const [id, pod] of [["good-1", "web"], ["good-2", "db"], ["bad", "web"]] as const) {
    await call("ADD", config, { CNI_CONTAINERID: id, CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}` })
  }
  await call("DEL", config, { CNI_CONTAINERID: "good-1" })
  return log
}

describe("cni-passthrough show", () => {
  it("shows what was asked for", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    const ids = (...args: ReadonlyArray<string>) => shown(log, ...args).map((line) => line.replace(/ on .*/, ""))
    const [first, second, third, last] = [
      "ADD eth0 of good-1",
      "ADD eth0 of good-2",
      "ADD eth0 of bad",
      "DEL eth0 of good-1"
    ]
    assert.deepStrictEqual(ids(), [first, second, third, last])
    assert.deepStrictEqual(ids("--container", "good-1"), [first, last])
    assert.deepStrictEqual(ids("--pod", "web"), [first, third])
    assert.deepStrictEqual(ids("--pod", "default/db"), [second])
    assert.deepStrictEqual(ids("--command", "del"), [last])
    assert.deepStrictEqual(ids("--failed"), [third])
    assert.deepStrictEqual(ids("--label", "tap", "--network", "testing-net").length, 4)
    assert.deepStrictEqual(ids("--label", "other"), [])
    assert.deepStrictEqual(ids("--since", "10m").length, 4)
    assert.deepStrictEqual(ids("--until", "10m"), [])
  })

  it("says by its number which line is broken, and passes it over", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    Fs.writeFileSync(log, `{"time":\n${Fs.readFileSync(log, "utf8")}not JSON\n`)
    const { status, stderr, stdout } = show([log])
    assert.strictEqual(status, 0)
    assert.match(stderr, /all\.jsonl:1: no record of a tap, passed over\n.*all\.jsonl:\d+: no record/)
    assert.match(stdout, /ADD eth0 of good-2/)
  })

  it("reads patterns, and says what it cannot read", async () => {
    using folder = temporary()
    await makeLog(folder.path)
    assert.strictEqual(shown(`${folder.path}/*.jsonl`).length, 4)
    const { status, stderr } = show([`${folder.path}/none.jsonl`])
    assert.strictEqual(status, 2)
    assert.match(stderr, /cannot read .*none\.jsonl/)
    assert.strictEqual(show(["--since", "yesterday", "x"]).status, 2)
  })

  it("follows a log, past its rotation", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    const child = ChildProcess.spawn(command, ["show", "--follow", log], { env: { PATH: path } })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    await Daemons.until("the first operations are shown", () => stdout.includes("DEL eth0 of good-1"))
    Fs.renameSync(log, `${log}.1`)
    await call("ADD", { logFile: log, logFormat: "json" }, { CNI_CONTAINERID: "later" })
    await Daemons.until("the next one is shown", () => stdout.includes("ADD eth0 of later"))
    assert.strictEqual(stdout.match(/ADD eth0 of good-1/g)?.length, 1)
    child.kill("SIGINT")
    await new Promise((resolve) => child.on("close", resolve))
  })

  it("is cut short without a complaint", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    const { stderr } = ChildProcess.spawnSync("/bin/sh", ["-c", `"${command}" show ${log} | head -n 1 >/dev/null`], {
      env: { PATH: path },
      encoding: "utf8"
    })
    assert.strictEqual(stderr, "")
  })
})

describeWith(["systemd", "bsdutils"], "cni-passthrough show --journald", () => {
  it("shows the records of the journal", async () => {
    await using daemon = await Daemons.journald()
    await call("ADD", { logSinks: [{ type: "journald" }], pad: "é" }, { CNI_CONTAINERID: "one" }, daemon.enter)
    daemon.find("CNI_COMMAND=ADD") // waits until it is there
    assert.match(show(["--journald"], daemon.enter).stdout, /^ADD eth0 of one on testing-net$/m)
  })
})
