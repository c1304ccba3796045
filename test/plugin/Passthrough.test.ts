import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import { TestClock } from "effect/testing"
import { StdinUnreadable, StdoutUnwritable } from "../../src/cni/CniError.ts"
import { EnvReader } from "../../src/plugin/EnvReader.ts"
import { HookRunner } from "../../src/plugin/HookRunner.ts"
import * as Live from "../../src/plugin/Live.ts"
import * as Passthrough from "../../src/plugin/Passthrough.ts"
import { ResultWriter } from "../../src/plugin/ResultWriter.ts"
import { StdinReader } from "../../src/plugin/StdinReader.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import type { Record } from "../../src/record/Record.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { version } from "../../src/Version.ts"
import { failure, run } from "../support/pipeline.ts"
import { attachment } from "../support/plugin.ts"

class Full extends Data.TaggedError("Full")<{ readonly message: string }> {}
const full = () => Effect.fail(new Full({ message: "the disk is full" }))

const events = (records: ReadonlyArray<Record>) => records.map(({ event }) => event)

describe("the records of a run", () => {
  it.effect("are its request, its hooks, and its result", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ command: "ADD", config: { hookADD: ["a", "b"] } })
      assert.deepStrictEqual(events(records), ["request", "hook", "hook", "result"])
      assert.strictEqual(new Set(records.map(({ invocation }) => invocation)).size, 1)
    }))

  it.effect("end with its error when it fails", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ command: "ADD", variables: { CNI_NETNS: "" } })
      assert.deepStrictEqual(events(records), ["request", "error"])
    }))

  it.effect("tell how long it took", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(1000)
      const fiber = yield* Effect.forkChild(run({
        command: "ADD",
        write: (record) => record.event === "request" ? Effect.sleep(1500) : Effect.sync(() => written.push(record))
      }))
      const written: Array<Record> = []
      yield* TestClock.adjust(1500)
      yield* Fiber.join(fiber)
      assert.deepInclude(written[0], { event: "result", durationMs: 1500 })
    }))

  it.effect("have the result as it is answered, where there is one", () =>
    Effect.gen(function*() {
      const added = yield* run({ command: "ADD", config: { prevResult: { a: [1] } } })
      assert.deepInclude(added.records.at(-1), { event: "result", result: `{"a":[1]}` })
      assert.notProperty((yield* run({ command: "DEL" })).records.at(-1), "result")
    }))

  it.effect("have no value that the configuration hides, whose answer has it all the same", () =>
    Effect.gen(function*() {
      const { records, stdout } = yield* run({ command: "ADD", config: { prevResult: { key: "x" }, redact: ["key"] } })
      assert.deepInclude(records.at(-1), { result: `{"key":"[redacted]"}` })
      assert.deepStrictEqual(stdout, [`{"key":"x"}`])
    }))

  it.effect("have nothing that looks like a secret, where the configuration says so", () =>
    Effect.gen(function*() {
      const hook = () => ({ stdout: "password=hunter22" })
      const told = yield* run({ command: "ADD", config: { hookADD: ["a"] }, hook })
      assert.include(JSON.stringify(told.records), "hunter22")
      const masked = yield* run({ command: "ADD", config: { hookADD: ["a"], redact: ["secrets"] }, hook })
      assert.notInclude(JSON.stringify(masked.records), "hunter22")
      assert.deepStrictEqual(events(masked.records), ["request", "hook", "result"])
    }))
})

describe("stdout", () => {
  const answers: ReadonlyArray<readonly [command: string, config: object, stdout: ReadonlyArray<string>]> = [
    ["ADD", { prevResult: { a: [1] } }, [`{"a":[1]}`]],
    ["ADD", { cniVersion: "0.3.1" }, [`{"cniVersion":"0.3.1"}`]],
    ["DEL", { prevResult: {} }, []],
    ["CHECK", { prevResult: {} }, []],
    ["GC", {}, []],
    ["STATUS", {}, []]
  ]
  for (const [command, config, stdout] of answers) {
    it.effect(`of ${command} with ${JSON.stringify(config)} is ${stdout[0] ?? "empty"}`, () =>
      Effect.gen(function*() {
        const outcome = yield* run({ command, config })
        assert.deepStrictEqual([outcome.succeeded, outcome.stdout], [true, stdout])
      }))
  }

  const versions = `"supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]`
  for (const [asked, answered] of [["0.4.0", "0.4.0"], ["2.0.0", "1.1.0"], ["", "1.1.0"]]) {
    it.effect(`of VERSION asked in ${JSON.stringify(asked)} answers in ${answered}`, () =>
      Effect.gen(function*() {
        const { stdout } = yield* run({ command: "VERSION", config: JSON.stringify({ cniVersion: asked }) })
        assert.deepStrictEqual(stdout, [`{"cniVersion":"${answered}",${versions}}`])
      }))
  }

  it.effect("has errors in the version of the request where that is one of ours", () =>
    Effect.gen(function*() {
      const old = yield* run({ command: "ADD", config: { cniVersion: "0.4.0", hookADD: 3 } })
      assert.deepInclude(failure(old), { cniVersion: "0.4.0", code: 7 })
      const unknown = yield* run({ command: "ADD", config: { cniVersion: "9.0.0" } })
      assert.deepInclude(failure(unknown), { cniVersion: "1.1.0", code: 1 })
    }))

  it.effect("is all that a failed request has: stderr stays empty", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* run({ command: "ADD", config: { hookADD: 3 } })).stderr, [])
    }))

  it.effect("is not for what sinks log by Effect's own logger, which goes to stderr", () =>
    Effect.gen(function*() {
      const seen: Array<boolean> = []
      const write = () => Effect.asVoid(Effect.map(References.LogToStderr, (value) => seen.push(value)))
      yield* run({ command: "ADD", write })
      assert.deepStrictEqual(seen, [true, true])
    }))
})

describe("a log that fails", () => {
  it.effect("stops an ADD before anything else runs, with the sink's own words", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ command: "ADD", config: { hookADD: ["a"] }, write: full })
      assert.strictEqual(failure(outcome).code, 5)
      assert.include(failure(outcome).msg, "the disk is full")
      assert.deepStrictEqual(outcome.commands, [])
    }))

  it.effect("makes STATUS say that an ADD would fail", () =>
    Effect.gen(function*() {
      assert.strictEqual(failure(yield* run({ command: "STATUS", write: full })).code, 50)
    }))

  it.effect("only at the end still fails the ADD, with one document on stdout", () =>
    Effect.gen(function*() {
      const write = (record: Record) => record.event === "result" ? full() : Effect.void
      assert.strictEqual(failure(yield* run({ command: "ADD", write })).code, 5)
    }))

  for (const command of ["DEL", "GC"]) {
    it.effect(`does not stop ${command}, and is told on stderr once`, () =>
      Effect.gen(function*() {
        const config = { hookDEL: ["a"], hookGC: ["a"] }
        const { commands, stderr, stdout, succeeded } = yield* run({ command, config, write: full })
        assert.deepStrictEqual([succeeded, stdout, commands], [true, [], ["a"]])
        assert.deepStrictEqual(stderr, ["passthrough: cannot log this request: the disk is full"])
      }))
  }

  it.effect("does not stop an ADD whose configuration says so", () =>
    Effect.gen(function*() {
      const { stderr, succeeded } = yield* run({ command: "ADD", config: { onLogFailure: "ignore" }, write: full })
      assert.deepStrictEqual([succeeded, stderr.length], [true, 1])
    }))

  it.effect("does not hide why a request is refused", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ command: "ADD", variables: { CNI_PATH: "" }, write: full })
      assert.strictEqual(failure(outcome).code, 4)
    }))

  it.effect("is told on stderr once for each reason", () =>
    Effect.gen(function*() {
      const write = ({ event }: Record) => Effect.fail(new Full({ message: event === "hook" ? "no room" : "no disk" }))
      const { stderr } = yield* run({ command: "DEL", config: { hookDEL: ["a", "b"] }, write })
      assert.deepStrictEqual(
        stderr,
        ["no disk", "no room"].map((reason) => `passthrough: cannot log this request: ${reason}`)
      )
    }))

  it.effect("as the error of a request is logged is told on stderr", () =>
    Effect.gen(function*() {
      const write = ({ event }: Record) => event === "error" ? full() : Effect.void
      const outcome = yield* run({ command: "ADD", variables: { CNI_PATH: "" }, write })
      assert.strictEqual(failure(outcome).code, 4)
      assert.deepStrictEqual(outcome.stderr, ["passthrough: cannot log this request: the disk is full"])
    }))

  it.effect("with something that is no error is told by that", () =>
    Effect.gen(function*() {
      const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
      const write = () => Effect.fail("no room")
      yield* Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
        Testing.envReader({ ...attachment, CNI_COMMAND: "DEL" }),
        Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n"}`),
        Testing.hookRunner(),
        Layer.succeed(LogSink, LogSink.of({ write, neverWaits: true })),
        Testing.resultWriter(output)
      )))
      assert.deepStrictEqual(output.stderr, ["passthrough: cannot log this request: no room"])
    }))
})

describe("a hook that fails", () => {
  const config = { hookADD: ["a", "b", "c"], onHookFailure: "fail" }
  const fails = (names: ReadonlyArray<string>, how: object) => (hook: { readonly command: unknown }) =>
    names.includes(String(hook.command)) ? how : {}

  it.effect("is only logged", () =>
    Effect.gen(function*() {
      const { succeeded } = yield* run({ command: "ADD", config: { hookADD: ["a"] }, hook: () => ({ exitCode: 1 }) })
      assert.isTrue(succeeded)
    }))

  it.effect("fails the request where that is asked for, after all hooks ran, in the name of the first", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ command: "ADD", config, hook: fails(["b", "c"], { exitCode: 3, stderr: "why" }) })
      assert.deepStrictEqual(outcome.commands, ["a", "b", "c"])
      assert.deepInclude(failure(outcome), { code: 100, msg: "hook \"b\" failed with exit status 3", details: "why" })
    }))

  it.effect("for lack of time has a code of its own", () =>
    Effect.gen(function*() {
      const hook = () => ({ exitCode: null, signal: "SIGKILL", timedOut: true, durationMs: 30_001 })
      const outcome = yield* run({ command: "ADD", config, hook })
      assert.deepInclude(failure(outcome), { code: 101, msg: "hook \"a\" ran out of time after 30001 ms" })
    }))

  it.effect("never fails DEL and GC", () =>
    Effect.gen(function*() {
      for (const command of ["DEL", "GC"]) {
        const commands = { hookDEL: ["a"], hookGC: ["a"], onHookFailure: "fail" }
        assert.isTrue((yield* run({ command, config: commands, hook: () => ({ exitCode: 1 }) })).succeeded)
      }
    }))

  it.effect("by a signal, or because it could not be started, is told so", () =>
    Effect.gen(function*() {
      const reasons = [
        [{ exitCode: null, signal: "SIGSEGV" }, "was ended by SIGSEGV"],
        [{ exitCode: null, signal: null }, "could not be started"]
      ] as const
      for (const [how, reason] of reasons) {
        const { code, msg } = failure(yield* run({ command: "ADD", config, hook: () => how }))
        assert.deepStrictEqual([code, msg], [100, `hook "a" ${reason}`])
      }
    }))

  it.effect("is told with the first thousand characters of its stderr", () =>
    Effect.gen(function*() {
      const hook = () => ({ exitCode: 1, stderr: `\n ${"x".repeat(1001)}\n` })
      assert.strictEqual(failure(yield* run({ command: "ADD", config, hook })).details, "x".repeat(1000))
      const short = failure(yield* run({ command: "ADD", config, hook: () => ({ exitCode: 1, stderr: "why\n" }) }))
      assert.strictEqual(short.details, "why")
    }))

  it.effect("is what counts: the others fail nothing", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* run({ command: "ADD", config })).succeeded)
    }))
})

describe("the plugin's own network namespace", () => {
  const ownNamespace = attachment.CNI_NETNS

  it.effect("is refused for ADD and DEL, after the work and with nothing else on stdout", () =>
    Effect.gen(function*() {
      for (const command of ["ADD", "DEL"]) {
        const outcome = yield* run({ command, config: { [`hook${command}`]: ["a"] }, ownNamespace })
        assert.deepStrictEqual([failure(outcome).code, outcome.commands], [8, ["a"]])
      }
    }))

  it.effect("is accepted for CHECK, and where CNI_NETNS_OVERRIDE says so", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* run({ command: "CHECK", ownNamespace })).succeeded)
      for (const [value, accepted] of [["1", true], ["True", true], ["0", false], ["yes", false]] as const) {
        const outcome = yield* run({ command: "ADD", variables: { CNI_NETNS_OVERRIDE: value }, ownNamespace })
        assert.strictEqual(outcome.succeeded, accepted, value)
      }
    }))

  it.effect("is not named by an empty CNI_NETNS, which a DEL may have", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* run({ command: "DEL", variables: { CNI_NETNS: "" }, ownNamespace: "" })).succeeded)
    }))
})

describe("a defect", () => {
  it.effect("is one error document with code 999, and no stack trace", () =>
    Effect.gen(function*() {
      const outcome = yield* run({
        command: "ADD",
        config: { hookADD: ["a"] },
        hook: () => {
          throw new TypeError("undefined is not a function")
        }
      })
      assert.strictEqual(failure(outcome).code, 999)
      assert.notInclude(outcome.stdout.join(), "    at ")
      assert.deepStrictEqual(events(outcome.records), ["request", "error"])
    }))
})

describe("a person", () => {
  const callsByHand: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["", []],
    ["ADD", ["--help"]],
    ["ADD", ["x", "--version"]]
  ]
  for (const [command, args] of callsByHand) {
    it.effect(`is told what this is: CNI_COMMAND=${command} passthrough ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        const { records, stderr, stdout, succeeded } = yield* run({ command, arguments: args })
        assert.deepStrictEqual([succeeded, stdout, records], [true, [], []])
        assert.deepStrictEqual(stderr.join("\n").split("\n"), [
          `CNI plugin passthrough v${version}`,
          "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
          "Container runtimes start it, with CNI_COMMAND set and a network configuration on stdin. To try it by hand:",
          "  CNI_COMMAND=VERSION passthrough < /dev/null"
        ])
      }))
  }

  it.effect("is none who passes other arguments", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* run({ command: "ADD", arguments: ["-v", ""] })).stderr, [])
    }))
})

describe("an interruption", () => {
  it.effect("in a hook answers that the runtime should try again, and exits with status 1", () =>
    Effect.gen(function*() {
      const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
      const records: Array<Record> = []
      const fiber = yield* Effect.forkChild(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
        Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
        Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n","hookADD":["sleep"]}`),
        Layer.succeed(HookRunner, HookRunner.of({ run: () => Effect.never })),
        Testing.resultWriter(output),
        Testing.logSink(records)
      ))))
      while (records.length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)

      assert.strictEqual(JSON.parse(output.stdout.join()).code, 11)
      assert.deepStrictEqual(events(records), ["request", "error"])
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) assert.strictEqual(Runtime.getErrorExitCode(Cause.squash(exit.cause)), 1)
      if (Exit.isFailure(exit)) assert.isFalse(Runtime.getErrorReported(Cause.squash(exit.cause)))
    }))

  /** A run of ADD with these services, and what it wrote. */
  const start = Effect.fnUntraced(function*(services: {
    readonly stdin?: Layer.Layer<StdinReader>
    readonly writer?: (
      output: { readonly stdout: Array<string>; readonly stderr: Array<string> }
    ) => Layer.Layer<ResultWriter>
    readonly sink?: LogSink["Service"]
  }) {
    const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
    const records: Array<Record> = []
    const fiber = yield* Effect.forkChild(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
      Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
      services.stdin ?? Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n"}`),
      Testing.hookRunner(),
      (services.writer ?? Testing.resultWriter)(output),
      services.sink === undefined ? Testing.logSink(records) : Layer.succeed(LogSink, services.sink)
    ))))
    return { fiber, output, records }
  })

  it.effect("while stdin is read is logged, and answered that the runtime should try again", () =>
    Effect.gen(function*() {
      const begun: Array<true> = []
      const read = Effect.suspend(() => {
        begun.push(true)
        return Effect.never
      })
      const { fiber, output, records } = yield* start({ stdin: Layer.succeed(StdinReader, StdinReader.of({ read })) })
      while (begun.length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(output.stdout.map((document) => JSON.parse(document).code), [11])
      assert.deepInclude(records.at(-1), { event: "error" })
    }))

  it.effect("while the request is logged is answered so too, and is no failure of the log", () =>
    Effect.gen(function*() {
      const begun: Array<true> = []
      const write = ({ event }: Record) =>
        Effect.suspend(() => {
          begun.push(true)
          return event === "request" ? Effect.never : Effect.void
        })
      const { fiber, output } = yield* start({ sink: LogSink.of({ write, neverWaits: true }) })
      while (begun.length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(output.stdout.map((document) => JSON.parse(document).code), [11])
      assert.deepStrictEqual(output.stderr, [])
    }))

  it.effect("is no excuse for a stdin that has a defect", () =>
    Effect.gen(function*() {
      const read = Effect.die(new Error("broken"))
      const { fiber, output } = yield* start({ stdin: Layer.succeed(StdinReader, StdinReader.of({ read })) })
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(output.stdout.map((document) => JSON.parse(document).code), [999])
    }))

  it.effect("is not waited for by an error that nobody reads for ten seconds", () =>
    Effect.gen(function*() {
      const { fiber, output } = yield* start({
        stdin: Testing.stdinReader(new StdinUnreadable({ reason: "it is gone" })),
        writer: ({ stderr }) =>
          Layer.succeed(
            ResultWriter,
            ResultWriter.of({
              write: () => Effect.never,
              notice: (text) => Effect.sync(() => void stderr.push(text))
            })
          )
      })
      yield* TestClock.adjust(9999)
      assert.deepStrictEqual([output.stderr, fiber.pollUnsafe()], [[], undefined])
      yield* TestClock.adjust(1)
      yield* Fiber.await(fiber)
      const reason = "cannot read the network configuration from stdin: it is gone"
      assert.deepStrictEqual(output.stderr, [
        `passthrough: cannot write to stdout: nothing reads it: {"cniVersion":"1.1.0","code":5,"msg":"${reason}"}`
      ])
    }))

  it.effect("is not needed for an error that cannot be written: it is told on stderr", () =>
    Effect.gen(function*() {
      const { fiber, output } = yield* start({
        writer: ({ stderr }) =>
          Layer.succeed(
            ResultWriter,
            ResultWriter.of({
              write: () => Effect.fail(new StdoutUnwritable({ reason: "it is closed" })),
              notice: (text) => Effect.sync(() => void stderr.push(text))
            })
          )
      })
      yield* Fiber.await(fiber)
      const message = "cannot write to stdout: it is closed"
      assert.deepStrictEqual(output.stderr, [
        `passthrough: ${message}: {"cniVersion":"1.1.0","code":5,"msg":"${message}"}`
      ])
    }))
})

describe("a signal while the answer is on its way out", () => {
  /** Runs an ADD whose answer is written like this, and interrupts it then. */
  const interrupted = Effect.fnUntraced(function*(writing: Effect.Effect<void>) {
    const written: Array<string> = []
    const fiber = yield* Effect.forkChild(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
      Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
      Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n"}`),
      Testing.hookRunner(),
      Testing.logSink([]),
      Layer.succeed(
        ResultWriter,
        ResultWriter.of({
          write: (document) =>
            Effect.andThen(
              Effect.sync(() => {
                written.push(document)
                fiber.interruptUnsafe()
              }),
              Effect.uninterruptible(writing)
            ),
          notice: () => Effect.void
        })
      )
    ))))
    const exit = yield* Fiber.await(fiber)
    return { exit, written }
  })

  it.effect("ends the run, and never adds a second document", () =>
    Effect.gen(function*() {
      const { exit, written } = yield* interrupted(Effect.die("the rest does not go out"))
      assert.deepStrictEqual(written, [`{"cniVersion":"1.1.0"}`])
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Passthrough.Failed)
    }))
})

describe("an answer that cannot be written", () => {
  /** A run of ADD with this configuration, in which writing to stdout has a defect once its first bytes may be out. */
  const broken = Effect.fnUntraced(function*(
    fields: object,
    notice: (text: string) => Effect.Effect<void> = () => Effect.void
  ) {
    const [written, notices]: [Array<string>, Array<string>] = [[], []]
    const exit = yield* Effect.exit(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
      Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
      Testing.stdinReader(JSON.stringify({ cniVersion: "1.1.0", name: "n", ...fields })),
      Testing.hookRunner(),
      Testing.logSink([]),
      Layer.succeed(
        ResultWriter,
        ResultWriter.of({
          write: (document) =>
            Effect.suspend(() => {
              written.push(document)
              return Effect.die(new Error("the rest does not go out"))
            }),
          notice: (text) =>
            Effect.suspend(() => {
              notices.push(text)
              return notice(text)
            })
        })
      )
    ))))
    assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Passthrough.Failed)
    return { written, notices }
  })

  it.effect("is followed by no error document: the failure is told on stderr", () =>
    Effect.gen(function*() {
      const { notices, written } = yield* broken({})
      assert.deepStrictEqual(written, [`{"cniVersion":"1.1.0"}`])
      assert.lengthOf(notices, 1)
      assert.match(notices.join(), /^passthrough: .*"code":999/)
    }))

  it.effect("is followed by no other one where it is an error document itself", () =>
    Effect.gen(function*() {
      const { notices, written } = yield* broken({ hookADD: 3 })
      assert.deepStrictEqual(written.map((document) => JSON.parse(document).code), [7])
      assert.lengthOf(notices, 1)
      assert.match(notices.join(), /^passthrough: \{.*"code":999/)
    }))

  it.effect("is followed by no other one where stderr is broken too", () =>
    Effect.gen(function*() {
      let left = 1
      const { notices, written } = yield* broken(
        {},
        () => left-- > 0 ? Effect.die(new Error("so is stderr")) : Effect.void
      )
      assert.deepStrictEqual(written, [`{"cniVersion":"1.1.0"}`])
      assert.lengthOf(notices, 2)
    }))
})

describe("a sink of one's own", () => {
  it.effect("takes the place of the built-in one", () =>
    Effect.gen(function*() {
      const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
      const written: Array<string> = []
      const Own = Layer.succeed(
        LogSink,
        LogSink.of({ write: (record) => Effect.sync(() => written.push(record.event)) })
      )
      yield* Passthrough.main.pipe(Effect.provide(
        Layer.mergeAll(
          Own,
          Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
          Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n","logFile":"/dev/full"}`),
          Testing.resultWriter(output)
        ).pipe(Layer.provideMerge(Live.layer))
      ))
      assert.deepStrictEqual(written, ["request", "result"])
    }))

  it.effect("that hangs keeps the run no longer than `logTimeout`", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(run({
        command: "ADD",
        config: { logTimeout: "3s", onLogFailure: "ignore" },
        write: () => Effect.never
      }))
      yield* TestClock.adjust("3 seconds")
      const outcome = yield* Fiber.join(fiber)
      assert.isTrue(outcome.succeeded)
      assert.match(outcome.stderr.join("\n"), /a log sink: no answer in time: .* for 3s in total/)
    }))
})

describe("a defect", () => {
  /** A run with this sink, or with this reader of the environment. */
  const outcomeOf = Effect.fnUntraced(function*(layers: {
    readonly sink?: LogSink["Service"]
    readonly env?: Layer.Layer<EnvReader>
  }) {
    const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
    const fiber = yield* Effect.forkChild(Passthrough.main.pipe(Effect.provide(Layer.mergeAll(
      layers.env ?? Testing.envReader({ ...attachment, CNI_COMMAND: "ADD" }),
      Testing.stdinReader(`{"cniVersion":"1.1.0","name":"n","logTimeout":"1s"}`),
      Testing.hookRunner(),
      layers.sink === undefined ? Testing.logSink([]) : Layer.succeed(LogSink, layers.sink),
      Testing.resultWriter(output)
    ))))
    return { fiber, output }
  })

  it.effect("before there is a request is one error document", () =>
    Effect.gen(function*() {
      const env = Layer.succeed(
        EnvReader,
        EnvReader.of({
          read: Effect.die(new Error("broken")),
          arguments: Effect.succeed([]),
          isOwnNamespace: () => Effect.succeed(false)
        })
      )
      const { fiber, output } = yield* outcomeOf({ env })
      const exit = yield* Fiber.await(fiber)
      assert.deepStrictEqual(output.stdout.map((document) => JSON.parse(document).code), [999])
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Passthrough.Failed)
    }))

  it.effect("of a sink that closes leaves the answer as it is, and is told on stderr", () =>
    Effect.gen(function*() {
      const sink = LogSink.of({
        open: () => Effect.as(Effect.addFinalizer(() => Effect.die(new Error("fin"))), { write: () => Effect.void })
      })
      const { fiber, output } = yield* outcomeOf({ sink })
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(output.stdout, [`{"cniVersion":"1.1.0"}`])
      assert.deepStrictEqual(output.stderr, ["passthrough: a log sink cannot be closed: Error: fin"])
    }))

  it.effect("of a sink that never closes does not keep the run", () =>
    Effect.gen(function*() {
      const sink = LogSink.of({
        open: () => Effect.as(Effect.addFinalizer(() => Effect.never), { write: () => Effect.void })
      })
      const { fiber, output } = yield* outcomeOf({ sink })
      yield* TestClock.adjust(1999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(output.stderr, ["passthrough: a log sink does not close"])
    }))
})
