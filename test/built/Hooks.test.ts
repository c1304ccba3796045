/** Hooks through the built plugin: real commands, and what they must not do to the runtime. */
import { assert, describe, it } from "@effect/vitest"
import * as Path from "node:path"
import { call, processesWith, records, temporary } from "../support/plugin.ts"

/** Numbers nobody else sleeps for, so that our processes can be told from others. */
const ownSleep = (() => {
  let next = 60 + process.pid / 1e7
  return () => (next += 1).toFixed(7)
})()

describe("hooks", () => {
  it("run one after the other with the CNI_ variables and the document, and are logged in order", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    const hookADD = ["echo $CNI_IFNAME", { command: ["printenv", "CNI_CONTAINERID"] }, "cat", "echo no >&2; exit 3"]
    const { code } = await call("ADD", { logFile: log, logFormat: "json", hookADD })

    assert.strictEqual(code, 0)
    const hooks = records(log).filter(({ event }) => event === "hook").map(({ hook }) => hook)
    assert.deepStrictEqual(hooks.map(({ command }) => command), [
      "echo $CNI_IFNAME",
      ["printenv", "CNI_CONTAINERID"],
      "cat",
      "echo no >&2; exit 3"
    ])
    assert.strictEqual(hooks[0].stdout, "eth0\n")
    assert.strictEqual(hooks[1].stdout, "container-1\n")
    assert.strictEqual(JSON.parse(hooks[2].stdout).name, "testing-net")
    assert.deepStrictEqual([hooks[3].stderr, hooks[3].exitCode], ["no\n", 3])
    assert.deepStrictEqual(records(log).map(({ event }) => event), [
      "request",
      "hook",
      "hook",
      "hook",
      "hook",
      "result"
    ])
    assert.strictEqual(new Set(records(log).map(({ invocation }) => invocation)).size, 1)
  })

  it("find the request on disk when they start", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    await call("ADD", { logFile: log, logFormat: "json", hookADD: [`cat ${log}`] })
    assert.strictEqual(JSON.parse(records(log)[1].hook.stdout).event, "request")
  })

  it("leave processes in the background without delaying the runtime", async () => {
    const sleep = ownSleep()
    const started = performance.now()
    const { code } = await call("ADD", { hookADD: [`sleep ${sleep} & echo started`] })
    const waited = performance.now() - started
    const left = processesWith(`sleep ${sleep}`)
    for (const pid of left) process.kill(Number(pid), "SIGKILL")

    assert.strictEqual(code, 0)
    assert.strictEqual(left.length, 1)
    assert.isBelow(waited, Number(sleep) * 1000 / 4)
  })

  it("are killed with all of their processes when their time is up", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    const sleep = ownSleep()
    const hookADD = [`sleep ${sleep} & sleep ${sleep}; wait`]
    const { code } = await call("ADD", { logFile: log, logFormat: "json", hookADD, hookTimeout: "1s" })

    assert.strictEqual(code, 0)
    const { hook } = records(log)[1]
    assert.deepStrictEqual([hook.timedOut, hook.signal, hook.exitCode], [true, "SIGKILL", null])
    assert.isBelow(hook.durationMs, 30_000)
    assert.deepStrictEqual(processesWith(`sleep ${sleep}`), [])
  })

  it("fail the request where the configuration says so, with the first failure, after all of them ran", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    const hookADD = ["exit 7", "exit 8", "true"]
    const failed = await call("ADD", { logFile: log, logFormat: "json", hookADD, onHookFailure: "fail" })
    assert.strictEqual(failed.code, 1)
    assert.strictEqual(JSON.parse(failed.stdout).code, 100)
    assert.include(JSON.parse(failed.stdout).msg, `"exit 7" failed with exit status 7`)
    assert.strictEqual(records(log).filter(({ event }) => event === "hook").length, 3)

    const late = await call("ADD", { hookADD: [{ command: "sleep 9", timeout: "50ms" }], onHookFailure: "fail" })
    assert.strictEqual(JSON.parse(late.stdout).code, 101)
    assert.strictEqual((await call("DEL", { hookDEL: hookADD, onHookFailure: "fail" })).code, 0)
  })

  for (const command of ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]) {
    it(`exist for ${command}`, async () => {
      using folder = temporary()
      const log = Path.join(folder.path, "log.jsonl")
      await call(command, { logFile: log, logFormat: "json", [`hook${command}`]: ["echo ran"] })
      assert.strictEqual(records(log)[1].hook.stdout, "ran\n")
    })
  }
})
