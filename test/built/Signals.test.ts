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

/** Starts an ADD, and hands over the streams. */
const start = (
  config: string,
  options: { readonly close?: boolean; readonly via?: ReadonlyArray<string> } = {}
) => {
  const [program = plugin, ...args] = [...(options.via ?? []), plugin]
  const child = ChildProcess.spawn(program, args, { env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" } })
  child.stdin.on("error", () => {})
  if (options.close === false) child.stdin.write(config)
  else child.stdin.end(config)
  return child
}

const ended = (child: ChildProcess.ChildProcess) =>
  new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) =>
    child.on("exit", (code, signal) => resolve({ code, signal }))
  )

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe("while stdin is still open", () => {
  const viaPipe = (signal: string) =>
    ChildProcess.spawnSync(
      "/bin/bash",
      [
        "-c",
        `{ printf '{'; sleep 9${
          process.pid % 1000
        }; } | { "$0" & sleep 0.7; kill -${signal} $!; wait $!; echo " $?"; }`,
        plugin
      ],
      { env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" }, encoding: "utf8", timeout: 5000 }
    )

  it("SIGTERM is answered with code 11 at once, over a socket", async () => {
    const child = start("{", { close: false })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    const exit = ended(child)
    await pause(700)
    const told = performance.now()
    child.kill("SIGTERM")
    assert.deepStrictEqual(await exit, { code: 1, signal: null })
    assert.isBelow(performance.now() - told, 2000)
    assert.strictEqual(JSON.parse(stdout).code, 11)
    child.stdin.destroy()
  })

  it("SIGTERM is answered with code 11 at once, over a pipe", () => {
    const { stdout } = viaPipe("TERM")
    const [, document = "", code] = /^(\{.*\}) (\d+)\n$/.exec(stdout) ?? []
    assert.deepStrictEqual([code, JSON.parse(document).code], ["1", 11])
  })
})

describe("while the answer is on its way out", () => {
  const prevResult = { cniVersion: "1.1.0", pad: "x".repeat(2_000_000) }
  const config = JSON.stringify({ cniVersion: "1.1.0", name: "n", prevResult })

  const nonBlocking = "fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK); exec @ARGV"

  it("SIGTERM ends the run, and never appends a second document", async () => {
    const child = start(config, { via: ["perl", "-MFcntl", "-e", nonBlocking] })
    const exit = ended(child)
    child.stdout.pause()
    await pause(1500)
    child.kill("SIGTERM")
    await pause(300)
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk)).resume()
    const { code, signal } = await exit
    assert.isTrue(signal !== null || code !== null)
    assert.notInclude(stdout, `"code":11`)
    assert.isTrue(JSON.stringify(prevResult).startsWith(stdout), "only what belongs to the answer came")
  })
})
