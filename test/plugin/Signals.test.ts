/** What is left of a run that is stopped in the middle. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, path, plugin, processesWith, records, temporary } from "../support/plugin.ts"

/** Starts an ADD whose hook never ends, and sends a signal once the hook runs. */
const interrupt = async (signal: NodeJS.Signals, log: string, sleep: string) => {
  const child = ChildProcess.spawn(plugin, { env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" } })
  let stdout = ""
  child.stdout.on("data", (chunk) => (stdout += chunk))
  const hookADD = [`echo started > ${log}.started; sleep ${sleep}`]
  child.stdin.end(JSON.stringify({ cniVersion: "1.1.0", name: "n", logFile: log, logFormat: "json", hookADD }))
  while (!Fs.existsSync(`${log}.started`)) await new Promise((resolve) => setTimeout(resolve, 10))
  child.kill(signal)
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve))
  return { code, stdout }
}

describe("in the middle of a hook", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`${signal} kills the hook and answers with code 11: try again`, async () => {
      using folder = temporary()
      const log = Path.join(folder.path, "log.jsonl")
      const sleep = `7${process.pid}.${signal === "SIGTERM" ? 1 : 2}`
      const { code, stdout } = await interrupt(signal, log, sleep)
      assert.strictEqual(code, 1)
      assert.strictEqual(JSON.parse(stdout).code, 11)
      assert.deepStrictEqual(records(log).map(({ event }) => event), ["request", "error"])
      assert.deepStrictEqual(processesWith(`sleep ${sleep}`), [])
    })
  }

  it("SIGKILL leaves the records so far whole", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    const sleep = `7${process.pid}.3`
    const { stdout } = await interrupt("SIGKILL", log, sleep)
    for (const pid of processesWith(`sleep ${sleep}`)) process.kill(Number(pid), "SIGKILL")
    assert.strictEqual(stdout, "")
    assert.deepStrictEqual(records(log).map(({ event }) => event), ["request"])
  })
})
