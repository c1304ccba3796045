/** What is left of a run that is stopped in the middle. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, path, plugin, processesWith, records, temporary } from "../support/plugin.ts"
import { until } from "../support/until.ts"

/** Starts an ADD whose hook never ends, and sends a signal once the hook runs. */
const interrupt = async (signal: NodeJS.Signals, log: string, sleep: string) => {
  const child = ChildProcess.spawn(plugin, { env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" } })
  let stdout = ""
  child.stdout.on("data", (chunk) => (stdout += chunk))
  const hookADD = [`echo started > ${log}.started; sleep ${sleep}`]
  child.stdin.end(JSON.stringify({ cniVersion: "1.1.0", name: "n", logFile: log, logFormat: "json", hookADD }))
  await until("the hook runs", () => Fs.existsSync(`${log}.started`))
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
      // A process that was killed is there until the kernel gets to it.
      await until("the hook is gone", () => processesWith(`sleep ${sleep}`).length === 0)
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
  const given = { socket: [], pipe: ["/bin/bash", "-c", "exec 3<&0; exec \"$0\" < <(exec cat <&3) 3<&-"] }

  /** Sends SIGTERM after a while, and tells how the run ended, with its stdout. */
  const terminated = async (via: ReadonlyArray<string>, after: number) => {
    const child = start("{", { close: false, via })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    const closed = new Promise((resolve) => child.stdout.on("close", resolve))
    const exit = ended(child)
    await pause(after)
    const told = performance.now()
    child.kill("SIGTERM")
    const { code, signal } = await exit
    const took = performance.now() - told
    child.stdin.destroy()
    await closed
    return { code, signal, stdout, took }
  }

  for (const [kind, via] of Object.entries(given)) {
    it(`SIGTERM is answered with code 11 at once, over a ${kind}`, async () => {
      let run = await terminated(via, 500)
      // On a busy machine the engine may not have come as far as to our first line.
      for (let after = 1000; run.signal === "SIGTERM" && after < 60_000; after *= 2) run = await terminated(via, after)
      assert.deepInclude(run, { code: 1, signal: null })
      assert.strictEqual(JSON.parse(run.stdout).code, 11)
      assert.isBelow(run.took, 20_000)
    })
  }
})

describe("while the answer is on its way out", () => {
  const prevResult = { cniVersion: "1.1.0", pad: "x".repeat(2_000_000) }
  const config = JSON.stringify({ cniVersion: "1.1.0", name: "n", prevResult })

  const nonBlocking = "fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK); exec { $ARGV[0] } @ARGV"

  it("SIGTERM ends the run, and never appends a second document", async () => {
    const child = start(config, { via: ["perl", "-MFcntl", "-e", nonBlocking] })
    const exit = ended(child)
    let stdout = ""
    await new Promise<void>((resolve) =>
      child.stdout.on("close", resolve).on("data", (chunk) => {
        if (stdout === "") child.stdout.pause()
        stdout += chunk
        resolve()
      })
    )
    child.kill("SIGTERM")
    await pause(300)
    child.stdout.resume()
    const { code, signal } = await exit
    assert.isTrue(signal !== null || code !== null)
    assert.isAbove(stdout.length, 0)
    assert.notInclude(stdout, `"code":11`)
    assert.isTrue(JSON.stringify(prevResult).startsWith(stdout), "only what belongs to the answer came")
  })
})
