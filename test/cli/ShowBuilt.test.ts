/** Logs of the built plugin, as the built `cni-passthrough show` reads them. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { call, command, path, temporary } from "../support/plugin.ts"
import { until } from "../support/until.ts"

const config = (log: string) => ({
  logFile: log,
  logFormat: "json",
  hookADD: ["[ $CNI_CONTAINERID != bad ]"],
  onHookFailure: "fail",
  label: "tap"
})

/** Three attachments, of which one fails. */
const makeLog = async (folder: string) => {
  const log = Path.join(folder, "all.jsonl")
  for (const id of ["good-1", "good-2", "bad"]) await call("ADD", config(log), { CNI_CONTAINERID: id })
  await call("DEL", config(log), { CNI_CONTAINERID: "good-1" })
  return log
}

/** The two records of a tap, of 700 bytes each. */
const largeRun = (number: number): string => {
  const result = {
    interfaces: ["cni0", "veth0", "eth0"].map((name) => ({ name, mac: "aa:bb:cc:dd:ee:ff", sandbox: "/run/netns/x" })),
    ips: [{ address: `10.88.${number >> 8}.${number & 255}/16`, gateway: "10.88.0.1", interface: 2 }],
    routes: [{ dst: "0.0.0.0/0" }]
  }
  const common = {
    time: new Date(Date.UTC(2026, 10, 24) + number * 100).toISOString(),
    invocation: `${number}`,
    command: "ADD",
    containerId: (number >> 1).toString(16).padStart(64, "0"),
    ifname: "eth0",
    network: "n",
    label: `tap-${number & 1}`
  }
  const padding = "x".repeat(150)
  const request = { ...common, event: "request", args: padding, config: { padding, prevResult: result } }
  return `${JSON.stringify(request)}\n${
    JSON.stringify({ ...common, event: "result", durationMs: 1, padding, result })
  }\n`
}

const shell = (script: string) =>
  ChildProcess.spawnSync("/bin/sh", ["-c", script, "sh", command], {
    env: { PATH: path },
    encoding: "utf8",
    maxBuffer: 2 ** 28
  })

describe("the built cni-passthrough show", () => {
  it("shows what the built plugin logged", async () => {
    using folder = temporary()
    const { status, stderr, stdout } = shell(`"$1" show ${await makeLog(folder.path)}`)
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.deepStrictEqual(stdout.match(/^[A-Z]+ .*of \S+/gm), [
      "ADD eth0 of good-1",
      "ADD eth0 of good-2",
      "ADD eth0 of bad",
      "DEL eth0 of good-1"
    ])
  })

  it("follows a log, past its rotation", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    const child = ChildProcess.spawn(command, ["show", "--follow", log], { env: { PATH: path } })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    await until("the first operations are shown", () => stdout.includes("DEL eth0 of good-1"))
    await call("ADD", config(log), { CNI_CONTAINERID: "just-before" })
    Fs.renameSync(log, `${log}.1`)
    await call("ADD", config(log), { CNI_CONTAINERID: "later" })
    await until("the next ones are shown", () => /of just-before[^]*of later/.test(stdout))
    assert.strictEqual(stdout.match(/ADD eth0 of good-1/g)?.length, 1)
    child.kill("SIGINT")
    await new Promise((resolve) => child.on("close", resolve))
  })

  it("follows more files than it may have open", async () => {
    using folder = temporary()
    const names = Array.from({ length: 300 }, (_, index) => Path.join(folder.path, `${index}.jsonl`))
    for (const name of names) Fs.writeFileSync(name, "")
    const script = `ulimit -n 128; exec "$0" show --follow '${folder.path}/*.jsonl'`
    const child = ChildProcess.spawn("/bin/sh", ["-c", script, command], { env: { PATH: path } })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    child.stderr.on("data", (chunk) => (stderr += chunk))
    for (const index of [0, 150, 299]) {
      await call("ADD", config(names[index] ?? ""), { CNI_CONTAINERID: `in-${index}` })
      await until(`what is in file ${index} is shown`, () => stdout.includes(`of in-${index}`))
    }
    assert.strictEqual(stderr, "")
    child.kill("SIGINT")
    await new Promise((resolve) => child.on("close", resolve))
  })

  it("is cut short without a complaint", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    for (let doubled = 0; doubled < 10; doubled++) Fs.appendFileSync(log, Fs.readFileSync(log))
    assert.strictEqual(shell(`"$1" show ${log} | head -n 1 >/dev/null`).stderr, "")
  })

  it("says where its output does not fit on the disk", async () => {
    using folder = temporary()
    const { status, stderr } = shell(`"$1" show ${await makeLog(folder.path)} > /dev/full`)
    assert.strictEqual(status, 2)
    assert.match(stderr, /cannot write to stdout: ENOSPC/)
  })

  it("cannot begin with a flag that it does not understand", () => {
    const { status, stderr, stdout } = shell(`"$1" show --since yesterday x`)
    assert.deepStrictEqual([status, stdout], [2, ""])
    assert.match(stderr, /--since: found "yesterday", expected a time/)
  })

  it("is neither ended nor blinded by a hostile record", async () => {
    using folder = temporary()
    const log = await makeLog(folder.path)
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`
    const routes = JSON.stringify(Array.from({ length: 5000 }, () => ({ dst: "0.0.0.0/0" })))
    for (const [number, key] of ["constructor", "toString", "__proto__", "hasOwnProperty"].entries()) {
      const common =
        `"time":"2026-11-24T10:00:0${number}Z","invocation":"${key}","containerId":"${key}","command":"ADD"`
      const result = `{"${key}":[{"dst":"x"}],"deep":${deep},"routes":${routes}}`
      Fs.appendFileSync(log, `{${common},"event":"request","config":{"prevResult":{"deep":[${deep}]}}}\n`)
      Fs.appendFileSync(log, `{${common},"event":"result","durationMs":1,"result":${result}}\n`)
    }
    for (const flags of ["", "--full", "--json", "--json --full"]) {
      const { status, stderr, stdout } = shell(`"$1" show ${flags} ${log}`)
      assert.deepStrictEqual([status, stderr], [0, ""])
      for (const id of ["good-2", "constructor", "toString", "__proto__", "hasOwnProperty"]) assert.include(stdout, id)
    }
  })

  it("reads 100,000 records of 70 MB with 250 MiB of memory", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "large.jsonl")
    const file = Fs.openSync(log, "w")
    for (let number = 0; number < 50_000; number++) Fs.writeSync(file, largeRun(number))
    Fs.closeSync(file)
    assert.isAtLeast(Fs.statSync(log).size, 70_000_000)
    const child = ChildProcess.spawn(command, ["show", log], { env: { PATH: path }, stdio: "ignore" })
    let peak = 0 // in KiB
    const timer = setInterval(() => {
      const [, used = "0"] = /VmHWM:\s+(\d+)/.exec(Fs.readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? []
      peak = Math.max(peak, Number(used))
    }, 10)
    const status = await new Promise((resolve) => child.on("exit", resolve))
    clearInterval(timer)
    assert.strictEqual(status, 0)
    assert.isAtMost(peak, 250 * 1024)
  })
})
