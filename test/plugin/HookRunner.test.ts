/** Commands as the live service runs them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { defaultLimit, type Execution, type Invocation } from "../../src/exec/Execution.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { HookRunner } from "../../src/plugin/HookRunner.ts"
import type { HookCommand } from "../../src/plugin/Settings.ts"
import { processesWith, temporary } from "../support/plugin.ts"
import { make } from "../support/request.ts"
import { script } from "../support/scripts.ts"
import { holds, withinLimit } from "../support/until.ts"

const run = (command: HookCommand["command"], options: Partial<HookCommand> & { readonly config?: object } = {}) =>
  Effect.gen(function*() {
    const { config = {}, ...rest } = options
    const request = make("ADD", config, { CNI_NETNS: "" })
    return yield* (yield* HookRunner).run({ command, netns: "host", timeout: 300_000, ...rest }, request)
  }).pipe(Effect.provideService(HookRunner, HookRunner.make(nodeProcessRunner)))

describe("a command", () => {
  it.live("that is a string is for the shell", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run("echo $((1+1)); echo $CNI_IFNAME")).stdout, "2\neth0\n")
    }))

  it.live("that is a list is started without a shell", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(["echo", "$CNI_IFNAME", "*"])).stdout, "$CNI_IFNAME *\n")
    }))

  it.live("gets the document on its stdin", () =>
    Effect.gen(function*() {
      assert.strictEqual(JSON.parse((yield* run("cat", { config: { x: 1 } })).stdout).x, 1)
    }))

  it.live("need not read its stdin, however much that is", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* run("echo done", { config: { x: "x".repeat(2_000_000) } })
      assert.deepStrictEqual([exitCode, stdout], [0, "done\n"])
    }))

  it.live("tells its exit status or its signal", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* run("echo out; echo err >&2; exit 255"), {
        exitCode: 255,
        signal: null,
        stdout: "out\n",
        stderr: "err\n"
      })
      assert.deepInclude(yield* run("kill -SEGV $$"), { exitCode: null, signal: "SIGSEGV", timedOut: false })
    }))

  it.live("that does not exist was not started, and says so", () =>
    Effect.gen(function*() {
      const { exitCode, signal, stderr } = yield* run(["no-such-program"])
      assert.deepStrictEqual([exitCode, signal], [null, null])
      assert.match(stderr, /^cannot start no-such-program: .*ENOENT/)
    }))

  it.live("for the container's namespace is not started without one", () =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* run("true", { netns: "container" })
      assert.strictEqual(exitCode, null)
      assert.match(stderr, /CNI_NETNS is empty/)
    }))
})

describe("the output of a command", () => {
  it.live("is kept up to its limit, and the rest is read and dropped", () =>
    Effect.gen(function*() {
      const report = yield* run(`head -c ${defaultLimit * 8} /dev/zero | tr '\\0' x`)
      assert.deepStrictEqual([report.exitCode, report.stdout.length, report.truncated], [0, defaultLimit, true])
    }))

  it.live("that fits exactly is not truncated", () =>
    Effect.gen(function*() {
      const report = yield* run(`head -c ${defaultLimit} /dev/zero | tr '\\0' x`)
      assert.deepStrictEqual([report.stdout.length, report.truncated], [defaultLimit, false])
    }))

  it.live("has U+FFFD for what is not UTF-8", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run("printf 'a\\377b'")).stdout, "a\uFFFDb")
    }))
})

describe("a command whose time is up", () => {
  it.live("is killed with all that it started, and keeps the output so far", () =>
    Effect.gen(function*() {
      const sleep = `3${process.pid}.1`
      const { result: report } = yield* withinLimit(
        (timeout) => run(`trap '' TERM; echo begun; sleep ${sleep} & sleep ${sleep}`, { timeout }),
        ({ stdout }) => stdout !== ""
      )
      assert.deepInclude(report, { exitCode: null, signal: "SIGKILL", timedOut: true, stdout: "begun\n" })
      yield* holds(() => processesWith(`sleep ${sleep}`).length === 0)
    }))

  it.live("is not killed where the time-out is off", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* run("sleep 0.2", { timeout: 0 }), { exitCode: 0, timedOut: false })
    }))
})

describe("a process in the background", () => {
  it.live("is not waited for, and lives on when it writes", () =>
    Effect.gen(function*() {
      const folder = temporary()
      yield* Effect.gen(function*() {
        const [go, done] = ["go", "done"].map((name) => Path.join(folder.path, name)) as [string, string]
        const late = `until [ -e ${go} ]; do sleep 0.05; done; echo late; echo later >&2; touch ${done}`
        const report = yield* run(`(${late}) & echo at once`)
        assert.strictEqual(report.stdout, "at once\n")
        Fs.writeFileSync(go, "")
        yield* holds(() => Fs.existsSync(done))
      }).pipe(Effect.ensuring(Effect.sync(() => folder[Symbol.dispose]())))
    }))
})

describe("a run that is interrupted", () => {
  it.live("leaves no command behind", () =>
    Effect.gen(function*() {
      const sleep = `3${process.pid}.2`
      const fiber = yield* Effect.forkChild(run(`sleep ${sleep} & sleep ${sleep}`))
      yield* holds(() => processesWith(`sleep ${sleep}`).length >= 2)
      yield* Fiber.interrupt(fiber)
      yield* holds(() => processesWith(`sleep ${sleep}`).length === 0)
    }))
})

describe("a command is started", () => {
  const ended = { argv: [], stdin: "", stdout: Buffer.of(), stderr: Buffer.of(), exitCode: 0, signal: null } as const
  const ending: Execution = { ...ended, timedOut: false, truncated: false, durationMs: 0 }

  /** The report of a command of ADD, and what it was started with, where its start gives this. */
  const started = (
    hook: HookCommand,
    variables: { readonly [name: string]: string } = {},
    outcome: Effect.Effect<Execution, NotStarted> = Effect.succeed(ending)
  ) => {
    const calls: Array<Invocation> = []
    const { run } = HookRunner.make(ProcessRunner.of({ run: (call) => (calls.push(call), outcome) }))
    return { report: Effect.runSync(run(hook, make("ADD", "{}", variables))), calls }
  }
  const netns = { CNI_NETNS: "/run/netns/x" }

  it("by a shell where it is a string, with the variables and the document of the request", () => {
    const { calls } = started({ command: "a | b", netns: "host", timeout: 7 }, { A: "1", PATH: "/bin" })
    const [call] = calls
    assert.deepInclude(call, {
      argv: ["/bin/sh", "-c", "a | b"],
      stdin: Buffer.from("{}"),
      timeout: 7,
      stdio: "pipes",
      until: "exit"
    })
    assert.deepInclude(call?.env, { A: "1", PATH: "/bin", CNI_COMMAND: "ADD" })
  })

  it("as it is where it is a list, with folders of programs where PATH names none", () => {
    const { calls } = started({ command: ["a", "b c"], netns: "host", timeout: 0 })
    assert.deepStrictEqual(calls[0]?.argv, ["a", "b c"])
    assert.include(calls[0]?.env["PATH"], "/sbin")
  })

  it("in the namespace of the container by nsenter, where that is asked for", () => {
    using folder = temporary()
    const nsenter = script(`${folder.path}/nsenter`, "true")
    const { calls } = started({ command: ["a"], netns: "container", timeout: 0 }, { ...netns, PATH: folder.path })
    assert.deepStrictEqual(calls[0]?.argv, [nsenter, "--net=/run/netns/x", "--", "a"])
  })

  it("not at all in the namespace of a container that has none, and says so", () => {
    const { calls, report } = started({ command: "a", netns: "container", timeout: 0 }, { CNI_NETNS: "" })
    assert.deepStrictEqual([calls.length, report], [0, {
      command: "a",
      netns: "container",
      exitCode: null,
      signal: null,
      timedOut: false,
      durationMs: 0,
      stdout: "",
      stderr: "cannot run in the network namespace of the container: CNI_NETNS is empty",
      truncated: false
    }])
  })

  it("on the host whatever the namespace of the container is", () => {
    assert.lengthOf(started({ command: "a", netns: "host", timeout: 0 }, { CNI_NETNS: "" }).calls, 1)
    assert.lengthOf(started({ command: "a", netns: "host", timeout: 0 }, netns).calls, 1)
  })

  it("and reported with how it ended and what it wrote", () => {
    const outcome = Effect.succeed({
      ...ending,
      exitCode: null,
      signal: "SIGKILL",
      timedOut: true,
      truncated: true,
      durationMs: 8,
      stdout: Buffer.from("out"),
      stderr: Buffer.from("err")
    })
    assert.deepStrictEqual<unknown>(started({ command: ["a"], netns: "host", timeout: 7 }, {}, outcome).report, {
      command: ["a"],
      netns: "host",
      exitCode: null,
      signal: "SIGKILL",
      timedOut: true,
      durationMs: 8,
      stdout: "out",
      stderr: "err",
      truncated: true
    })
  })

  it("or else reported with why not", () => {
    const outcome = Effect.fail(new NotStarted({ program: "a", code: "EACCES", reason: "no", cause: undefined }))
    assert.deepInclude(started({ command: ["a"], netns: "host", timeout: 7 }, {}, outcome).report, {
      exitCode: null,
      stderr: "cannot start a: EACCES: no"
    })
  })
})
