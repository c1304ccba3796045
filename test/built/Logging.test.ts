/** Logging through the built plugin: real files, many processes, and paths that an attacker prepared. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { call, records, temporary } from "../support/plugin.ts"

describe("one log of many processes", () => {
  it("has every record of 100 runs at once, each a line of its own", async () => {
    using folder = temporary()
    const log = Path.join(folder.path, "log.jsonl")
    const config = {
      logFile: log,
      logFormat: "json",
      // A hundred at once on a busy machine take longer than the defaults allow.
      logTimeout: "10m",
      hookTimeout: "10m",
      hookADD: ["echo hook"],
      prevResult: { big: "x".repeat(20_000) }
    }
    const ids = Array.from({ length: 100 }, (_, index) => `container-${index}`)
    const runs = await Promise.all(ids.map((id) => call("ADD", config, { CNI_CONTAINERID: id })))

    assert.deepStrictEqual(runs.filter(({ code }) => code !== 0), [])
    const seen = records(log).map(({ containerId, event }) => `${containerId} ${event}`)
    const expected = ids.flatMap((id) => ["request", "hook", "result"].map((event) => `${id} ${event}`))
    assert.deepStrictEqual(seen.sort(), expected.sort())
  })
})

describe("the path of a log", () => {
  it("runs no command", async () => {
    using folder = temporary()
    const name = "$(touch ran)`touch ran`*"
    const { code } = await call("ADD", { logFile: Path.join(folder.path, name) })
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [name])
  })

  it("never leaves its folder, whatever the request says", async () => {
    using folder = temporary()
    await call("ADD", { logFile: `${folder.path}/\${CNI_ARGS}/\${K8S_POD_NAME}.log` }, {
      CNI_ARGS: "K8S_POD_NAME=../../escaped;X=.."
    })
    const files = Fs.readdirSync(folder.path, { recursive: true, encoding: "utf8" }).sort()
    assert.deepStrictEqual(files, [
      "K8S_POD_NAME=.._.._escaped;X=..",
      "K8S_POD_NAME=.._.._escaped;X=../.._.._escaped.log"
    ])
  })

  const prepare: { readonly [name: string]: (path: string) => string } = {
    "a symbolic link": (path) => {
      Fs.writeFileSync(`${path}.elsewhere`, "")
      Fs.symlinkSync(`${path}.elsewhere`, path)
      return path
    },
    "a folder": (path) => {
      Fs.mkdirSync(path)
      return path
    },
    "a FIFO without a reader": (path) => {
      ChildProcess.execFileSync("mkfifo", [path])
      return path
    },
    "a full disk": () => "/dev/full",
    "a hard link": (path) => {
      Fs.writeFileSync(`${path}.elsewhere`, "")
      Fs.linkSync(`${path}.elsewhere`, path)
      return path
    },
    ...(process.getuid?.() === 0
      ? {
        "another user's": (path: string) => {
          Fs.writeFileSync(path, "", { mode: 0o666 })
          Fs.chownSync(path, 65_533, 0)
          return path
        },
        "in a folder of another user": (path: string) => {
          Fs.mkdirSync(`${path}.theirs`)
          Fs.chownSync(`${path}.theirs`, 65_533, 0)
          return `${path}.theirs/log`
        }
      }
      : {}),
    "a name of 300 bytes": (path) => path + "x".repeat(300)
  }
  for (const [name, make] of Object.entries(prepare)) {
    it(`that is ${name} is error 5 on ADD, 50 on STATUS, and no failure of DEL`, async () => {
      using folder = temporary()
      const logFile = make(Path.join(folder.path, "log"))
      const codes = async (command: string, config: object = {}) => {
        const { code, stderr, stdout } = await call(command, { logFile, ...config })
        return {
          code,
          error: stdout === "" || code === 0 ? undefined : JSON.parse(stdout).code,
          lines: stderr.split("\n").length - 1
        }
      }
      assert.deepStrictEqual(await codes("ADD"), { code: 1, error: 5, lines: 0 })
      assert.deepStrictEqual(await codes("STATUS"), { code: 1, error: 50, lines: 0 })
      assert.deepStrictEqual(await codes("DEL"), { code: 0, error: undefined, lines: 1 })
      assert.deepStrictEqual(await codes("ADD", { onLogFailure: "ignore" }), { code: 0, error: undefined, lines: 1 })
      assert.isFalse(Fs.existsSync(`${logFile}.elsewhere`) && Fs.statSync(`${logFile}.elsewhere`).size > 0)
    })
  }
})

describe("a refused request", () => {
  it("is logged where the document can be read far enough to name a sink", async () => {
    using folder = temporary()
    const logFile = Path.join(folder.path, "log.jsonl")
    await call("ADD", { logFile, logFormat: "json" }, { CNI_NETNS: "" })
    await call("CHECK", { logFile, logFormat: "json", cniVersion: "0.3.1" })
    await call("ADD", { logFile, logFormat: "json", hookADD: 3 })
    assert.deepStrictEqual(records(logFile).map(({ error, event }) => [event, error?.code]), [
      ["request", undefined],
      ["error", 4],
      ["request", undefined],
      ["error", 1],
      ["request", undefined],
      ["error", 7]
    ])
  })

  it("keeps its own error when the log fails too", async () => {
    const { stdout } = await call("ADD", { logFile: "/dev/full" }, { CNI_NETNS: "" })
    assert.strictEqual(JSON.parse(stdout).code, 4)
  })
})
