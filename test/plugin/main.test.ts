/** The plugin as a process, under both engines. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Stub from "../../src/wrap/Stub.ts"
import { type Engine, engines } from "../support/engines.ts"
import { attachment, path, records, repository, temporary } from "../support/plugin.ts"
import { script } from "../support/scripts.ts"
import { until } from "../support/until.ts"

interface Call {
  readonly config?: object
  readonly env?: { readonly [name: string]: string }
  readonly args?: ReadonlyArray<string>
  readonly via?: string
}

const defaults = { cniVersion: "1.1.0", name: "n", type: "passthrough" }

/** Starts our plugin under an engine by a name, which is a file that loads its source. */
const start = (engine: Engine, name: string, { args = [], config = {}, env = {}, via }: Call) => {
  Fs.writeFileSync(name, `import(${JSON.stringify(`${repository}/src/plugin/main.ts`)})\n`)
  const [program, ...rest] = via === undefined
    ? [engines[engine], name, ...args] as const
    : ["/bin/bash", "--norc", "-c", `${via} exec -a "$0" "$@"`, name, engines[engine], name, ...args] as const
  const child = ChildProcess.spawn(program, rest, {
    argv0: via === undefined ? name : program,
    env: { PATH: path, ...attachment, CNI_COMMAND: "ADD", ...env },
    cwd: "/"
  })
  const output = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => output[name] += chunk)
  const ended = new Promise<
    { readonly stdout: string; readonly stderr: string; readonly status: number | string | null }
  >(
    (resolve) => child.on("close", (code, signal) => resolve({ ...output, status: signal ?? code }))
  )
  child.stdin.on("error", () => {})
  child.stdin.end(JSON.stringify({ ...defaults, ...config }))
  return { child, ended, output }
}

for (const engine of Object.keys(engines) as ReadonlyArray<Engine>) {
  describe(`the plugin under ${engine}`, () => {
    const called = (folder: string, call: Call) => start(engine, `${folder}/passthrough`, call)

    it("answers, and ends with status 0", async () => {
      using folder = temporary()
      const prevResult = { cniVersion: "1.1.0", ips: [{ address: "10.0.0.2/24" }] }
      const logFile = `${folder.path}/log`
      const { ended } = called(folder.path, { config: { prevResult, logFile, logFormat: "json" } })
      assert.deepStrictEqual(await ended, { stdout: JSON.stringify(prevResult), stderr: "", status: 0 })
      assert.deepStrictEqual(records(logFile).map(({ event }) => event), ["request", "result"])
    })

    it("ends with status 1 and an error document where that fails", async () => {
      using folder = temporary()
      const { status, stdout } = await called(folder.path, { config: { logFile: 5 } }).ended
      assert.deepStrictEqual([status, JSON.parse(stdout).code], [1, 7])
    })

    if (engine === "Node.js") return // which takes long to start

    it("runs hooks, and ends with status 1 and an error document where one fails", async () => {
      using folder = temporary()
      const config = { hookADD: [`echo ran >> ${folder.path}/ran; exit 3`], onHookFailure: "fail" }
      const { status, stdout } = await called(folder.path, { config }).ended
      assert.strictEqual(status, 1)
      assert.match(JSON.parse(stdout).msg, /failed with exit status 3$/)
      assert.strictEqual(Fs.readFileSync(`${folder.path}/ran`, "utf8"), "ran\n")
    })

    it("says to people what it is, on stderr alone", async () => {
      using folder = temporary()
      for (const call of [{ env: { CNI_COMMAND: "" } }, { args: ["--help"] }]) {
        const { status, stderr, stdout } = await called(folder.path, call).ended
        assert.deepStrictEqual([status, stdout], [0, ""])
        assert.match(stderr, /^CNI plugin passthrough v\d.*\n(?:.*\n)+$/)
      }
    })

    it("is refused in the network namespace of the host", async () => {
      using folder = temporary()
      const { stdout } = await called(folder.path, { env: { CNI_NETNS: "/proc/self/ns/net" } }).ended
      assert.strictEqual(JSON.parse(stdout).msg, "plugin's netns and netns from CNI_NETNS should not be the same")
    })

    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it(`ends with an error document by ${signal} while a hook runs`, async () => {
        using folder = temporary()
        const begun = `${folder.path}/begun`
        const { child, ended } = called(folder.path, { config: { hookADD: [`touch ${begun}; exec sleep 600`] } })
        await until("the hook runs", () => Fs.existsSync(begun))
        child.kill(signal)
        const { status, stdout } = await ended
        assert.strictEqual(status, 1)
        assert.strictEqual(JSON.parse(stdout).code, 11)
      })
    }
  })

  describe(`around a plugin under ${engine}`, () => {
    /** A folder whose plugin `demo` is this script, and a run around it. */
    const around = (text: string, call: Call = {}, fields: object = {}) => {
      const root = temporary()
      const places = Stub.places(`${Fs.realpathSync(root.path)}/bin`)
      Fs.mkdirSync(places.plugins, { recursive: true })
      script(`${places.plugins}/demo`, text)
      const stub = `${places.folder}/demo`
      Fs.writeFileSync(stub, Stub.text(places), { mode: 0o755 })
      const log = `${root.path}/log`
      const logSinks = [{ type: "file", path: log, format: "json" }]
      Fs.writeFileSync(places.config, JSON.stringify({ logSinks, ...fields }))
      return {
        ...start(engine, places.executable, { ...call, args: [stub, ...call.args ?? []] }),
        stub,
        records: () => records(log),
        [Symbol.dispose]: root[Symbol.dispose]
      }
    }

    it("it gets what we get, gives what it gives, and the log has it", async () => {
      using demo = around("cat; echo \" $* $A\"; echo said >&2; exit 3", { args: ["x", "y"], env: { A: "1" } })
      const stdin = JSON.stringify(defaults)
      assert.deepStrictEqual(await demo.ended, { stdout: `${stdin} x y 1\n`, stderr: "said\n", status: 3 })
      const plugin = demo.records().find(({ event }) => event === "plugin")
      assert.deepInclude(plugin.plugin, { type: "demo", exitCode: 3, stderr: "said\n" })
    })

    if (engine === "Node.js") return

    it("we end by the signal that ended it", async () => {
      using demo = around("echo half; kill -KILL $$")
      assert.deepStrictEqual(await demo.ended, { stdout: "half\n", stderr: "", status: "SIGKILL" })
    })

    it("a signal to stop goes on to it, and we end as it does", async () => {
      using demo = around("trap 'echo stopped; exit 5' TERM; echo begun; while :; do sleep 0.05; done")
      await until("it has begun", () => demo.output.stdout !== "")
      demo.child.kill("SIGTERM")
      assert.deepStrictEqual(await demo.ended, { stdout: "begun\nstopped\n", stderr: "", status: 5 })
    })

    it("that is missing, an error document says so", async () => {
      using demo = around("true")
      await demo.ended
      using missing = around("rm -f \"$0\"; exit 0")
      await missing.ended
      const { status, stdout } = await start(engine, `${missing.stub.replace(/demo$/, "")}.passthrough/passthrough`, {
        args: [missing.stub]
      }).ended
      assert.strictEqual(status, 1)
      assert.match(JSON.parse(stdout).msg, /^failed to find plugin "demo" in path \[/)
    })
  })
}

describe("around a plugin under Bun", () => {
  it("signals that we were started to ignore are ignored by it too", async () => {
    using folder = temporary()
    const places = Stub.places(`${Fs.realpathSync(folder.path)}/bin`)
    Fs.mkdirSync(places.plugins, { recursive: true })
    script(`${places.plugins}/demo`, "grep SigIgn /proc/self/status; printf %s \"$ODD\" | od -An -tx1")
    Fs.writeFileSync(`${places.folder}/demo`, Stub.text(places), { mode: 0o755 })
    const { stdout } = await start("Bun", places.executable, {
      args: [`${places.folder}/demo`],
      via: "trap '' TERM HUP; export ODD=$'\\xff1';"
    }).ended
    const [, ignored = "", odd] = /^SigIgn:\t(\w+)\n(.*)\n$/.exec(stdout) ?? []
    assert.deepStrictEqual([BigInt(`0x${ignored}`) & 0x7fffffffn, odd], [0x4001n, " ff 31"])
  })
})
