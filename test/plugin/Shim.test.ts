/** The order of things around a plugin, with services that touch no file, no process and no terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import { StdinUnreadable, StdoutUnwritable } from "../../src/cni/CniError.ts"
import type * as Execution from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { HookRunner } from "../../src/plugin/HookRunner.ts"
import * as Policy from "../../src/plugin/Policy.ts"
import { ResultWriter } from "../../src/plugin/ResultWriter.ts"
import * as Shim from "../../src/plugin/Shim.ts"
import { StdinReader } from "../../src/plugin/StdinReader.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import { WrappedPlugin } from "../../src/plugin/WrappedPlugin.ts"
import type * as Record from "../../src/record/Record.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { attachment } from "../support/plugin.ts"
import { holds } from "../support/until.ts"

const result = `{"cniVersion":"1.0.0","ips":[]}`

const run = (options: {
  readonly execution?: Partial<Execution.Execution>
  readonly config?: object
  readonly command?: string
  readonly variables?: { readonly [name: string]: string }
  readonly stdin?: string | StdinUnreadable
  readonly sink?: Layer.Layer<LogSink>
  /** Services of the run that are not the usual fakes. */
  readonly services?:
    | Layer.Layer<StdinReader>
    | Layer.Layer<ResultWriter>
    | Layer.Layer<HookRunner>
    | Layer.Layer<ProcessRunner>
  /** What the plugin does instead of what the fake does. */
  readonly plugin?: Partial<WrappedPlugin["Service"]>
  readonly kept?: { readonly started: Array<Execution.Invocation["env"]>; readonly ended: Array<unknown> }
  readonly records?: Array<Record.Record>
}) => {
  const { records = [] } = options
  const kept = options.kept ?? { started: [] as Array<Execution.Invocation["env"]>, ended: [] as Array<unknown> }
  const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
  const execution = { stdout: Buffer.from(result), ...options.execution }
  const config = options.config === undefined ? undefined : JSON.stringify(options.config)
  const services = Layer.mergeAll(
    Testing.envReader({ ...attachment, CNI_COMMAND: options.command ?? "ADD", ...options.variables }),
    Testing.stdinReader(options.stdin ?? `{"cniVersion":"1.0.0","name":"n","type":"demo"}`),
    options.sink ?? Testing.logSink(records),
    Testing.hookRunner(),
    Testing.resultWriter(output),
    Testing.processRunner,
    Layer.effect(
      WrappedPlugin,
      Effect.provide(
        Effect.map(WrappedPlugin, (demo) => WrappedPlugin.of({ ...demo, ...options.plugin })),
        Testing.wrappedPlugin(kept, execution, config)
      )
    ),
    options.services ?? Layer.empty
  )
  return Effect.as(Effect.exit(Effect.provide(Shim.main, services)), { records, output, ...kept })
}

const broken = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.fail(new Error("the disk is full")) }))
const defective = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.die("a defect"), neverWaits: true }))

describe("around a plugin", () => {
  it.effect("the request is logged first, then the plugin, its hooks, and its result", () =>
    Effect.gen(function*() {
      const { ended, output, records } = yield* run({ config: { hookADD: ["one", "two"] } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "hook", "hook", "result"])
      assert.deepInclude(records.at(-1), { event: "result", result })
      assert.deepStrictEqual([ended, output], [[0], { stdout: [], stderr: [] }])
    }))

  it.effect("what it changed is told after it and before its hooks, where that is asked for", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ config: { hookADD: ["one"], changes: ["links"] } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "changes", "hook", "result"])
      const changes = records.find((record) => record.event === "changes")
      assert.deepStrictEqual(changes?.changes, {})
      assert.match(changes?.notes?.join("\n") ?? "", /: links are not compared$/)
    }))

  for (const command of ["STATUS", "VERSION"]) {
    it.effect(`nothing is compared for ${command}, which changes nothing`, () =>
      Effect.gen(function*() {
        const { records } = yield* run({ command, config: { changes: true } })
        assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "result"])
      }))
  }

  it.effect("a wrong kind of changes is a warning, and the others are compared", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ config: { changes: ["links", "colours"] } })
      assert.deepInclude(records[0], {
        warnings: [
          "changes: found \"colours\", expected true, false, or a list of links, addresses, routes, rules, neighbours, " +
          "bridge, nftables, iptables, ipsets, sysctls, ipam"
        ]
      })
      assert.include(records.map(({ event }) => event), "changes")
    }))

  it.live("a signal while the request is logged ends us, and the plugin is not started", () =>
    Effect.gen(function*() {
      const slow = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.sleep(100) }))
      const kept = { started: [] as Array<Execution.Invocation["env"]>, ended: [] as Array<unknown> }
      const fiber = yield* Effect.forkChild(run({ sink: slow, kept }))
      yield* Effect.sleep(20)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(kept, { started: [], ended: ["SIGTERM"] })
    }))

  it.effect("a defect in how its answer is understood does not change its end", () =>
    Effect.gen(function*() {
      const stdout = new Proxy(new Uint8Array(), {
        get: () => {
          throw new Error("a defect")
        }
      })
      const { ended } = yield* run({ execution: { stdout, exitCode: 3 } })
      assert.deepStrictEqual(ended, [3])
    }))

  it.effect("the plugin knows the run around it", () =>
    Effect.gen(function*() {
      const { records, started } = yield* run({})
      assert.deepStrictEqual(started.map((env) => env["CNI_PASSTHROUGH_PARENT"]), [records[0]?.invocation])
    }))

  it.effect("the plugin's trace context names our span where one came, and is not invented where none did", () =>
    Effect.gen(function*() {
      const trace = "00-0af7651916cd43dd8448eb211c80319c"
      const context = { TRACEPARENT: `${trace}-b7ad6b7169203331-01`, TRACESTATE: "vendor=1", BAGGAGE: "tenant=shop" }
      const { records, started: [env] } = yield* run({ variables: context })
      assert.deepInclude(env, { ...context, TRACEPARENT: `${trace}-${records[0]?.invocation}-01` })
      const { TRACEPARENT: traceparent, TRACESTATE: tracestate, BAGGAGE: baggage } = context
      assert.deepInclude(records[0], { traceparent, tracestate, baggage })
      assert.doesNotHaveAnyKeys((yield* run({})).started[0], Object.keys(context))
    }))

  it.effect("a trace context that is none reaches the plugin as it came", () =>
    Effect.gen(function*() {
      const { started: [env] } = yield* run({ variables: { TRACEPARENT: "not a trace" } })
      assert.strictEqual(env?.["TRACEPARENT"], "not a trace")
    }))

  it.effect("a signal that ended it ends us, and is the error where it said nothing else", () =>
    Effect.gen(function*() {
      const { ended, records } = yield* run({
        execution: { exitCode: null, signal: "SIGKILL", stdout: Buffer.from("") }
      })
      assert.deepStrictEqual(ended, ["SIGKILL"])
      assert.deepInclude(records.at(-1), { error: { msg: "was killed by SIGKILL, without an error document" } })
    }))

  for (const [name, sink] of Object.entries({ "cannot be written": broken, "has a defect": defective })) {
    it.effect(`a log that ${name} changes nothing, and nobody is told`, () =>
      Effect.gen(function*() {
        const { ended, output, started } = yield* run({ sink, execution: { exitCode: 7 } })
        assert.deepStrictEqual([started.length, ended, output], [1, [7], { stdout: [], stderr: [] }])
      }))
  }

  it.effect("a log that cannot be written counts where onLogFailure says so, before the plugin is started", () =>
    Effect.gen(function*() {
      const { ended, output, started } = yield* run({ sink: broken, config: { onLogFailure: "fail" } })
      assert.deepStrictEqual([started, ended], [[], [1]])
      assert.deepInclude(JSON.parse(output.stdout.join("")), { code: 5, cniVersion: "1.0.0" })
    }))

  for (const command of ["DEL", "GC"]) {
    it.effect(`${command} never fails for its log`, () =>
      Effect.gen(function*() {
        const { ended, started } = yield* run({ command, sink: broken, config: { onLogFailure: "fail" } })
        assert.deepStrictEqual([started.length, ended], [1, [0]])
      }))
  }

  it.effect("a sink that interrupts itself does not count, whatever onLogFailure says", () =>
    Effect.gen(function*() {
      const sink = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.interrupt, neverWaits: true }))
      const { ended, output, started } = yield* run({ sink, config: { onLogFailure: "fail" } })
      assert.deepStrictEqual([started.length, ended, output.stdout], [1, [0], []])
    }))

  it.effect("a sink that has a defect as it opens takes nothing, and the plugin runs", () =>
    Effect.gen(function*() {
      const open = () => {
        throw new Error("a defect")
      }
      const sink = Layer.succeed(LogSink, LogSink.of({ open }))
      const { ended, output, started } = yield* run({ sink, config: { onLogFailure: "fail" } })
      assert.deepStrictEqual([started.length, ended, output], [1, [0], { stdout: [], stderr: [] }])
    }))

  it.effect("a log that cannot be written later keeps no hook from running", () =>
    Effect.gen(function*() {
      const commands: Array<unknown> = []
      const services = Testing.hookRunner(({ command }) => {
        commands.push(command)
        return {}
      })
      const write = (record: Record.Record) =>
        record.event === "request" ? Effect.void : Effect.fail(new Error("the disk is full"))
      const { ended } = yield* run({
        services,
        sink: Layer.succeed(LogSink, LogSink.of({ write })),
        config: { onLogFailure: "fail", hookADD: ["one", "two"] }
      })
      assert.deepStrictEqual([commands, ended], [["one", "two"], [0]])
    }))

  it.effect("what sinks log by Effect's own logger goes to stderr: stdout is the plugin's", () =>
    Effect.gen(function*() {
      const seen: Array<boolean> = []
      const write = () => Effect.map(References.LogToStderr, (value) => seen.push(value))
      yield* run({ sink: Layer.succeed(LogSink, LogSink.of({ write })) })
      assert.deepStrictEqual([...new Set(seen)], [true])
    }))
})

describe("the request around a plugin", () => {
  const warningsOf = ([request]: ReadonlyArray<Record.Record>) => request?.event === "request" ? request.warnings : []

  it.effect("is labelled by the plugin's name, where the configuration has no label", () =>
    Effect.gen(function*() {
      assert.deepInclude((yield* run({})).records[0], { event: "request", label: "demo" })
      assert.deepInclude((yield* run({ config: { label: "mine" } })).records[0], { label: "mine" })
    }))

  it.effect("is never refused: that is for the plugin to say", () =>
    Effect.gen(function*() {
      const { ended, records, started } = yield* run({ stdin: "no JSON", variables: { CNI_CONTAINERID: "" } })
      assert.deepInclude(records[0], { event: "request", stdin: "no JSON", hooks: 0 })
      assert.deepStrictEqual([started.length, ended], [1, [0]])
    }))

  it.effect("has warnings of the configuration, of what is forbidden, and of itself, each once", () =>
    Effect.gen(function*() {
      const forbids = {
        read: Effect.succeed([Policy.parse("/policy", `{"hooks":false}`)]),
        realFolder: () => undefined
      }
      const { records } = yield* Effect.provideService(
        run({ command: "DEL", config: { hookDEL: ["a"], label: 3 }, stdin: `{"name":"n","prevResult":1}` }),
        Policy.Policies,
        forbids
      )
      assert.deepStrictEqual(warningsOf(records), [
        "label: found 3, expected a string",
        `hookDEL: commands are forbidden by /policy ("hooks": false)`,
        "prevResult: found 1, expected an object"
      ])
    }))

  it.effect("whose stdin cannot be read is logged without one, and the plugin gets what is left of ours", () =>
    Effect.gen(function*() {
      const given: Array<unknown> = []
      const { ended, records } = yield* run({
        stdin: new StdinUnreadable({ reason: "nothing was read" }),
        plugin: {
          run: (program, _, stdin) => {
            given.push(stdin)
            return Effect.fail(new NotStarted({ program, code: "EACCES", reason: "no", cause: undefined }))
          }
        }
      })
      assert.deepStrictEqual(given, [undefined])
      assert.deepStrictEqual(ended, [1])
      for (const field of ["stdin", "stdinBase64", "config"]) assert.notProperty(records[0], field)
    }))

  it.effect("is handed to the plugin as it came", () =>
    Effect.gen(function*() {
      const calls: Array<unknown> = []
      yield* run({
        stdin: "as it came",
        variables: { A: "1" },
        plugin: {
          run: (program, env, stdin) => {
            calls.push([program, env["A"], String(stdin)])
            return Effect.fail(new NotStarted({ program, code: "EACCES", reason: "no", cause: undefined }))
          }
        }
      })
      assert.deepStrictEqual(calls, [["/plugins/demo", "1", "as it came"]])
    }))
})

describe("the record of the plugin", () => {
  const pluginOf = (records: ReadonlyArray<Record.Record>) => {
    const record = records.find(({ event }) => event === "plugin")
    return record?.event === "plugin" ? record.plugin : undefined
  }
  const megabyte = 1_048_576
  const letters = (length: number) => Buffer.from("x".repeat(length))

  it.effect("has its file, its end and its stderr, and leaves stdout to the record of the result", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ execution: { stderr: Buffer.from("said"), durationMs: 7 } })
      assert.deepStrictEqual<unknown>(pluginOf(records), {
        type: "demo",
        file: "/plugins/demo",
        exitCode: 0,
        signal: null,
        durationMs: 7,
        stderr: "said",
        truncated: false
      })
      assert.deepInclude(records.find(({ event }) => event === "plugin"), { durationMs: 7 })
    }))

  it.effect("has its stdout where no other record tells it", () =>
    Effect.gen(function*() {
      const untold = yield* run({ command: "DEL", execution: { stdout: Buffer.from("said") } })
      assert.strictEqual(pluginOf(untold.records)?.stdout, "said")
      assert.notProperty(untold.records.at(-1), "result")
      const silent = yield* run({ command: "DEL", execution: { stdout: Buffer.from("") } })
      assert.notProperty(pluginOf(silent.records), "stdout")
      const failed = yield* run({ execution: { exitCode: 1, stdout: Buffer.from("said") } })
      assert.strictEqual(pluginOf(failed.records)?.stdout, "said")
      const told = yield* run({ execution: { exitCode: 1, stdout: Buffer.from(`{"code":7,"msg":"no"}`) } })
      assert.notProperty(pluginOf(told.records), "stdout")
    }))

  it.effect("has the first megabyte of an output, and says where there was more", () =>
    Effect.gen(function*() {
      for (const name of ["stdout", "stderr"] as const) {
        const whole = yield* run({ command: "DEL", execution: { [name]: letters(megabyte) } })
        assert.deepInclude(pluginOf(whole.records), { truncated: false })
        const cut = yield* run({ command: "DEL", execution: { [name]: letters(megabyte + 1) } })
        assert.deepInclude(pluginOf(cut.records), { [name]: "x".repeat(megabyte), truncated: true })
      }
    }))

  it.effect("is not cut short where the record of the result has a long stdout", () =>
    Effect.gen(function*() {
      const stdout = Buffer.from(`{"cniVersion":"1.0.0","x":"${"x".repeat(megabyte)}"}`)
      const { records } = yield* run({ execution: { stdout } })
      assert.deepInclude(pluginOf(records), { truncated: false })
      assert.deepInclude(records.at(-1), { event: "result", result: String(stdout) })
    }))

  it.effect("says that more was written than was kept", () =>
    Effect.gen(function*() {
      assert.deepInclude(pluginOf((yield* run({ execution: { truncated: true } })).records), { truncated: true })
    }))

  it.effect("says so too where stdout was not seen, and no result is made up", () =>
    Effect.gen(function*() {
      const unseen = { stdout: Buffer.from(""), stdoutUnseen: true }
      const { records } = yield* run({ execution: unseen })
      assert.deepInclude(pluginOf(records), { truncated: true })
      assert.strictEqual(records.at(-1)?.event, "result")
      assert.notProperty(records.at(-1), "result")
      const failed = yield* run({ execution: { ...unseen, exitCode: 3 } })
      assert.deepInclude(failed.records.at(-1), {
        event: "error",
        error: { msg: "exited with status 3, without an error document" }
      })
    }))
})

describe("the last record", () => {
  it.effect("has the result without what may not be shown", () =>
    Effect.gen(function*() {
      const { records } = yield* run({
        config: { redact: ["key"] },
        execution: { stdout: Buffer.from(`{"cniVersion":"1.0.0","key":"x"}`) }
      })
      assert.deepInclude(records.at(-1), { event: "result", result: `{"cniVersion":"1.0.0","key":"[redacted]"}` })
    }))

  it.effect("has the error of the plugin, with its code and details where it has any", () =>
    Effect.gen(function*() {
      for (const error of [{ code: 7, msg: "no", details: "why" }, { code: 7, msg: "no" }, { msg: "no" }]) {
        const { ended, records } = yield* run({
          execution: { exitCode: 1, stdout: Buffer.from(JSON.stringify(error)) }
        })
        assert.deepStrictEqual([records.at(-1)?.event, ended], ["error", [1]])
        assert.deepInclude(records.at(-1), { error })
      }
    }))

  it.effect("comes without hooks for an operation that is none", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ command: "ODD", config: { hookADD: ["a"] } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "result"])
    }))
})

describe("a plugin that cannot be run", () => {
  /** A run in which these files are found one after the other, and each fails to start with this code. */
  const failing = Effect.fnUntraced(function*(
    code: string,
    files: ReadonlyArray<string | undefined> = ["/plugins/demo"],
    instead: Partial<WrappedPlugin["Service"]> = {}
  ) {
    const tried: Array<string> = []
    const became: Array<unknown> = []
    let found = 0
    const outcome = yield* run({
      variables: { CNI_PATH: "/a:/b", A: "1" },
      plugin: {
        find: () => Effect.sync(() => files[found++]),
        run: (program) => {
          tried.push(program)
          return Effect.fail(new NotStarted({ program, code, reason: "that is why", cause: undefined }))
        },
        become: (program, env, stdin) => {
          became.push([program, env["A"], String(stdin)])
          return Effect.fail(new NotStarted({ program, code: "", reason: "never", cause: undefined }))
        },
        ...instead
      }
    })
    return { ...outcome, tried, became, document: JSON.parse(outcome.output.stdout.join("") || "null") }
  })

  it.effect("because there is none is answered with code 4 and the path, and ends with status 1", () =>
    Effect.gen(function*() {
      const { document, ended, records, tried } = yield* failing("EACCES", [])
      const error = { code: 4, msg: `failed to find plugin "demo" in path [/a:/b]` }
      assert.deepStrictEqual([document, tried, ended], [{ cniVersion: "1.0.0", ...error }, [], [1]])
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "error"])
      assert.deepInclude(records.at(-1), { error })
    }))

  it.effect("because it may not is answered with code 5 and why, and is tried once", () =>
    Effect.gen(function*() {
      const { became, document, ended, records, tried } = yield* failing("EACCES", ["/1", "/2"])
      const error = { code: 5, msg: "cannot start /1: that is why" }
      assert.deepStrictEqual([document, tried, ended], [{ cniVersion: "1.0.0", ...error }, ["/1"], [1]])
      assert.deepStrictEqual(became, [])
      assert.deepInclude(records.at(-1), { event: "error", error })
    }))

  for (const code of ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM", ""]) {
    it.effect(`for lack of what the host has too little of (${code || "no code"}) takes our place, or may be tried again`, () =>
      Effect.gen(function*() {
        const { became, document, tried } = yield* failing(code, ["/1", "/2"])
        assert.deepStrictEqual(tried, ["/1"])
        assert.deepStrictEqual(became, [["/1", "1", `{"cniVersion":"1.0.0","name":"n","type":"demo"}`]])
        assert.deepStrictEqual(document, { cniVersion: "1.0.0", code: 11, msg: "cannot start /1: that is why" })
      }))
  }

  it.effect("because it was moved meanwhile is looked for again, five times in all", () =>
    Effect.gen(function*() {
      const files = ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]
      const { became, document, tried } = yield* failing("ENOENT", files)
      assert.deepStrictEqual([tried, became], [["/1", "/2", "/3", "/4", "/5"], []])
      assert.deepInclude(document, { code: 5, msg: "cannot start /5: that is why" })
    }))

  it.effect("because it was moved meanwhile, and is nowhere now, is told by its last place", () =>
    Effect.gen(function*() {
      const { document, tried } = yield* failing("ENOENT", ["/1", undefined, "/3"])
      assert.deepStrictEqual(tried, ["/1"])
      assert.deepInclude(document, { code: 5, msg: "cannot start /1: that is why" })
    }))

  it.effect("where it was before runs where it is now", () =>
    Effect.gen(function*() {
      const { ended, records } = yield* failing("ENOENT", ["/1", "/2"], {
        run: (program) =>
          program === "/1"
            ? Effect.fail(new NotStarted({ program, code: "ENOENT", reason: "why", cause: undefined }))
            : Effect.succeed({
              argv: [program],
              stdin: "",
              stdout: Buffer.from(result),
              stderr: Buffer.from(""),
              truncated: false,
              exitCode: 0,
              signal: null,
              timedOut: false,
              durationMs: 1
            })
      })
      assert.deepStrictEqual(ended, [0])
      assert.deepInclude(records.find((record) => record.event === "plugin")?.plugin, { file: "/2" })
    }))

  it.effect("ends the run also where the answer cannot be written", () =>
    Effect.gen(function*() {
      const write = () => Effect.fail(new StdoutUnwritable({ reason: "closed" }))
      const services = Layer.succeed(ResultWriter, ResultWriter.of({ write, notice: () => Effect.void }))
      const { ended } = yield* run({ plugin: { find: () => Effect.undefined }, services })
      assert.deepStrictEqual(ended, [1])
    }))
})

describe("what the plugin changed", () => {
  it.effect("is not looked for where a plugin inside a tool of ours is called, whose changes the outer run tells", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ config: { changes: true }, variables: { [HostTools.insideTool]: "1" } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "result"])
    }))

  it.effect("is looked for in the folder of reservations that its configuration names", () =>
    Effect.gen(function*() {
      const argvs: Array<string> = []
      const runner = Layer.succeed(
        ProcessRunner,
        ProcessRunner.of({
          run: ({ argv }) => {
            argvs.push(argv.join(" "))
            return Effect.fail(new NotStarted({ program: argv[0], code: "EPERM", reason: "no", cause: undefined }))
          }
        })
      )
      const ipam = { type: "host-local", dataDir: "/reservations" }
      const stdin = JSON.stringify({ cniVersion: "1.0.0", name: "n", type: "demo", ipam })
      yield* run({ config: { changes: ["ipam"] }, stdin, services: runner })
      assert.include(argvs.join("\n"), "/reservations/")
    }))
})

describe("a signal", () => {
  /** A run that is interrupted once it has begun to wait for this service. */
  const interrupted = Effect.fnUntraced(function*(
    options: Omit<Parameters<typeof run>[0], "services" | "kept">,
    service: (waiting: Effect.Effect<never>) => Layer.Layer<StdinReader> | Layer.Layer<HookRunner>
  ) {
    let isWaiting = false
    const waiting = Effect.suspend(() => {
      isWaiting = true
      return Effect.never
    })
    const kept = { started: [] as Array<Execution.Invocation["env"]>, ended: [] as Array<unknown> }
    const records: Array<Record.Record> = []
    const services = service(waiting)
    const fiber = yield* Effect.forkChild(run({ ...options, kept, records, services }))
    yield* holds(() => isWaiting)
    yield* Fiber.interrupt(fiber)
    return { ...kept, events: records.map(({ event }) => event) }
  })

  it.live("before stdin has come ends us as it would have ended the plugin", () =>
    Effect.gen(function*() {
      const outcome = yield* interrupted({}, (read) => Layer.succeed(StdinReader, StdinReader.of({ read })))
      assert.deepStrictEqual(outcome, { started: [], ended: ["SIGTERM"], events: [] })
    }))

  it.live("while a hook runs ends the hooks, and the result is logged", () =>
    Effect.gen(function*() {
      const { ended, events } = yield* interrupted(
        { config: { hookADD: ["one", "two"] } },
        (waiting) => Layer.succeed(HookRunner, HookRunner.of({ run: () => waiting }))
      )
      assert.deepStrictEqual([ended, events], [[0], ["request", "plugin", "result"]])
    }))
})
