/** Programs as this host runs them, over pipes and over sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Execution from "../../src/exec/Execution.ts"
import { nodeProcessRunner, notStarted } from "../../src/exec/NodeProcessRunner.ts"
import { path, processesWith, temporary } from "../support/plugin.ts"
import { holds, withinLimit } from "../support/until.ts"

const run = (command: string, options: Partial<Execution.Invocation> = {}) =>
  nodeProcessRunner.run({ argv: ["/bin/sh", "-c", command], env: { PATH: path }, ...options })

const outputs = ({ stderr, stdout }: Execution.Execution) => [Execution.text(stdout), Execution.text(stderr)]

for (const stdio of ["pipes", "sockets"] as const) {
  describe(`a program over ${stdio}`, () => {
    it.live("gets stdin, and its output, exit status and duration are kept", () =>
      Effect.gen(function*() {
        const execution = yield* run("cat; echo complaint >&2; exit 3", { stdio, stdin: "hello" })
        assert.deepStrictEqual(outputs(execution), ["hello", "complaint\n"])
        assert.deepInclude(execution, { exitCode: 3, signal: null, timedOut: false, truncated: false })
        assert.isAbove(execution.durationMs, 0)
      }))

    it.live("may write more than is kept", () =>
      Effect.gen(function*() {
        const execution = yield* run("head -c 3000000 /dev/zero; echo end >&2", { stdio, limit: 1000 })
        assert.deepInclude(execution, { exitCode: 0, truncated: true })
        assert.deepStrictEqual([execution.stdout.length, Execution.text(execution.stderr)], [1000, "end\n"])
      }))

    it.live("may write more than is kept to stderr alone", () =>
      Effect.gen(function*() {
        const execution = yield* run("echo out; head -c 2000 /dev/zero >&2", { stdio, limit: 1000 })
        assert.isTrue(execution.truncated)
        assert.deepStrictEqual([Execution.text(execution.stdout), execution.stderr.length], ["out\n", 1000])
      }))

    it.live("need not read its stdin, however much that is", () =>
      Effect.gen(function*() {
        const execution = yield* run("echo done", { stdio, stdin: "x".repeat(3_000_000) })
        assert.deepStrictEqual([execution.exitCode, Execution.text(execution.stdout)], [0, "done\n"])
      }))

    it.live("may write bytes that are not text", () =>
      Effect.gen(function*() {
        const { stdout } = yield* run("printf '\\377\\000'", { stdio })
        assert.deepStrictEqual([...stdout], [255, 0])
      }))

    it.live("that runs out of time is killed with its group, and its output, signal and duration are kept", () =>
      Effect.gen(function*() {
        const sleep = `4${process.pid}.${stdio === "pipes" ? 1 : 2}`
        const { limit, result: execution } = yield* withinLimit(
          (timeout) => run(`echo begun; sleep ${sleep} & sleep ${sleep}`, { stdio, timeout }),
          ({ stdout }) => stdout.length > 0
        )
        assert.deepStrictEqual(outputs(execution), ["begun\n", ""])
        assert.deepInclude(execution, { exitCode: null, signal: "SIGKILL", timedOut: true })
        assert.isAtLeast(execution.durationMs, limit - 1)
        yield* holds(() => processesWith(`sleep ${sleep}`).length === 0)
      }))

    it.live("that a signal ends tells which", () =>
      Effect.gen(function*() {
        assert.deepInclude(yield* run("kill -ABRT $$", { stdio }), { exitCode: null, signal: "SIGABRT" })
      }))

    it.live("is waited for until nothing holds its output any more", () =>
      Effect.gen(function*() {
        const execution = yield* run("(sleep 0.3; echo late) & echo first", { stdio })
        assert.deepStrictEqual(outputs(execution), ["first\nlate\n", ""])
      }))

    it.live("that does not exist, or may not be executed, was not started, and says so in words", () =>
      Effect.gen(function*() {
        const missing = yield* Effect.flip(run("", { stdio, argv: ["/no/such/program"] }))
        assert.strictEqual(missing.message, "cannot start /no/such/program: ENOENT: no such file or directory")
        const forbidden = yield* Effect.flip(run("", { stdio, argv: ["/etc/passwd"] }))
        assert.strictEqual(forbidden.message, "cannot start /etc/passwd: EACCES: permission denied")
      }))

    it.live("is killed when nobody waits any more", () =>
      Effect.gen(function*() {
        const sleep = `4${process.pid}.${stdio === "pipes" ? 3 : 4}`
        const fiber = yield* Effect.forkChild(run(`sleep ${sleep}`, { stdio }))
        yield* holds(() => processesWith(`sleep ${sleep}`).length > 0)
        yield* Fiber.interrupt(fiber)
        yield* holds(() => processesWith(`sleep ${sleep}`).length === 0)
      }))
  })
}

describe("pipes", () => {
  it.live("can be opened by name", () =>
    Effect.gen(function*() {
      const execution = yield* run(
        "cat /dev/stdin; echo one > /dev/stderr; echo two > /dev/stderr; test -p /dev/stdout",
        {
          stdio: "pipes",
          stdin: "hello"
        }
      )
      assert.deepStrictEqual(outputs(execution), ["hello", "one\ntwo\n"])
      assert.strictEqual(execution.exitCode, 0)
    }))

  it.live("let a process in the background live on and write", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const [go, done] = ["go", "done"].map((name) => Path.join(folder.path, name)) as [string, string]
      const late = `until [ -e ${go} ]; do sleep 0.05; done; echo late; echo later >&2; touch ${done}`
      const execution = yield* run(`(${late}) & echo first`, { stdio: "pipes", until: "exit" })
      assert.deepStrictEqual(outputs(execution), ["first\n", ""])
      Fs.writeFileSync(go, "")
      yield* holds(() => Fs.existsSync(done))
    }))

  it.live("leave no file and no descriptor behind", () =>
    Effect.gen(function*() {
      using folder = temporary()
      process.env["TMPDIR"] = folder.path
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env["TMPDIR"]))
      const count = () => Fs.readdirSync("/proc/self/fd").length
      yield* run("true", { stdio: "pipes" })
      const before = count()
      for (let left = 5; left > 0; left--) yield* run("true", { stdio: "pipes", until: "exit" })
      yield* Effect.flip(run("", { stdio: "pipes", argv: ["/no/such/program"] }))
      assert.strictEqual(count(), before)
      assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
    }))

  it.live("need `mkfifo`, and say so", () =>
    Effect.gen(function*() {
      // The process in the background keeps the pipes that could be used again.
      const { stdout } = yield* run("sleep 300 & echo $!", { stdio: "pipes", until: "exit" })
      const error = yield* Effect.flip(run("true", { stdio: "pipes", env: { PATH: "/nowhere" } }))
      process.kill(Number(Execution.text(stdout)))
      assert.match(error.message, /^cannot start \/bin\/sh: there is no `mkfifo` on PATH/)
    }))
})

describe("a program file that is being written", () => {
  it.live("is tried again until it can be started", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const program = Path.join(folder.path, "program")
      Fs.copyFileSync("/bin/true", program)
      const fd = Fs.openSync(program, "r+")
      const fiber = yield* Effect.forkChild(run("", { argv: [program] }))
      yield* Effect.sleep(300)
      Fs.closeSync(fd)
      assert.strictEqual((yield* Fiber.join(fiber)).exitCode, 0)
    }))

  it.live("for longer than runtimes wait was not started, and says so", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const program = Path.join(folder.path, "program")
      Fs.copyFileSync("/bin/true", program)
      const fd = Fs.openSync(program, "r+")
      const error = yield* Effect.flip(run("", { argv: [program] }))
      Fs.closeSync(fd)
      assert.strictEqual(error.reason, "text file busy, still after five seconds")
    }))
})

describe("a program that goes on and on", () => {
  it.live("gives its stdout as it comes, and nothing of it is kept", () =>
    Effect.gen(function*() {
      const chunks: Array<Uint8Array> = []
      const fiber = yield* Effect.forkChild(
        run("echo one; sleep 100", { onStdout: (chunk) => void chunks.push(chunk) })
      )
      while (chunks.length === 0) yield* Effect.sleep(10)
      assert.strictEqual(Buffer.concat(chunks).toString(), "one\n")
      yield* Fiber.interrupt(fiber)
      const execution = yield* run("head -c 3000000 /dev/zero; echo end >&2", { onStdout: () => {} })
      assert.deepStrictEqual(outputs(execution), ["", "end\n"])
      assert.isFalse(execution.truncated)
    }))
})

describe("a program that was not started", () => {
  const reasons = {
    E2BIG: "argument list too long",
    EACCES: "permission denied",
    EAGAIN: "the limit of processes is reached",
    EMFILE: "too many open files",
    ENFILE: "too many open files on this host",
    ENOENT: "no such file or directory",
    ENOEXEC: "exec format error",
    ENOMEM: "not enough memory",
    ETXTBSY: "text file busy, still after five seconds"
  }
  for (const [code, reason] of Object.entries(reasons)) {
    it(`because of ${code} says so in words`, () => {
      const { message } = notStarted("ip", Object.assign(new Error("spawn"), { code }))
      assert.strictEqual(message, `cannot start ip: ${code}: ${reason}`)
    })
  }

  it("for another reason has the words that came, and no code", () => {
    const error = notStarted("ip", Object.assign(new Error("odd"), { code: "EODD" }))
    assert.deepStrictEqual([error.message, error.code], ["cannot start ip: odd", ""])
    assert.strictEqual(notStarted("ip", new Error("odd")).message, "cannot start ip: odd")
  })
})
