/** Programs that each engine of the plugin runs: beside it, in its place, and instead of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command, type Engine, engines, run, type Start } from "../support/engines.ts"
import { path, processesWith, temporary } from "../support/plugin.ts"
import { until, withinLimit } from "../support/until.ts"

interface Invocation {
  readonly argv: ReadonlyArray<string>
  readonly [field: string]: unknown
}

/** A shell command as a program in our place. */
const foreground = (command: string, fields: object = {}): Invocation => ({
  argv: ["/bin/sh", "-c", command],
  env: { PATH: path },
  stdio: "pipes",
  foreground: true,
  stdin: "",
  ...fields
})

/** A folder for what comes of an invocation. */
const outcomes = () => {
  const folder = temporary()
  const file = Path.join(folder.path, "outcome")
  return {
    path: folder.path,
    file,
    read: (): unknown => {
      const text = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
      return text === "" ? undefined : JSON.parse(text)
    },
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}

/** What comes of an invocation, and what others see of it. */
const ran = (
  engine: Engine,
  invocation: Invocation,
  { input = "", replaces = false, ...start }: Partial<Start> & {
    readonly input?: string
    readonly replaces?: boolean
  } = {}
) => {
  using folder = outcomes()
  const args = [JSON.stringify(invocation), folder.file, ...(replaces ? ["replaces"] : [])]
  const { signal, status, stderr, stdout } = run({ engine, program: "exec/programs/run.ts", args, ...start }, { input })
  // oxlint-disable-next-line typescript/no-explicit-any
  return { seen: { signal, status, stderr, stdout }, outcome: folder.read() as any }
}

/** Whether a process handles SIGUSR2, the last signal that it begins to forward. */
const forwards = (pid: number): boolean => {
  const [, caught = ""] = /^SigCgt:\s*(\S+)/m.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return (BigInt(`0x${caught}`) & 0x800n) !== 0n
}

/** Starts a program that goes on, waits for the first line that it writes, and until signals are forwarded to it. */
const started = async (engine: Engine, invocation: Invocation, outcomeFile: string) => {
  const [shell, ...args] = command({
    engine,
    program: "exec/programs/run.ts",
    args: [JSON.stringify(invocation), outcomeFile]
  })
  const child = ChildProcess.spawn(shell, args, { env: { PATH: path }, stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)))
  let stdout = ""
  child.stdout.on("data", (chunk) => stdout += chunk)
  await until("it has begun", () => stdout.includes("\n") && forwards(child.pid ?? 0))
  return { ended, kill: (signal: NodeJS.Signals) => child.kill(signal), line: stdout.trimEnd() }
}

/** The signals to try: the list is the same for both engines. */
const forwarded = {
  "Node.js": ["SIGTERM"],
  Bun: ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]
} as const

for (const engine of Object.keys(engines) as ReadonlyArray<Engine>) {
  describe(`a program in the place of ${engine}`, () => {
    it("gets stdin, and what it writes goes on and is kept", () => {
      const { outcome, seen } = ran(engine, foreground("cat; echo said >&2; exit 3", { stdin: "hello\n" }))
      assert.deepStrictEqual(seen, { signal: null, status: 0, stdout: "hello\n", stderr: "said\n" })
      assert.deepInclude(outcome, { exitCode: 3, signal: null, stdout: "hello\n", stderr: "said\n", truncated: false })
    })

    it("gets the stdin of its caller where none is given", () => {
      const { seen } = ran(engine, foreground("cat", { stdin: undefined }), { input: "from afar" })
      assert.strictEqual(seen.stdout, "from afar")
    })

    it("gets a stdin that is still arriving to its end", () => {
      const more = ["b", "", "c".repeat(100_000), "d"]
      const { outcome, seen } = ran(engine, foreground("cat", { stdin: "a", more }))
      assert.strictEqual(seen.stdout, `ab${"c".repeat(100_000)}d`)
      assert.strictEqual(outcome.exitCode, 0)
    })

    it("need not read a stdin that is still arriving", () => {
      const { outcome } = ran(engine, foreground("exec <&-; echo done", { stdin: "a", more: ["x".repeat(100_000)] }))
      assert.deepInclude(outcome, { exitCode: 0, stdout: "done\n" })
    })

    it("has the name and the variables that it is given, no others, and our working directory", () => {
      const fields = { argv0: "own", env: { A: "1", B: undefined, PATH: path } }
      const { seen } = ran(engine, foreground("echo \"$0\"; pwd; echo $A ${B-none} ${C-none}", fields), {
        cwd: "/usr",
        env: { B: "2", C: "3" }
      })
      assert.strictEqual(seen.stdout, "own\n/usr\n1 none none\n")
    })

    it("writes to a file by itself, and what it adds is kept", () => {
      using folder = outcomes()
      const file = Path.join(folder.path, "stdout")
      Fs.writeFileSync(file, "before\n")
      const { outcome } = ran(engine, foreground("echo added"), {
        via: `exec "$@" >> ${file}`
      })
      assert.deepInclude(outcome, { stdout: "added\n", truncated: false })
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "before\nadded\n")
      assert.isUndefined(outcome.stdoutUnseen)
    })

    it("learns that a device takes nothing, and its stdout counts as unseen", () => {
      const { outcome } = ran(engine, foreground("echo lost 2>/dev/null || exit 7"), { via: "exec \"$@\" > /dev/full" })
      assert.deepInclude(outcome, { exitCode: 7, stdout: "", stdoutUnseen: true })
    })

    it("is ended by a pipe that nobody reads, as without us", () => {
      assert.deepInclude(ran(engine, foreground("exec yes"), { via: "\"$@\" | :" }).outcome, { signal: "SIGPIPE" })
    })

    it("is ended by signals, which are told by name", () => {
      assert.deepInclude(ran(engine, foreground("kill -TERM $$")).outcome, { exitCode: null, signal: "SIGTERM" })
    })

    it("that is missing was not started", () => {
      const { outcome } = ran(engine, { ...foreground(""), argv: ["/no/such/program"] })
      assert.deepStrictEqual(outcome, {
        code: "ENOENT",
        message: "cannot start /no/such/program: ENOENT: no such file or directory"
      })
    })

    for (const signal of forwarded[engine]) {
      it(`gets ${signal} from who sends it to us`, async () => {
        using folder = outcomes()
        const script = `trap 'exit 42' ${signal.slice(3)}; echo begun; while :; do sleep 0.05; done`
        const { ended, kill } = await started(engine, foreground(script), folder.file)
        kill(signal)
        assert.strictEqual(await ended, 0)
        assert.deepInclude(folder.read(), { exitCode: 42 })
      })
    }

    it("is killed where we are", async () => {
      using folder = outcomes()
      // The kill may come before the guard knows the process ID: then it finds the program by its mark.
      const mark = `TEST_MARK=${process.pid}.${engine}.killed`
      const env = { PATH: path, TEST_MARK: mark.slice("TEST_MARK=".length) }
      const program = foreground("echo $$; exec sleep 600", { env, mark })
      const { ended, kill, line } = await started(engine, program, folder.file)
      kill("SIGKILL")
      await ended
      await until("the program has ended", () => processesWith("sleep 600").every((pid) => pid !== line))
    })

    if (engine === "Node.js") return // which takes long to start

    it("has the signals that engines ignore as all programs have them", () => {
      const { seen } = ran(engine, foreground("grep SigIgn /proc/self/status"))
      assert.strictEqual(BigInt(`0x${seen.stdout.split("\t")[1]?.trim()}`) & 0x1001000n, 0n)
    })

    it("leaves nothing that watches over it", async () => {
      const mark = `TEST_MARK=${process.pid}.${engine}`
      ran(engine, foreground("true", { mark }))
      // What was killed may still be about to end.
      const left = () => processesWith(mark).filter((pid) => Fs.existsSync(`/proc/${pid}/exe`))
      await until("all processes have ended", () => left().length === 0)
    })
  })

  describe(`a program instead of ${engine}`, () => {
    const instead = (command: string, fields: object = {}, start: Partial<Start> = {}) =>
      ran(engine, { ...foreground(command), ...fields }, { replaces: true, ...start })

    it("is this process in its working directory, with the stdin, name and variables that it is given", () => {
      const fields = { stdin: "hello\n", argv0: "own", env: { A: "1", B: undefined, PATH: path } }
      const { outcome, seen } = instead("cat; echo \"$0\"; pwd; echo $A; exit 3", fields, { cwd: "/usr" })
      assert.deepStrictEqual(seen, { signal: null, status: 3, stdout: "hello\nown\n/usr\n1\n", stderr: "" })
      assert.isUndefined(outcome)
    })

    it("has our stdin where none is given, and its own name where it has no other", () => {
      using folder = outcomes()
      const args = [JSON.stringify(foreground("cat; echo \"$0\"", { stdin: undefined })), folder.file, "replaces"]
      const { stdout } = run({ engine, program: "exec/programs/run.ts", args }, { input: "from afar\n" })
      assert.strictEqual(stdout, "from afar\n/bin/sh\n")
    })

    it("has the signals that engines ignore as all programs have them", () => {
      const { seen } = instead("grep SigIgn /proc/self/status")
      assert.strictEqual(BigInt(`0x${seen.stdout.split("\t")[1]?.trim()}`) & 0x1001000n, 0n)
    })

    it("is none where its stdin is still arriving", () => {
      assert.deepStrictEqual(instead("", { more: [] }).outcome, { message: "its stdin is still arriving" })
    })
  })
}

describe("a program that Bun starts by the C library", () => {
  const environment = ["A=\u00ff1", `PATH=${path}`]
  const beside = (command: string, fields: object = {}) =>
    foreground(command, { environment, foreground: false, ...fields })

  it("gets the bytes of its environment, its name and our working directory", () => {
    const { outcome } = ran(
      "Bun",
      beside("printf %s \"$A\" | od -An -tx1; echo \"$0\"; pwd", { argv0: "own" }),
      { cwd: "/usr" }
    )
    assert.deepInclude(outcome, { exitCode: 0, stdout: " ff 31\nown\n/usr\n" })
  })

  it("ends with its exit status, or by its signal, which may have no name", () => {
    assert.deepInclude(ran("Bun", beside("exit 255")).outcome, { exitCode: 255, signal: null })
    assert.deepInclude(ran("Bun", beside("sleep 0.1; exit 3")).outcome, { exitCode: 3, signal: null })
    assert.deepInclude(ran("Bun", beside("kill -KILL $$")).outcome, { exitCode: null, signal: "SIGKILL" })
    assert.deepInclude(ran("Bun", beside("kill -40 $$")).outcome, { exitCode: null, signal: "SIG40" })
    assert.deepInclude(ran("Bun", foreground("kill -40 $$")).outcome, { exitCode: null, signal: "SIG40" })
  })

  it("leads a process group, unless it is in our place", () => {
    const leads = "read -r _ _ _ _ group _ < /proc/self/stat; [ $group = $$ ] && echo leads || echo follows"
    assert.strictEqual(ran("Bun", beside(leads)).outcome.stdout, "leads\n")
    assert.strictEqual(ran("Bun", foreground(leads, { environment })).outcome.stdout, "follows\n")
  })

  it("has the signals that engines ignore as all programs have them", () => {
    const { stdout } = ran("Bun", beside("grep SigIgn /proc/self/status")).outcome
    assert.strictEqual(BigInt(`0x${stdout.split("\t")[1].trim()}`) & 0x1001000n, 0n)
  })

  it("that is missing was not started", () => {
    const { outcome } = ran("Bun", { ...beside(""), argv: ["/no/such/program"] })
    assert.strictEqual(outcome.message, "cannot start /no/such/program: ENOENT: no such file or directory")
  })

  it.live("is killed once its time is up", () =>
    Effect.gen(function*() {
      const { result: { outcome } } = yield* withinLimit(
        (timeout) => Effect.sync(() => ran("Bun", beside("echo begun; exec sleep 600", { timeout }))),
        ({ outcome }) => outcome.stdout !== ""
      )
      assert.deepInclude(outcome, { exitCode: null, signal: "SIGKILL", timedOut: true, stdout: "begun\n" })
    }))

  it("gets a signal in our place", async () => {
    using folder = outcomes()
    const script = "trap 'exit 42' TERM; echo begun; while :; do sleep 0.05; done"
    const { ended, kill } = await started("Bun", foreground(script, { environment }), folder.file)
    kill("SIGTERM")
    await ended
    assert.deepInclude(folder.read(), { exitCode: 42 })
  })

  for (const [name, fd] of [["stdin", 0], ["stdout", 1], ["stderr", 2]] as const) {
    it(`finds ${name} closed where ours was`, () => {
      const script = `[ -e /proc/self/fd/${fd} ] && exit 1 || exit 5`
      const { outcome } = ran("Bun", foreground(script), { via: `exec "$@" ${fd}<&-` })
      assert.deepInclude(outcome, { exitCode: 5 })
    })
  }
})

describe("a program of Bun's", () => {
  it("has an exit status though its caller ignores the ends of programs", () => {
    const { outcome } = ran("Bun", foreground("exit 3"), { via: "trap '' CHLD; exec \"$@\"" })
    assert.deepInclude(outcome, { exitCode: 3 })
  })

  it("gets stdin by a pipe where no file may grow", () => {
    const limited = "ulimit -f 0; exec \"$@\" | cat"
    assert.strictEqual(ran("Bun", foreground("cat", { stdin: "hello" }), { via: limited }).seen.stdout, "hello")
    assert.strictEqual(
      ran("Bun", foreground("cat", { stdin: "hello" }), { via: limited, replaces: true }).seen.stdout,
      "hello"
    )
  })

  it("is not started instead of Bun where that fails", () => {
    const { outcome } = ran("Bun", { ...foreground(""), argv: ["/no/such/program"] }, { replaces: true })
    assert.deepStrictEqual(outcome, { message: "execve failed" })
  })
})
