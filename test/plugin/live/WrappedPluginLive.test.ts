/** The plugin that was put aside: where it is found, what it is started with, and how this process ends as it did. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parentVariable } from "../../../src/cni/Environment.ts"
import type { Invocation } from "../../../src/exec/Execution.ts"
import * as Libc from "../../../src/exec/Libc.ts"
import { NotStarted, ProcessRunner } from "../../../src/exec/ProcessRunner.ts"
import * as WrappedPluginLive from "../../../src/plugin/live/WrappedPluginLive.ts"
import type { Unfinished } from "../../../src/plugin/StdinReader.ts"
import * as Stub from "../../../src/wrap/Stub.ts"
import { contents } from "../../support/builtins.ts"
import { temporary } from "../../support/plugin.ts"
import { itAsRoot } from "../../support/requirements.ts"
import { script } from "../../support/scripts.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

/** A folder whose plugin `demo` was put aside, and the same without it. */
const wrapped = () => {
  const root = temporary()
  const folder = `${Fs.realpathSync(root.path)}/bin`
  const places = Stub.places(folder)
  Fs.mkdirSync(places.plugins, { recursive: true })
  const aside = script(`${places.plugins}/demo`, "true")
  const stub = `${folder}/demo`
  Fs.writeFileSync(stub, Stub.text(places), { mode: 0o755 })
  return { root: Path.dirname(folder), folder, places, aside, stub, [Symbol.dispose]: root[Symbol.dispose] }
}

/** The plugin `demo` as called in a folder, and what it was run with. */
const plugin = (
  folder: string,
  { args = [], argv0 = `${folder}/demo`, unfinished }: {
    readonly args?: ReadonlyArray<string>
    readonly argv0?: string
    readonly unfinished?: Unfinished
  } = {}
) => {
  const invocations: Array<Invocation> = []
  const runner = ProcessRunner.of({
    run: (invocation) => {
      invocations.push(invocation)
      return Effect.fail(new NotStarted({ program: "demo", reason: "why", code: "EACCES", cause: undefined }))
    }
  })
  const called = { name: "demo", folder, argv0, arguments: args }
  return { ...WrappedPluginLive.make(called, runner, () => unfinished), invocations }
}

const find = (folder: string, cniPath = "", argv0 = `${folder}/demo`) =>
  Effect.runSync(plugin(folder, { argv0 }).find(cniPath))

describe("the plugin", () => {
  it("is the file that was put aside in the folder that we were called in, or that a link there leads to", () => {
    using host = wrapped()
    assert.strictEqual(find(host.folder), host.aside)
    Fs.mkdirSync(`${host.root}/links`)
    Fs.symlinkSync(host.stub, `${host.root}/links/demo`)
    assert.strictEqual(find(`${host.root}/links`), host.aside)
  })

  it("is what stands in our place, where nothing was put aside", () => {
    using host = wrapped()
    Fs.renameSync(host.aside, host.stub)
    assert.strictEqual(find(host.folder), host.stub)
  })

  it("is the next file of its name on the CNI path that is not us", () => {
    using host = wrapped()
    using next = temporary()
    Fs.rmSync(host.aside)
    Fs.mkdirSync(`${next.path}/1/demo`, { recursive: true })
    for (const name of ["2", "3"]) Fs.mkdirSync(`${next.path}/${name}`)
    Fs.linkSync(host.stub, `${host.root}/linked`)
    Fs.mkdirSync(`${host.root}/again`)
    Fs.linkSync(host.stub, `${host.root}/again/demo`)
    const path = [host.folder, `${host.root}/again`, `${next.path}/none`, `${next.path}/1`, `${next.path}/2`, "3"]
    assert.isUndefined(find(host.folder, path.join(":")))
    script(`${next.path}/3/demo`, "true")
    assert.isUndefined(find(host.folder, path.join(":")))
    assert.strictEqual(find(host.folder, [...path, `${next.path}/3`].join(":")), `${next.path}/3/demo`)
    script(`${next.path}/2/demo`, "true")
    assert.strictEqual(find(host.folder, [...path, `${next.path}/3`].join(":")), `${next.path}/2/demo`)
  })

  it("is in no folder that depends on where we are", () => {
    using host = wrapped()
    using next = temporary()
    Fs.rmSync(host.aside)
    script(`${next.path}/demo`, "true")
    assert.isUndefined(find(host.folder, Path.relative(process.cwd(), next.path)))
    assert.strictEqual(find(host.folder, next.path), `${next.path}/demo`)
  })

  it("may be the stub of another folder that has its plugin", () => {
    using host = wrapped()
    using other = wrapped()
    Fs.rmSync(host.aside)
    assert.strictEqual(find(host.folder, other.folder), other.stub)
    Fs.rmSync(other.aside)
    assert.isUndefined(find(host.folder, other.folder))
  })

  it("is not this executable", () => {
    using host = wrapped()
    Fs.rmSync(host.aside)
    Fs.rmSync(host.stub)
    Fs.symlinkSync(process.execPath, host.stub)
    assert.isUndefined(find(host.folder))
    Fs.rmSync(host.stub)
    Fs.symlinkSync(process.argv[1] ?? "", host.stub)
    assert.isUndefined(find(host.folder))
  })
})

describe("our configuration", () => {
  const config = (folder: string) => Effect.runSync(plugin(folder).config)

  it("is a file of at most a megabyte, and empty where something else is in its place", () => {
    using host = wrapped()
    assert.isUndefined(config(host.folder))
    Fs.writeFileSync(host.places.config, "{}")
    assert.strictEqual(config(host.folder), "{}")
    Fs.writeFileSync(host.places.config, "x".repeat(1_048_576))
    assert.lengthOf(config(host.folder) ?? "", 1_048_576)
    Fs.appendFileSync(host.places.config, "x")
    assert.strictEqual(config(host.folder), "")
    Fs.rmSync(host.places.config)
    ChildProcess.execFileSync("mkfifo", [host.places.config])
    assert.strictEqual(config(host.folder), "")
  })
})

describe("the plugin is started", () => {
  const stdin = Buffer.from("{}")
  const env = { A: "1", [parentVariable]: "0123456789abcdef" }

  it("by its own name, in our place, with what it was called with", () => {
    using host = wrapped()
    const { invocations, run } = plugin(host.folder, { args: ["x", ""], argv0: "./demo" })
    Effect.runSync(Effect.flip(run(host.aside, env, stdin)))
    assert.deepStrictEqual<unknown>(invocations, [{
      argv: [host.aside, "x", ""],
      argv0: "./demo",
      env,
      stdio: "pipes",
      foreground: true,
      limit: 64 * 1_048_576,
      mark: `${parentVariable}=0123456789abcdef`,
      stdin
    }])
  })

  it("with our stdin, or with what follows, where it has not arrived", () => {
    using host = wrapped()
    const next = () => undefined
    const { invocations, run } = plugin(host.folder, { unfinished: { begun: stdin, next } })
    Effect.runSync(Effect.flip(run(host.aside, { A: "1" }, undefined)))
    assert.deepInclude(invocations[0], { moreStdin: next, mark: `${parentVariable}=` })
    assert.notProperty(invocations[0], "stdin")
  })

  it("as a child of our own caller's run, where it is the stub of another folder", () => {
    using host = wrapped()
    using other = wrapped()
    const { invocations, run } = plugin(host.folder)
    const started = (file: string) => {
      Effect.runSync(Effect.flip(run(file, env, stdin)))
      return invocations.at(-1)
    }
    vi.stubEnv(parentVariable, "outer")
    assert.deepStrictEqual(started(other.stub)?.env, { ...env, [parentVariable]: "outer" })
    assert.notProperty(started(other.stub), "mark")
    assert.deepStrictEqual(started(other.aside)?.env, env)
    vi.unstubAllEnvs()
    assert.deepStrictEqual(started(other.stub)?.env, env)
  })

  it("unless it is neither a program nor a script with an interpreter", () => {
    using host = wrapped()
    const { invocations, run } = plugin(host.folder)
    Fs.writeFileSync(host.aside, "echo {}")
    const error = Effect.runSync(Effect.flip(run(host.aside, env, stdin)))
    assert.strictEqual(error.message, `cannot start ${host.aside}: ENOEXEC: exec format error`)
    assert.deepStrictEqual(invocations, [])
    Fs.writeFileSync(host.aside, "\u007fELF")
    Effect.runSync(Effect.flip(run(host.aside, env, stdin)))
    Effect.runSync(Effect.flip(run(`${host.folder}/missing`, env, stdin))) // who starts it says what is wrong
    assert.lengthOf(invocations, 2)
  })

  itAsRoot("unless its user may have few processes, which does not count for root", () => {
    using host = wrapped()
    const { invocations, run } = plugin(host.folder)
    const attempt = (soft: number) => {
      ChildProcess.execFileSync("prlimit", [`--pid=${process.pid}`, `--nproc=${soft}:`])
      return Effect.runSync(Effect.flip(run(host.aside, env, stdin))).message
    }
    const before = /^Max processes\s+(\d+|unlimited)/m.exec(Fs.readFileSync("/proc/self/limits", "utf8"))?.[1] ?? ""
    try {
      const getuid = vi.spyOn(process, "getuid").mockReturnValue(1000)
      assert.strictEqual(attempt(40), "cannot start demo: EACCES: why")
      assert.strictEqual(attempt(39), `cannot start ${host.aside}: EAGAIN: the limit of processes is reached`)
      getuid.mockReturnValue(0)
      assert.strictEqual(attempt(39), "cannot start demo: EACCES: why")
    } finally {
      ChildProcess.execFileSync("prlimit", [`--pid=${process.pid}`, `--nproc=${before}:`])
    }
    assert.lengthOf(invocations, 2)
  })

  describe("under Bun", () => {
    /** Makes this process look like one of Bun. What loads only there was looked for before. */
    const asBun = () => {
      const versions = Object.getOwnPropertyDescriptor(process, "versions") ?? {}
      Libc.load()
      Object.defineProperty(process, "versions", { ...versions, value: { ...process.versions, bun: "1" } })
      return { [Symbol.dispose]: () => void Object.defineProperty(process, "versions", versions) }
    }
    const started = (variables: Invocation["env"]): Invocation | undefined => {
      using host = wrapped()
      using _ = asBun()
      const { invocations, run } = plugin(host.folder)
      Effect.runSync(Effect.flip(run(host.aside, variables, stdin)))
      return invocations[0]
    }
    const entries = (invocation: Invocation | undefined) =>
      invocation?.environment?.map((entry) => Buffer.from(entry).toString("latin1"))

    it("with its variables as texts, where all of them are", () => {
      assert.notProperty(started(env), "environment")
    })

    it("with the trace that we hand on, where one of our variables is no text", () => {
      using _ = contents({ "/proc/self/environ": Buffer.from("TRACEPARENT=old\0TRACEPARENTS=1\0A=1") })
      const odd = { ...env, A: "\ufffd" }
      const run = `${parentVariable}=${env[parentVariable]}`
      assert.deepStrictEqual(entries(started({ ...odd, TRACEPARENT: "new" })), [
        "TRACEPARENTS=1",
        "A=1",
        run,
        "TRACEPARENT=new"
      ])
      assert.deepStrictEqual(entries(started(odd)), ["TRACEPARENT=old", "TRACEPARENTS=1", "A=1", run])
    })

    it("with the bytes of our variables where one of them is no text, and with our own run", () => {
      const ours = Buffer.from(["A=\u00ff", `${parentVariable}=old`, `${parentVariable}S=1`, "B="].join("\0"), "latin1")
      using _ = contents({ "/proc/self/environ": ours })
      const run = `${parentVariable}=${env[parentVariable]}`
      for (const odd of [{ A: "\ufffd" }, { "\ufffd": "1" }]) {
        assert.deepStrictEqual(entries(started({ ...env, ...odd })), ["A=\u00ff", `${parentVariable}S=1`, "B=", run])
      }
      assert.deepStrictEqual(entries(started({ A: "\ufffd", B: undefined }))?.at(-1), `${parentVariable}=`)
    })

    it("with its variables as texts, where ours cannot be read", () => {
      using _ = contents({ "/proc/self/environ": undefined })
      assert.notProperty(started({ ...env, A: "\ufffd" }), "environment")
    })
  })

  it("with its variables as texts under Node.js, which has nothing else", () => {
    using host = wrapped()
    const { invocations, run } = plugin(host.folder)
    Effect.runSync(Effect.flip(run(host.aside, { A: "\ufffd" }, stdin)))
    assert.notProperty(invocations[0], "environment")
  })

  describe("unless there is no room for it", () => {
    /** Whether a plugin is started where the kernel says this of us. */
    const isStarted = (files: { readonly [path: string]: string | undefined }, uid = 0): boolean => {
      using host = wrapped()
      using _files = contents({ "/proc/self/cgroup": undefined, ...files })
      using _user = vi.spyOn(process, "getuid").mockReturnValue(uid)
      const { invocations, run } = plugin(host.folder)
      const { message } = Effect.runSync(Effect.flip(run(host.aside, env, stdin)))
      assert.include(
        ["cannot start demo: EACCES: why", `cannot start ${host.aside}: EAGAIN: the limit of processes is reached`],
        message
      )
      return invocations.length === 1
    }
    const limits = (soft: string) => ({
      "/proc/self/limits": `Max cpu time  1\nMax processes   ${soft}   9   processes\n`
    })
    const cgroup = (path: string, folder: string, max: string, current: string) => ({
      "/proc/self/cgroup": path,
      [`/sys/fs/cgroup${folder}/pids.max`]: max,
      [`/sys/fs/cgroup${folder}/pids.current`]: current
    })

    it("in the limit of its user, which has to be 40 at least, and does not count for root", () => {
      assert.isTrue(isStarted(limits("40"), 1000))
      assert.isFalse(isStarted(limits("39"), 1000))
      assert.isTrue(isStarted(limits("39"), 0))
    })

    it("in a limit that there is not, or that cannot be read, in which there is", () => {
      assert.isTrue(isStarted(limits("unlimited"), 1000))
      assert.isTrue(isStarted({ "/proc/self/limits": undefined }, 1000))
    })

    it("in its cgroup, for root too: what is left of the limit has to be 40 at least", () => {
      const second = (max: string, current: string) => cgroup("0::/a/b\n", "/a/b", max, current)
      assert.isTrue(isStarted(second("100\n", "60\n")))
      assert.isFalse(isStarted(second("100\n", "61\n")))
      assert.isFalse(isStarted(second("100\n", "61\n"), 1000))
      assert.isTrue(isStarted(second("max\n", "1000000\n")))
    })

    it("in its cgroup of the first version, whose limits are in a folder of their own", () => {
      const first = (current: string) => cgroup("5:cpu,cpuacct:/c\n4:pids:/a\n0::/none\n", "/pids/a", "100\n", current)
      assert.isTrue(isStarted(first("60\n")))
      assert.isFalse(isStarted(first("61\n")))
    })

    it("in a cgroup that cannot be looked at, in which there is", () => {
      assert.isTrue(isStarted({ "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/pids.max": undefined }))
      assert.isTrue(isStarted({ "/proc/self/cgroup": "" }))
    })
  })

  it("instead of us only where all of its stdin has arrived", () => {
    using host = wrapped()
    const { become } = plugin(host.folder, { unfinished: { begun: stdin, next: () => undefined } })
    const error = Effect.runSync(Effect.flip(become(host.aside, env, stdin)))
    assert.strictEqual(error.message, `cannot start ${host.aside}: its stdin is still arriving`)
  })
})

describe("this process ends", () => {
  class Ended extends Error {}

  const ended = async (exitCode: number | null, signal: string | null) => {
    const calls: Array<unknown> = []
    const isLast = new Promise<void>((resolve) => {
      vi.spyOn(process, "exit").mockImplementation((code) => {
        calls.push(["exit", code])
        resolve()
        throw new Ended()
      })
    })
    vi.spyOn(process, "kill").mockImplementation((pid, number) => {
      calls.push(["kill", pid === process.pid, number])
      return true
    })
    vi.useFakeTimers({ toFake: ["setTimeout"] })
    try {
      const fiber = Effect.runFork(plugin("/").end({ exitCode, signal }))
      await Promise.resolve()
      try {
        vi.advanceTimersByTime(99)
        if (signal !== null) assert.lengthOf(calls, 1)
        vi.advanceTimersByTime(1)
      } catch (error) {
        if (!(error instanceof Ended)) throw error
      }
      await isLast
      fiber.interruptUnsafe()
    } finally {
      vi.useRealTimers()
    }
    return calls
  }

  it("with the exit status of the plugin", async () => {
    assert.deepStrictEqual(await ended(7, null), [["exit", 7]])
    assert.deepStrictEqual(await ended(null, null), [["exit", 0]])
  })

  it("by the signal that ended the plugin, or with the number that shells have for it", async () => {
    assert.deepStrictEqual(await ended(null, "SIGTERM"), [["kill", true, 15], ["exit", 143]])
    assert.deepStrictEqual(await ended(null, "SIGKILL"), [["kill", true, 9], ["exit", 137]])
    assert.deepStrictEqual(await ended(null, "SIG40"), [["kill", true, 40], ["exit", 168]])
    assert.deepStrictEqual(await ended(null, "odd"), [["kill", true, 0], ["exit", 128]])
  })

  it("by a signal that was handled until then", async () => {
    const handler = () => {}
    process.on("SIGUSR2", handler)
    await ended(null, "SIGUSR2")
    assert.deepStrictEqual(process.listeners("SIGUSR2"), [])
  })
})
